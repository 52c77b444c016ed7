#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a TLS handshake says in clear text stands in the spans of both ends: the version, the name
that was asked for, and up to TLS 1.2 the end of the server's certificate. OpenSSL tells the truth."""
import os
import time

import flowtrace_e2e as e2e
import recording
from tls_e2e import (PEERS, build_go_peer, make_certificates, nginx_command, run,
                     server_commands)

VERSIONS = ("1.2", "1.3")
REQUESTS = 2


class Handshakes(e2e.Case):
    prefix = e2e.unique("shake")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.python = run(e2e.ROOT / "scripts" / "get-python-peers").strip()
        make_certificates(cls.directory)
        build_go_peer(cls.directory / "go_peer")
        cls.start_servers()
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, "--set", "select.ports=" + ",".join(map(str, cls.ports.values())),
            "--record", str(cls.directory / "run.ftr")).wait_ready())
        cls.good = {}
        for version in VERSIONS:
            for name, command in cls.clients().items():
                cls.ask(name, "nginx " + version, command, version)
            for server in ("node", "aiohttp", "go"):
                cls.ask("curl " + version, server, cls.clients()["curl"] + ["--tls-max", version],
                        version)
        cls.good["address"] = cls.get(cls.clients()["curl"], "127.0.0.1", "nginx 1.2", "address")
        cls.store = run("redis-cli", "--tls", "--cacert", cls.directory / "ca.pem", "--sni",
                        "store.example", "-p", cls.ports["redis"], "SET", cls.prefix, "1").strip()
        time.sleep(0.5)
        cls.agent.stop()
        cls.spans = cls.agent.spans()

    @classmethod
    def start_servers(cls):
        d, cert, key = cls.directory, cls.directory / "server.pem", cls.directory / "server.key"
        names = ["nginx " + v for v in VERSIONS] + ["node", "aiohttp", "go", "redis"]
        cls.ports = dict(zip(names, e2e.free_ports(len(names))))
        commands = {
            **server_commands(d, cls.python, d / "go_peer", cls.ports),
            "redis": ["redis-server", "--port", 0, "--tls-port", cls.ports["redis"], "--bind",
                      "127.0.0.1", "--tls-cert-file", cert, "--tls-key-file", key,
                      "--tls-ca-cert-file", d / "ca.pem", "--tls-auth-clients", "no",
                      "--save", "", "--dir", d],
        }
        for version in VERSIONS:
            home = d / version
            home.mkdir()
            for file in ("server.pem", "server.key"):
                (home / file).symlink_to(d / file)
            commands["nginx " + version] = nginx_command(
                home, cls.ports["nginx " + version],
                ("ssl_certificate ", f"ssl_protocols TLSv{version}; ssl_certificate "))
        for name, command in commands.items():
            cls.keep(e2e.Program(d, name.replace(" ", "-"), command)).wait_port(cls.ports[name])

    @classmethod
    def clients(cls):
        ca = cls.directory / "ca.pem"
        return {
            "curl": ["curl", "-sS", "--http1.1", "--cacert", ca, "-w", "\n%{http_code}\n"],
            "wget": ["wget", "-nv", "-O", "-", "--ca-certificate", ca],
            "requests": [cls.python, PEERS / "client_requests.py", ca],
            "aiohttp": [cls.python, PEERS / "client_aiohttp.py", ca],
            "node": ["node", PEERS / "client.js"],
            "go": [cls.directory / "go_peer", "get"],
        }

    @classmethod
    def get(cls, command, host, server, path):
        """How many answers were good, as the client itself says."""
        ca = str(cls.directory / "ca.pem")
        urls = [f"https://{host}:{cls.ports[server]}/{cls.prefix}/{path}/{i}"
                for i in range(REQUESTS)]
        said = run(*command, *urls, env={**os.environ, "SSL_CERT_FILE": ca,
                                         "NODE_EXTRA_CA_CERTS": ca}).split()
        if command[0] == "curl":
            return said.count("200")
        return said.count("nginx") if command[0] == "wget" else int(said[-1])

    @classmethod
    def ask(cls, client, server, command, version):
        path = f"{client}/{server}/{version}".replace(" ", "-")
        cls.good[path] = cls.get(command, "localhost", server, path)

    def spans_of(self, path, kind):
        start = f"/{self.prefix}/{path}/"
        return [s for s in self.spans if s.kind == kind and s.path.startswith(start)]

    def each_span(self):
        """path, version and attributes"""
        for path in self.good:
            for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
                for span in self.spans_of(path, kind):
                    yield path, path[-3:] if path != "address" else "1.2", span.attributes

    def expiry(self):
        said = run("openssl", "x509", "-noout", "-enddate", "-dateopt", "iso_8601", "-in",
                   self.directory / "server.pem").strip()
        day, clock = said.removeprefix("notAfter=").removesuffix("Z").split()
        return f"{day}T{clock}.000Z"

    def test_every_request_is_seen_from_both_ends(self):
        self.assertEqual(self.good, dict.fromkeys(self.good, REQUESTS))
        for path in self.good:
            for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
                with self.subTest(f"{path}, kind {kind}"):
                    self.assertEqual(len(self.spans_of(path, kind)), REQUESTS)

    def test_both_ends_know_the_version(self):
        for path, version, attributes in self.each_span():
            with self.subTest(path):
                self.assertEqual((attributes.get("tls.protocol.name"),
                                  attributes.get("tls.protocol.version")), ("tls", version))

    def test_both_ends_know_the_name_that_was_asked_for_and_an_address_is_none(self):
        for path, _, attributes in self.each_span():
            with self.subTest(path):
                self.assertEqual(attributes.get("tls.client.server_name"),
                                 None if path == "address" else "localhost")

    def test_the_certificates_end_is_known_where_it_is_not_encrypted(self):
        end = self.expiry()
        for path, version, attributes in self.each_span():
            with self.subTest(path):
                self.assertEqual(attributes.get("tls.server.not_after"),
                                 end if version == "1.2" else None)

    def test_where_the_protocol_names_no_server_the_handshake_does(self):
        self.assertEqual(self.store, "OK")
        spans = [s for s in self.spans if s.attributes.get("db.operation.name") == "SET"]
        self.assertEqual(sorted(s.kind for s in spans), [e2e.KIND_SERVER, e2e.KIND_CLIENT])
        for span in spans:
            self.assertEqual((span.attributes["server.address"], span.attributes["server.port"],
                              span.attributes["tls.client.server_name"]),
                             ("store.example", self.ports["redis"], "store.example"))

    def test_no_cipher_text_is_recorded_and_a_replay_says_the_same(self):
        heads = [e.data[:1] for e in recording.read(self.directory / "run.ftr")
                 if e.data[:1] in (b"\x14", b"\x15", b"\x16", b"\x17")]
        self.assertEqual(heads, [])
        out = self.directory / "replayed.json"
        run(e2e.AGENT, "replay", self.directory / "run.ftr", "--export", f"file:{out}",
            "--set", "select.ports=" + ",".join(map(str, self.ports.values())))
        told = lambda spans: sorted((s.span_id, sorted(s.attributes.items())) for s in spans)
        self.assertEqual(told(e2e.read_spans(out)), told(self.spans))


if __name__ == "__main__":
    e2e.main()
