# SPDX-License-Identifier: Apache-2.0
"""The application that is loaded: nginx with one worker and a small reply; wrk, which asks as fast
as it is answered, and bench_load, which asks at a fixed rate. Nothing is pinned: where the agent
runs beside them is the scheduler's choice, as anywhere."""
import contextlib
import re

from flowtrace_bench import e2e, need, run

CONNECTIONS = 64
CONFIGURATION = """
daemon off;
master_process off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{port} backlog=511{tls};
    location / {{ return 200 "as ordered\\n"; }}
  }}
}}
"""


TLS = """ ssl; ssl_certificate {directory}/server.pem;
    ssl_certificate_key {directory}/server.key; ssl_session_cache off"""


class Nginx:
    def __init__(self, bench, tls=False):
        self.bench, self.port, self.tls = bench, e2e.free_port(), tls

    @contextlib.contextmanager
    def running(self):
        directory, program = self.bench.directory, need("nginx")
        configuration = directory / "nginx.conf"
        tls = TLS.format(directory=directory) if self.tls else ""
        if self.tls:
            run(need("openssl"), "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                "-subj", "/CN=localhost", "-keyout", directory / "server.key",
                "-out", directory / "server.pem")
        configuration.write_text(CONFIGURATION.format(directory=directory, port=self.port, tls=tls))
        nginx = e2e.Program(directory, "nginx", [program, "-e", directory / "error.log",
                                                 "-p", directory, "-c", configuration])
        try:
            nginx.wait_port(self.port)
            yield self
        finally:
            nginx.stop()

    def saturate(self, seconds):
        """requests per second, requests"""
        text = run(need("wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s",
                   f"http{'s' if self.tls else ''}://127.0.0.1:{self.port}/orders/4711")
        if errors := re.search(r"(Socket errors|Non-2xx).*", text):
            raise RuntimeError(f"wrk: {errors[0]}")
        return (float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1]),
                int(re.search(r"(\d+) requests in", text)[1]))

    def offer(self, rate, seconds):
        """What bench_load printed, as a dict of numbers."""
        words = run(self.bench.tool("bench_load"), self.port, f"{rate:.0f}", CONNECTIONS,
                    seconds, *(["tls"] if self.tls else [])).split()
        return {k: float(v) for k, v in zip(words[::2], words[1::2])}
