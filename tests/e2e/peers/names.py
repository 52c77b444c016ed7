#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A name server on 127.0.0.1:53 that gives every name the same two addresses (RFC 1035). It makes
the file that the environment variable UP names when it listens."""
import ipaddress
import os
import pathlib
import socket

ADDRESSES = {1: ipaddress.ip_address("192.0.2.7"), 28: ipaddress.ip_address("2001:db8::7")}


def answer(query):
    """The question again, and one address if it is of a kind that we have."""
    end = query.index(b"\0", 12) + 5
    address = ADDRESSES.get(int.from_bytes(query[end - 4:end - 2], "big"))
    reply = query[:2] + b"\x81\x80\0\x01" + (b"\0\x01" if address else b"\0\0") + b"\0\0\0\0"
    reply += query[12:end]
    if address:
        reply += (b"\xc0\x0c" + query[end - 4:end] + b"\0\0\0\x3c"
                  + len(address.packed).to_bytes(2, "big") + address.packed)
    return reply


def main():
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))
    pathlib.Path(os.environ["UP"]).touch()
    while True:
        query, peer = server.recvfrom(512)
        server.sendto(answer(query), peer)


if __name__ == "__main__":
    main()
