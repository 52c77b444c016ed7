#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS that is not seen: Java's, rustls, NSS, OpenSSL in a stripped program. The server's end is; the
client's is told by name, by the agent's log and by the check command, with the reason."""
import json
import pathlib
import subprocess
import time

import flowtrace_e2e as e2e
from tls_e2e import PEERS, make_certificates, nginx_command, run

REQUESTS = 3


class Blind(e2e.Case):
    prefix = e2e.unique("blind")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        d = cls.directory
        make_certificates(d)
        cls.rust = run(e2e.ROOT / "scripts" / "get-rustls-peer").strip() + "/rustls_peer"
        run("gcc", "-w", "-s", "-o", d / "stripped", PEERS / "client_openssl.c", "-static", "-lssl",
            "-lcrypto")
        cls.port = e2e.free_port()
        cls.keep(e2e.Program(d, "nginx", nginx_command(d, cls.port))).wait_port(cls.port)
        cls.agent = cls.keep(e2e.Agent(d, "--set", f"select.ports={cls.port}").wait_ready())
        cls.good, cls.rows = {}, {}
        for name, command in cls.clients().items():
            cls.ask(name, [str(word) for word in command])
        cls.ask_by_nss()
        time.sleep(0.5)
        cls.agent.stop()
        cls.spans = cls.agent.spans()

    @classmethod
    def clients(cls):
        by_hand = [cls.directory / "ca.pem", "127.0.0.1", cls.port]
        paths = lambda name: [f"/{cls.prefix}/{name}/{i}" for i in range(REQUESTS)]
        return {
            "rustls": [cls.rust, *by_hand, *paths("rustls")],
            "stripped": [cls.directory / "stripped", *by_hand, *paths("stripped")],
            "java": ["java", "-Xmx64m", "-XX:TieredStopAtLevel=1", PEERS / "Get.java",
                     *(f"https://127.0.0.1:{cls.port}{path}" for path in paths("java"))],
        }

    @classmethod
    def ask(cls, name, command):
        """Runs the client, and the check command while it is there."""
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, preexec_fn=e2e.die_with_parent) as program:
            cls.good[name] = int(program.stdout.readline())
            cls.rows[name] = cls.check()
            program.stdin.close()

    @classmethod
    def check(cls):
        said = json.loads(subprocess.run([e2e.AGENT, "check", "--json"], capture_output=True,
                                         text=True, check=False).stdout)
        return [row for row in said["rows"] if row["section"] == "TLS"]

    @classmethod
    def ask_by_nss(cls):
        """NSS has a client that sends its input; -o: whoever the server's certificate is from."""
        path = f"/{cls.prefix}/nss/0"
        with subprocess.Popen(["tstclnt", "-D", "-o", "-h", "127.0.0.1", "-p", str(cls.port)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True,
                              preexec_fn=e2e.die_with_parent) as program:
            program.stdin.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")
            program.stdin.flush()
            cls.nss_answer = next(line for line in program.stdout if line.startswith("HTTP/"))
            cls.rows["nss"] = cls.check()
            program.terminate()

    def spans_of(self, name, kind):
        start = f"/{self.prefix}/{name}/"
        return [s for s in self.spans if s.kind == kind and s.path.startswith(start)]

    def test_only_the_servers_end_is_seen(self):
        self.assertEqual(self.good, dict.fromkeys(self.good, REQUESTS))
        for name in self.good:
            self.assertEqual(len(self.spans_of(name, e2e.KIND_SERVER)), REQUESTS, name)
            self.assertEqual(len(self.spans_of(name, e2e.KIND_CLIENT)), 0, name)

    def test_of_nss_too_only_the_servers_end_is_seen(self):
        self.assertIn(" 200 ", self.nss_answer)
        self.assertEqual(len(self.spans_of("nss", e2e.KIND_SERVER)), 1)
        self.assertEqual(len(self.spans_of("nss", e2e.KIND_CLIENT)), 0)

    def test_the_log_tells_the_programs_name_and_where_it_is(self):
        errors = self.agent.errors()
        self.assertRegex(errors, rf"TLS of rustls_peer \(process \d+, {self.rust}\) is not seen")
        for name in ("stripped", "java", "tstclnt"):  # which may have ended by then
            self.assertRegex(errors, rf"TLS of {name} \(process \d+.*\) is not seen")

    def test_such_connections_are_counted(self):
        # Java keeps one connection alive; the others make one for each request.
        self.assertGreaterEqual(self.agent.totals()["connections_tls_untraceable"],
                                2 * REQUESTS + 2)

    def find(self, client, library, path):
        rows = [r for r in self.rows[client] if r["name"] == library and r["detail"].endswith(path)]
        self.assertEqual(len(rows), 1, self.rows[client])
        self.assertEqual(rows[0]["state"], "missing")
        return rows[0]["lost"]

    def test_check_tells_what_it_is_and_what_helps(self):
        self.assertIn("inlined", self.find("rustls", "rustls", self.rust))
        lost = self.find("java", "Java", "/libjvm.so")
        self.assertIn("virtual machine", lost)
        self.assertIn("proxy", lost)
        self.assertIn("not stripped", self.find("stripped", "OpenSSL", "/stripped"))
        self.assertIn("no TLS", self.find("nss", "NSS", "/libssl3.so"))

    def test_check_tells_nothing_of_the_agent_itself(self):
        agent = str(pathlib.Path(e2e.AGENT).resolve())
        self.assertNotIn(agent, [row["detail"] for rows in self.rows.values() for row in rows])


if __name__ == "__main__":
    e2e.main()
