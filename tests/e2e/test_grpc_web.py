#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gRPC-Web between programs that others wrote, over HTTP/1.1 and HTTP/2, binary and as text: the
proxy of improbable-eng/grpc-web and connectrpc.com/connect as servers; connect for Go and for Node
and Google's grpc-web as clients."""
import collections

import grpc_e2e

import flowtrace_e2e as e2e

# method -> messages of the server, where it answers
ANSWERS = {"UnaryCall": 1, "StreamingOutputCall": 4, "EmptyCall": 0}
VERSIONS = {"1": "1.1", "2": "2"}


class GrpcWeb(grpc_e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.ports = dict(zip(("proxy", "connect"), e2e.free_ports(2)))
        server = cls.keep(e2e.Program(cls.directory, "server",
                                      [cls.go, "web-server", *cls.ports.values()]))
        for port in cls.ports.values():
            server.wait_port(port)

    def clients(self, server, concurrency):
        """name, version of HTTP, command"""
        port, rounds = self.ports[server], max(1, 16 // concurrency)
        script = grpc_e2e.PEERS / "web.js"
        for version in VERSIONS:
            yield ("go", version, [self.go, "web-client", port, version, concurrency, rounds])
            yield ("node", version, ["node", script, "connect", port, version, concurrency, rounds])
        if server == "proxy":
            yield ("text", "1", ["node", script, "text", port, "-", concurrency, rounds])

    def test_each_call_of_gRPC_Web_is_one_span_at_each_end_with_the_status_that_the_client_saw(self):
        for server, port in self.ports.items():
            for concurrency in (1, 16, 64):
                for client, version, command in self.clients(server, concurrency):
                    with self.subTest(f"{client} to {server} over HTTP/{version}, {concurrency}"):
                        agent = self.start_agent(f"{client}-{server}-{version}-{concurrency}", port)
                        seen = self.seen_by(command)
                        agent.stop()
                        self.check(agent, seen, VERSIONS[version])

    def check(self, agent, seen, version):
        totals, spans = agent.totals(), agent.spans()
        self.assertEqual(e2e.sum_of(totals, "Exchanges lost"), 0, totals)
        self.assertNotIn("secret", agent.spans_path.read_text())
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            ours = [s for s in spans if s.kind == kind]
            counted = collections.Counter(
                (s.attributes["rpc.method"], str(s.attributes.get("rpc.grpc.status_code")))
                for s in ours)
            self.assertEqual(counted, seen, kind)
            for span in ours:
                self.check_span(span, version)
        ids = {s.span_id for s in spans if s.kind == e2e.KIND_CLIENT}
        self.assertTrue(all(s.parent_id in ids for s in spans if s.kind == e2e.KIND_SERVER))

    def check_span(self, span, version):
        a = span.attributes
        self.assertEqual(span.name, f"{grpc_e2e.SERVICE}/{a['rpc.method']}")
        self.assertEqual((a["rpc.system"], a["rpc.service"]), ("grpc", grpc_e2e.SERVICE))
        self.assertEqual(a["network.protocol.version"], version)
        self.assertNotIn("flowtrace.incomplete", a)
        self.assertEqual((a["flowtrace.rpc.request.messages"],
                          a["flowtrace.rpc.response.messages"]), (1, ANSWERS[a["rpc.method"]]), a)


if __name__ == "__main__":
    e2e.main()
