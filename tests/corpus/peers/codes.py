#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""codes.py HOST:PORT: /code/N is answered with status N, and no two requests ask for the same: so it
shows whose answer an answer is. One after the other on two connections, and pipelined on a third."""
import http.client
import socket
import sys

CODES = [*range(205, 245), *range(400, 460)]


def in_turn(codes):
    connections = [http.client.HTTPConnection(sys.argv[1], timeout=10) for _ in range(2)]
    for n, code in enumerate(codes):
        connection = connections[n % 2]
        connection.request("GET", f"/code/{code}")
        connection.getresponse().read()
    for connection in connections:
        connection.close()


def pipelined(codes):
    host, port = sys.argv[1].split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        for n in range(0, len(codes), 4):
            batch = "".join(f"GET /code/{code} HTTP/1.1\r\nHost: {sys.argv[1]}\r\n\r\n"
                            for code in codes[n:n + 4])
            connection.sendall(batch.encode())
            answers = b""
            while answers.count(b"hello") < len(codes[n:n + 4]):
                answers += connection.recv(65536)


in_turn(CODES[:60])
pipelined(CODES[60:])
