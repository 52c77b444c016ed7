#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTPS in clear text: eight clients with four TLS libraries ask four servers. OpenSSL as a library
(curl, Python, nginx), with memory in between (aiohttp, Node), linked into the program (Node, C);
GnuTLS (wget); Go. Each request is one CLIENT and one SERVER span that belong together."""
import os
import time

import flowtrace_e2e as e2e
import recording
from tls_e2e import (PEERS, build_go_peer, make_certificates, nginx_command, run,
                     server_commands)

REQUESTS = 6


def build_programs(directory):
    """The Go peer, as it is and stripped, and the C client, static and stripped."""
    build_go_peer(directory / "go_server")
    build_go_peer(directory / "go_client", "-ldflags=-s -w", CGO_ENABLED="0")
    static = [PEERS / "client_openssl.c", "-static", "-lssl", "-lcrypto"]
    run("gcc", "-w", "-o", directory / "static_client", *static)
    run("gcc", "-w", "-s", "-o", directory / "stripped_client", *static)


class Https(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.python = run(e2e.ROOT / "scripts" / "get-python-peers").strip()
        make_certificates(cls.directory)
        build_programs(cls.directory)
        cls.start_servers()
        cls.start_old_client()
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, "--set",
            "select.ports=" + ",".join(map(str, [cls.tunnel, *cls.ports.values()])),
            "--record", str(cls.directory / "run.ftr"), "--set", "log.level=info").wait_ready())
        cls.go_on.touch()
        cls.old.wait()
        cls.answers = {}
        for client, command in cls.clients().items():
            for server in cls.ports:
                cls.answers[client, server] = cls.ask(command, client, server)
        cls.answers["stripped", "nginx"] = cls.ask([cls.directory / "stripped_client"],
                                                   "stripped", "nginx")
        cls.answers["tunnel", "nginx"] = cls.ask(
            [*cls.clients()["curl"], "-p", "-x", f"http://127.0.0.1:{cls.tunnel}"], "curl",
            "nginx", path="tunnel")
        cls.answers["http2", "nginx"] = cls.ask(
            [word if word != "--http1.1" else "--http2" for word in cls.clients()["curl"]],
            "curl", "nginx", path="http2")
        time.sleep(0.5)
        cls.agent.stop()
        cls.spans = cls.agent.spans()

    @classmethod
    def start_servers(cls):
        d = cls.directory
        cls.tunnel = e2e.free_port()
        cls.tunneler = cls.keep(e2e.Program(d, "tunnel", [cls.python, PEERS / "tunnel.py",
                                                          cls.tunnel]))
        cls.tunneler.wait_port(cls.tunnel)
        cls.ports = {name: e2e.free_port() for name in ("nginx", "node", "aiohttp", "go")}
        commands = {"nginx": nginx_command(d, cls.ports["nginx"]),
                    **server_commands(d, cls.python, d / "go_server", cls.ports)}
        for name, command in commands.items():
            cls.keep(e2e.Program(d, name, command)).wait_port(cls.ports[name])

    @classmethod
    def clients(cls):
        """name -> its command without the URLs"""
        d, ca = cls.directory, cls.directory / "ca.pem"
        return {
            "curl": ["curl", "-sS", "--http1.1", "--cacert", ca, "-w", "\n%{http_code}\n"],
            "wget": ["wget", "-nv", "-O", "-", "--ca-certificate", ca],
            "urllib": [cls.python, "-c", "import sys, urllib.request as u\n"
                       "print(sum(u.urlopen(a).status == 200 for a in sys.argv[1:]))"],
            "requests": [cls.python, PEERS / "client_requests.py", ca],
            "aiohttp": [cls.python, PEERS / "client_aiohttp.py", ca],
            "node": ["node", PEERS / "client.js"],
            "go": [d / "go_client", "get"],
            "static": [d / "static_client"],
        }

    @classmethod
    def urls(cls, client, server):
        return [f"https://127.0.0.1:{cls.ports[server]}/{client}/{server}/{cls.prefix}{i}"
                for i in range(REQUESTS)]

    prefix = e2e.unique("tls") + "-"

    @classmethod
    def ask(cls, command, client, server, path=None):
        """How many answers were good, as the client itself says."""
        ca = cls.directory / "ca.pem"
        urls = cls.urls(path or client, server)
        if client in ("static", "stripped"):
            urls = [ca, "127.0.0.1", cls.ports[server]] + [u[u.index("/", 8):] for u in urls]
        said = run(*command, *urls, env={**os.environ, "SSL_CERT_FILE": str(ca),
                                         "NODE_EXTRA_CA_CERTS": str(ca)}).split()
        if client == "curl":
            return said.count("200")
        return said.count(server) if client == "wget" else int(said[-1])

    @classmethod
    def start_old_client(cls):
        cls.go_on = cls.directory / "go_on"
        cls.old = cls.keep(e2e.Program(
            cls.directory, "old", [cls.python, PEERS / "client_requests.py",
                                   cls.directory / "ca.pem", "--wait", cls.go_on,
                                   *cls.urls("old", "nginx")]))
        time.sleep(1)

    def spans_of(self, client, server, kind):
        start = f"/{client}/{server}/{self.prefix}"
        found = [s for s in self.spans if s.kind == kind and s.path.startswith(start)]
        return sorted(found, key=lambda s: s.path)

    def pairs(self):
        return [pair for pair in self.answers if pair[0] not in ("stripped", "tunnel", "http2")]

    def test_every_client_got_its_answers(self):
        self.assertEqual(self.answers, dict.fromkeys(self.answers, REQUESTS))

    def test_every_request_is_one_client_and_one_server_span(self):
        for client, server in self.pairs():
            for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
                with self.subTest(f"{client} to {server}, kind {kind}"):
                    self.assertEqual([s.path for s in self.spans_of(client, server, kind)],
                                     [f"/{client}/{server}/{self.prefix}{i}"
                                      for i in range(REQUESTS)])

    def test_both_ends_belong_together(self):
        for client, server in self.pairs():
            ends = zip(self.spans_of(client, server, e2e.KIND_CLIENT),
                       self.spans_of(client, server, e2e.KIND_SERVER))
            for caller, called in ends:
                with self.subTest(f"{client} to {server}"):
                    self.assertEqual((called.trace_id, called.parent_id, called.evidence),
                                     (caller.trace_id, caller.span_id, "wire"))

    def test_spans_say_what_was_said_and_to_whom(self):
        for client, server in self.pairs():
            for span in self.spans_of(client, server, e2e.KIND_CLIENT):
                a = span.attributes
                self.assertEqual(
                    (a["http.request.method"], a["http.response.status_code"], a["url.scheme"],
                     a["network.peer.address"], a["network.peer.port"], a["url.full"]),
                    ("GET", 200, "https", "127.0.0.1", self.ports[server],
                     f"https://127.0.0.1:{self.ports[server]}{span.path}"))

    def test_the_successor_of_http_1_is_read_behind_tls_too(self):
        ends = [self.spans_of("http2", "nginx", kind)
                for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER)]
        for spans in ends:
            self.assertEqual(len(spans), REQUESTS)
            self.assertEqual({(s.attributes["url.scheme"], s.attributes["network.protocol.version"])
                              for s in spans}, {("https", "2")})
        self.assertEqual([s.parent_id for s in ends[1]], [s.span_id for s in ends[0]])

    def test_both_ends_name_the_same_connection(self):
        """A SERVER's peer port is the CLIENT's own, so clients of one process differ."""
        for client, server in self.pairs():
            ports = {s.attributes["network.peer.port"]
                     for s in self.spans_of(client, server, e2e.KIND_SERVER)}
            self.assertFalse(ports & set(self.ports.values()))

    def test_connections_older_than_the_agent_are_seen_once_their_turns_are_known(self):
        """The first pair behind the unknown is not trusted yet, as with plain text."""
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            self.assertEqual([s.path for s in self.spans_of("old", "nginx", kind)][-4:],
                             [f"/old/nginx/{self.prefix}{i}" for i in range(2, REQUESTS)])
            self.assertLess(len(self.spans_of("old", "nginx", kind)), REQUESTS)

    def test_what_goes_through_a_tunnel_is_seen_at_both_of_its_ends(self):
        for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
            self.assertEqual([s.path for s in self.spans_of("tunnel", "nginx", kind)],
                             [f"/tunnel/nginx/{self.prefix}{i}" for i in range(REQUESTS)])
        connects = [s for s in self.spans if s.attributes["http.request.method"] == "CONNECT"]
        self.assertEqual(sorted(s.kind for s in connects), [e2e.KIND_SERVER, e2e.KIND_CLIENT])

    def test_what_cannot_be_seen_is_reported_with_its_name(self):
        self.assertEqual(len(self.spans_of("stripped", "nginx", e2e.KIND_CLIENT)), 0)
        self.assertEqual(len(self.spans_of("stripped", "nginx", e2e.KIND_SERVER)), REQUESTS)
        self.assertRegex(self.agent.errors(), r"TLS of stripped_client")
        self.assertGreaterEqual(self.agent.totals()["connections_tls_untraceable"], REQUESTS)

    def test_operations_are_used_or_lost_by_name(self):
        totals = self.agent.totals()
        self.assertEqual(totals["operations"], e2e.sum_of(totals, "Operations used") +
                         e2e.sum_of(totals, "Operations lost"))
        self.assertGreater(totals["operations_cipher_text"], 0)

    def test_no_cipher_text_is_recorded(self):
        """But for what the tunnel passes on, which is not its own TLS and is given up soon."""
        events = [e for e in recording.read(self.directory / "run.ftr")
                  if e.tgid != self.tunneler.process.pid]
        self.assertTrue(any(self.prefix.encode() in e.data for e in events))
        heads = [e.data[:3] for e in events if e.data[:1] in (b"\x14", b"\x15", b"\x16", b"\x17")]
        self.assertEqual(heads, [])


if __name__ == "__main__":
    e2e.main()
