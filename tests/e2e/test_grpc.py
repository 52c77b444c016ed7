#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gRPC between programs that others wrote: google.golang.org/grpc and grpcio (C-core), each as
client and as server of the other, and @grpc/grpc-js as a client. Unary calls, the three kinds of
streams, errors without and with a body, deadlines; one CLIENT and one SERVER span per call, with the
status that the client saw."""
import collections
import re

import grpc_e2e

import flowtrace_e2e as e2e

# Whose clock is first at a deadline decides whether the client sees it, or the server's cancel.
CODES = {"OK": 0, "Cancelled": 4, "DeadlineExceeded": 4, "NotFound": 5, "Unimplemented": 12}

# method -> messages of the client, messages of the server
MESSAGES = {"UnaryCall": (1, 1), "StreamingInputCall": (3, 1), "StreamingOutputCall": (1, 4),
            "FullDuplexCall": (5, 5)}

# status -> error at the client, at the server
ERRORS = {0: (False, False), 4: (True, True), 5: (True, False), 12: (True, True)}


class Grpc(grpc_e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = {"go": [cls.go], "python": [cls.python, grpc_e2e.PEERS / "peer.py"]}
        cls.peers = {**cls.servers, "node": ["node", grpc_e2e.PEERS / "peer.js"]}
        cls.ports = {}
        for name, command in cls.servers.items():
            cls.ports[name] = e2e.free_port()
            cls.keep(e2e.Program(cls.directory, f"server-{name}",
                                 [*command, "server", cls.ports[name]])).wait_port(cls.ports[name])

    def client(self, name, server, concurrency, rounds):
        """(method, status) -> how often, as the client saw it"""
        seen = collections.Counter()
        for (method, code), n in self.seen_by([*self.peers[name], "client", self.ports[server],
                                               concurrency, rounds]).items():
            seen[method, CODES[code]] += n
        return seen

    def test_each_call_is_one_span_at_each_end_with_the_status_that_the_client_saw(self):
        for client in self.peers:
            for server in self.servers:
                for concurrency in (1, 16, 64):
                    with self.subTest(f"{client} to {server}, {concurrency} at once"):
                        name = f"{client}-{server}-{concurrency}"
                        agent = self.start_agent(name, self.ports[server])
                        rounds = max(1, 16 // concurrency)
                        seen = self.client(client, server, concurrency, rounds)
                        agent.stop()
                        self.check(agent, seen)

    def check(self, agent, seen):
        totals, spans = agent.totals(), agent.spans()
        self.assertEqual(e2e.sum_of(totals, "Exchanges lost"), 0, totals)
        self.assertNotIn("secret", agent.spans_path.read_text())
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            ours = [s for s in spans if s.kind == kind]
            self.assertEqual(self.counted(ours, kind), seen, kind)
            for span in ours:
                self.check_span(span, kind)
        ids = {s.span_id for s in spans if s.kind == e2e.KIND_CLIENT}
        self.assertTrue(all(s.parent_id in ids for s in spans if s.kind == e2e.KIND_SERVER))

    def counted(self, spans, kind):
        """A call whose deadline passed is often reset by the client before a status comes."""
        found = collections.Counter()
        for span in spans:
            status = span.attributes.get("rpc.grpc.status_code")
            if span.attributes["rpc.method"] == "HalfDuplexCall":
                self.assertTrue(status in (None, 1, 4), span.attributes)
                self.assertTrue(status or span.attributes["flowtrace.http2.reset"] == "CANCEL",
                                span.attributes)
                self.assertRegex(span.attributes["flowtrace.rpc.timeout"], r"^\d+[num]$")
                status = 4
            found[span.attributes["rpc.method"], status] += 1
        return found

    def check_span(self, span, kind):
        method = span.attributes["rpc.method"]
        status = span.attributes.get("rpc.grpc.status_code")
        self.assertEqual(span.name, f"{grpc_e2e.SERVICE}/{method}")
        self.assertEqual(span.attributes["rpc.system"], "grpc")
        self.assertEqual(span.attributes["rpc.service"], grpc_e2e.SERVICE)
        self.assertNotIn("flowtrace.incomplete", span.attributes, span.attributes)
        if status in ERRORS:
            self.assertEqual(span.error, ERRORS[status][kind == e2e.KIND_SERVER], span.attributes)
        if method == "UnimplementedCall":  # which is known before its message is sent
            self.assertLessEqual(span.attributes["flowtrace.rpc.request.messages"], 1)
            self.assertEqual(span.attributes["flowtrace.rpc.response.messages"], 0)
        if method in MESSAGES:
            self.assertEqual((span.attributes["flowtrace.rpc.request.messages"],
                              span.attributes["flowtrace.rpc.response.messages"]),
                             MESSAGES[method], span.attributes)

    def test_a_connection_that_is_joined_midway_tells_nothing_that_is_not_so(self):
        for client in self.peers:
            with self.subTest(client):
                load = self.keep(e2e.Program(
                    self.directory, f"midway-{client}",
                    [*self.peers[client], "client", self.ports["go"], 4, 40],
                    {"NODE_PATH": self.node_path}))
                e2e.wait_until(lambda: e2e.port_open(self.ports["go"]), "the server")
                agent = self.start_agent(f"agent-midway-{client}", self.ports["go"])
                load.wait()
                agent.stop()
                spans = agent.spans()
                self.assertGreater(len(spans), 100)
                known = {f"{grpc_e2e.SERVICE}/{m}" for m in
                         (*MESSAGES, "EmptyCall", "HalfDuplexCall", "UnimplementedCall")}
                for span in spans:
                    self.assertTrue(span.name in known or
                                    ("flowtrace.incomplete" in span.attributes and
                                     re.fullmatch(rf"grpc|HTTP|POST( /{grpc_e2e.SERVICE}/\w+)?",
                                                 span.name)), span)


if __name__ == "__main__":
    e2e.main()
