#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a service is called in a capture: as its clients' requests say, else as a TLS handshake with
it, else as the capture's own DNS answers, else by address and port."""
import subprocess
import time

import dns_e2e as dns
import flowtrace_e2e as e2e
import stores_e2e as stores
import tls_e2e

# Loopback addresses of servers, and the name that dnsmasq has for them.
STORE, SECURE, PLAIN, NOBODY = "127.9.1.1", "127.9.1.2", "127.9.1.3", "127.9.1.4"
RECORDS = {"store.shop.test": STORE, "answer.shop.test": SECURE, "alias.shop.test": PLAIN}

NGINX = """
daemon off; worker_processes 1; pid {dir}/nginx.pid; error_log {dir}/nginx.log warn;
events {{ worker_connections 64; }}
http {{
  access_log off; client_body_temp_path {dir}/b; proxy_temp_path {dir}/p;
  fastcgi_temp_path {dir}/f; uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  server {{
    listen {secure}:{port} ssl; listen {plain}:{port}; listen {nobody}:{port};
    ssl_certificate {dir}/server.pem; ssl_certificate_key {dir}/server.key;
    location / {{ return 200 "nginx\\n"; }}
  }}
}}
"""


class Names(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.port = e2e.free_port()
        redis = cls.keep(stores.Redis(cls.directory, "--bind", STORE, "127.0.0.1"))
        masq = cls.keep(dns.Dnsmasq(cls.directory, None, *[
            f"--host-record={name},{address}" for name, address in RECORDS.items()]))
        tls_e2e.make_certificates(cls.directory)
        config = cls.directory / "nginx.conf"
        config.write_text(NGINX.format(dir=cls.directory, port=cls.port, secure=SECURE,
                                       plain=PLAIN, nobody=NOBODY))
        nginx = cls.keep(e2e.Program(cls.directory, "nginx", ["nginx", "-c", config]))
        e2e.wait_until(lambda: subprocess.run(
            ["curl", "-s", "-o", "/dev/null", f"http://{PLAIN}:{cls.port}/"],
            check=False).returncode == 0 or not nginx.running(), "nginx answers")
        cls.pcap = cls.directory / "names.pcap"
        ports = " or ".join(f"port {p}" for p in (redis.port, masq.port, cls.port))
        capture = cls.keep(e2e.Program(cls.directory, "tcpdump", [
            "tcpdump", "-i", "lo", "-U", "-B", "8192", "-Z", "root", "--immediate-mode", "-w",
            cls.pcap, ports]))
        e2e.wait_until(lambda: "listening on" in capture.errors(), "tcpdump listens")
        cls.talk(redis.port, masq.port)
        time.sleep(0.3)
        capture.stop()
        cls.spans = cls.play("pcap", cls.pcap, "--record", cls.directory / "names.ftr")

    @classmethod
    def talk(cls, redis_port, dns_port):
        for name in RECORDS:
            dns.dig(dns_port, name)
        stores.run("redis-cli", "-h", STORE, "-p", redis_port, "set", "k", "v")
        url, quiet = f"http://{{}}:{cls.port}", ["-s", "-o", "/dev/null"]
        stores.run("curl", *quiet, "-k", "--resolve", f"hello.shop.test:{cls.port}:{SECURE}",
                   f"https://hello.shop.test:{cls.port}/")
        # A request without a Host to the port of TLS, which nginx answers by 400.
        for address in (SECURE, NOBODY):
            stores.run("curl", *quiet, "-0", "-H", "Host:", url.format(address))
        stores.run("curl", *quiet, "-H", "Host: request.shop.test", url.format(PLAIN))

    @classmethod
    def play(cls, command, path, *arguments):
        out = cls.directory / f"{command}.jsonl"
        stores.run(e2e.AGENT, command, path, "--export", f"file:{out}", *arguments)
        return e2e.read_spans(out)

    def services(self, address):
        return {s.service for s in self.spans if s.attributes.get("server.address") == address or
                address == PLAIN and s.attributes.get("server.address") == "request.shop.test"}

    def test_the_captures_own_answers_name_a_server(self):
        self.assertEqual(self.services(STORE), {"store.shop.test"})

    def test_a_handshake_names_its_server_before_an_answer_does(self):
        self.assertEqual(self.services(SECURE), {"hello.shop.test"})

    def test_a_request_names_its_server_before_all_else(self):
        self.assertEqual(self.services(PLAIN), {"request.shop.test"})

    def test_where_nothing_does_address_and_port_stand_in(self):
        self.assertEqual(self.services(NOBODY), {f"{NOBODY}:{self.port}"})

    def test_a_recording_of_the_capture_has_the_same_names(self):
        replayed = self.play("replay", self.directory / "names.ftr")
        self.assertEqual([(s.span_id, s.service) for s in replayed],
                         [(s.span_id, s.service) for s in self.spans])


if __name__ == "__main__":
    e2e.main()
