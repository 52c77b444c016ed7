# SPDX-License-Identifier: Apache-2.0
"""tunnel.py PORT : a proxy that knows CONNECT and nothing else (RFC 9110, section 9.3.6)."""
import socket
import socketserver
import sys
import threading


def pump(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass


class Tunnel(socketserver.BaseRequestHandler):
    def handle(self):
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.request.recv(4096)
        host, _, port = head.split()[1].decode().partition(":")
        with socket.create_connection((host, int(port))) as target:
            self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            back = threading.Thread(target=pump, args=(target, self.request))
            back.start()
            pump(self.request, target)
            back.join()


socketserver.ThreadingTCPServer.allow_reuse_address = True
with socketserver.ThreadingTCPServer(("127.0.0.1", int(sys.argv[1])), Tunnel) as server:
    server.serve_forever()
