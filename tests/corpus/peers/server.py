#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""server.py PORT: the corpus' routes on Python's http.server, a thread per connection."""
import http.server
import sys

LARGE = b"x" * 6000


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b""):
        self.send_response(status)
        if status not in (204, 304):
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status not in (204, 304):
            self.wfile.write(body)

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        total = 0
        while size := int(self.rfile.readline().split(b";")[0], 16):
            total += len(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return total

    def chunked(self):
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b"hello", b"x" * 1200, b"world"):
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def until_close(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(LARGE)
        self.close_connection = True

    def do_GET(self):
        path = self.path.partition("?")[0].removeprefix(f"http://{self.headers['Host']}")
        if path == "/chunked" and self.request_version == "HTTP/1.1":
            self.chunked()
        elif path.startswith("/code/"):
            self.answer(int(path[6:]), b"hello")
        elif path == "/until-close":
            self.until_close()
        else:
            self.answer({"/small": 200, "/chunked": 200, "/large": 200, "/empty": 204, "/error": 500,
                         "/unchanged": 304}.get(path, 404),
                        LARGE if path == "/large" else b"hello")

    do_HEAD = do_GET

    def do_POST(self):
        self.answer(200, b"%d" % self.read_body())

    do_PUT = do_POST

    def log_message(self, *_):
        """Nobody reads it."""


http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
