#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A keep-alive client and its server, each in a network namespace of its own.

    nat.py serve ADDRESS PORT
    nat.py ask PREFIX PORT ADDRESS...      requests over old connections, then over new ones

`ask` opens one connection to each address, says "open", waits for a line on standard input, and asks
on over these and over new connections, some requests of which are sent together. It prints the ids."""
import http.server
import socket
import sys

OLD, NEW, TOGETHER = 12, 6, 5


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


class Server6(Server):
    address_family = socket.AF_INET6


class Client:
    def __init__(self, address, port):
        self.socket = socket.create_connection((address, port))
        self.file = self.socket.makefile("rb")

    def ask(self, *names):
        self.socket.sendall(b"".join(
            f"GET /nat/{name} HTTP/1.1\r\nHost: nat\r\n\r\n".encode() for name in names))
        for name in names:
            line = self.file.readline()
            while self.file.readline() != b"\r\n":
                pass
            self.file.read(2)
            if b" 200 " in line:
                print(name, flush=True)


def ask(prefix, addresses, port):
    old = [(f"{prefix}-{i}", Client(address, port)) for i, address in enumerate(addresses)]
    for name, client in old:
        client.ask(f"{name}-before")
    print("open", flush=True)
    sys.stdin.readline()
    for name, client in old:
        for n in range(OLD):
            client.ask(f"{name}-old-{n}")
    for i, address in enumerate(addresses):
        for n in range(NEW):
            client, name = Client(address, port), f"{prefix}-{i}-new-{n}"
            client.ask(f"{name}-alone")
            client.ask(*(f"{name}-{k}" for k in range(TOGETHER)))


if sys.argv[1] == "serve":
    kind = Server6 if ":" in sys.argv[2] else Server
    kind((sys.argv[2], int(sys.argv[3])), Handler).serve_forever()
else:
    ask(sys.argv[2], sys.argv[4:], int(sys.argv[3]))
