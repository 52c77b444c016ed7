#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP exchanges by every system call that moves bytes through a socket, over IPv4 and IPv6: both
ends in this process. Prints the id of each exchange.

    calls.py
"""
import os
import socket
import threading

SENDS = {
    "write": lambda s, b: os.write(s.fileno(), b),
    "writev": lambda s, b: os.writev(s.fileno(), [b[:7], b[7:20], b[20:]]),
    "sendto": lambda s, b: s.send(b),
    "sendmsg": lambda s, b: s.sendmsg([b[:3], b[3:]]),
    "bytewise": lambda s, b: [s.send(b[i:i + 1]) for i in range(len(b))],
}


def receive_vector(s):
    parts = [bytearray(5), bytearray(4096)]
    n = os.readv(s.fileno(), parts)
    return b"".join(map(bytes, parts))[:n]


RECEIVES = {
    "read": lambda s: os.read(s.fileno(), 4096),
    "readv": receive_vector,
    "recvfrom": lambda s: s.recv(4096),
    "recvmsg": lambda s: s.recvmsg(4096)[0],
    "peeked": lambda s: (s.recv(4096, socket.MSG_PEEK), s.recv(4096))[1],
}
FAMILIES = {"v4": (socket.AF_INET, "127.0.0.1"), "v6": (socket.AF_INET6, "::1")}


def read_head(s, receive):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        head += receive(s)


def exchange(name, family, address, send, receive):
    with socket.socket(family) as listener:
        listener.bind((address, 0))
        listener.listen()

        def serve():
            peer, _ = listener.accept()
            with peer:
                read_head(peer, receive)
                send(peer, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                peer.recv(1)

        server = threading.Thread(target=serve)
        server.start()
        with socket.create_connection(listener.getsockname()[:2]) as client:
            send(client, f"GET /calls/{name} HTTP/1.1\r\nHost: calls\r\n\r\n".encode())
            read_head(client, receive)
        server.join()
    print(name, flush=True)


for family_name, (family, address) in FAMILIES.items():
    for send_name, send in SENDS.items():
        for receive_name, receive in RECEIVES.items():
            exchange(f"{family_name}-{send_name}-{receive_name}", family, address, send, receive)
