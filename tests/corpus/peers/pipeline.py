#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pipeline.py HOST:PORT [strict]: requests that do not wait for answers, one byte by byte, and,
where the server is not strict, empty lines in front of a request."""
import socket
import sys

host, port = sys.argv[1].split(":")


def talk(*parts):
    """Sends the parts and reads until the server closes."""
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in parts:
            connection.sendall(part.encode())
        while connection.recv(65536):
            pass


def request(method, path, *headers, body=""):
    lines = [f"{method} {path} HTTP/1.1", f"Host: {sys.argv[1]}", *headers, "", body]
    return "\r\n".join(lines)


# No HEAD among them: tshark 4.0 takes the answer behind its answer for a body.
talk("".join([request("GET", f"/small?page={n}") for n in range(4)] +
             [request("POST", "/echo", "Content-Length: 3", body="abc"),
              request("GET", "/missing", "Connection: close")]))
talk(*request("GET", "/small", "Connection: close"))
if len(sys.argv) == 2:
    talk("\r\n\r\n", request("GET", "/small"), request("GET", "/small", "Connection: close"))
