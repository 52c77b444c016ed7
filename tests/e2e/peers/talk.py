#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Exchanges over every kind of local socket, one after another, all of it in this process and its
children. Each line of output is what was really sent and received: {"case", "from", "to", "sent"}.
"""
import ctypes
import ctypes.util
import json
import os
import socket
import sys
import tempfile

LIBC = ctypes.CDLL(None, use_errno=True)
PR_SET_NAME = 15
IPPROTO_MPTCP = 262


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("len", ctypes.c_size_t)]


class Msghdr(ctypes.Structure):
    _fields_ = [("name", ctypes.c_void_p), ("namelen", ctypes.c_uint), ("iov", ctypes.c_void_p),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p),
                ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int)]


class Mmsghdr(ctypes.Structure):
    _fields_ = [("header", Msghdr), ("len", ctypes.c_uint)]


def tell(case, sent, sender=None, receiver=None):
    print(json.dumps({"case": case, "sent": sent, "from": sender, "to": receiver}), flush=True)


def name(sock):
    address = sock.getsockname()
    return address.decode("latin1") if isinstance(address, bytes) else address


def check(text, wanted):
    if text != wanted:
        sys.exit(f"this program is wrong: {text!r} is not {wanted!r}")


def datagrams(case, family, address, kind=socket.SOCK_DGRAM, client_address=None):
    """A server that is not connected answers a client that is not, and one that is."""
    server, client = socket.socket(family, kind), socket.socket(family, kind)
    server.bind(address)
    client.bind(client_address if client_address is not None else address)
    client.sendto(f"{case}: to".encode(), server.getsockname())
    text, peer = server.recvfrom(100)
    check(text, f"{case}: to".encode())
    server.sendto(f"{case}: back".encode(), peer)
    check(client.recvfrom(100)[0], f"{case}: back".encode())
    client.connect(server.getsockname())
    client.send(f"{case}: connected".encode())
    check(server.recvfrom(100)[0], f"{case}: connected".encode())
    tell(case, [f"{case}: to", f"{case}: back", f"{case}: connected"], name(client), name(server))


def dual_stack():
    server = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    server.bind(("::", 0))
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind(("127.0.0.1", 0))
    client.sendto(b"dual: to", ("127.0.0.1", server.getsockname()[1]))
    text, peer = server.recvfrom(100)
    check(text, b"dual: to")
    server.sendto(b"dual: back", peer)
    check(client.recv(100), b"dual: back")
    tell("dual", ["dual: to", "dual: back"], name(client), name(server))


def messages(texts, reuse=None):
    """An array of messages for sendmmsg, or of buffers as long as the texts for recvmmsg."""
    array = reuse or (Mmsghdr * len(texts))()
    buffers = [ctypes.create_string_buffer(text, 64) for text in texts]
    vectors = [(Iovec * 1)(Iovec(ctypes.cast(b, ctypes.c_char_p), len(t) if not reuse else 64))
               for b, t in zip(buffers, texts)]
    for message, vector in zip(array, vectors):
        message.header = Msghdr(None, 0, ctypes.addressof(vector), 1, None, 0, 0)
        message.len = 999  # what was there before means nothing
    return array, buffers, vectors


def many_messages():
    server, client = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    server.bind(("127.0.0.1", 0))
    client.connect(server.getsockname())
    texts = [f"many: {i}".encode() * (i + 1) for i in range(5)]
    array, _buffers, _vectors = messages(texts)
    inbox, buffers, vectors = messages([b"?" * 63] * 5)
    for _ in range(2):
        check(LIBC.sendmmsg(client.fileno(), array, 5, 0), 5)
        check(LIBC.recvmmsg(server.fileno(), inbox, 2, 0, None), 2)
        # Three are left of eight places: the fourth receive fails, and with it ends the call.
        check(LIBC.recvmmsg(server.fileno(), inbox, 5, socket.MSG_DONTWAIT, None), 3)
        check([b.raw[:m.len] for b, m in zip(buffers[:3], inbox)], texts[2:])
    tell("many", [t.decode() for t in texts] * 2, name(client), name(server))


def stream(case, address):
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    client = socket.socket(socket.AF_UNIX)
    client.connect(address)
    server = listener.accept()[0]
    for i in range(3):
        client.sendall(f"{case}: to {i}".encode())
        check(server.recv(100), f"{case}: to {i}".encode())
        server.sendall(f"{case}: back {i}".encode())
        check(client.recv(100), f"{case}: back {i}".encode())
    tell(case, [f"{case}: {way} {i}" for i in range(3) for way in ("to", "back")],
         None, name(listener))
    client.close()
    check(server.recv(10), b"")


def packets():
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    one.send(b"packet: to")
    check(other.recv(100), b"packet: to")
    tell("packet", ["packet: to"])


def passed_on():
    """The socket is written by a child that inherited it, by one that was handed it, by a dup."""
    one, other = socket.socketpair()
    if os.fork() == 0:
        one.send(b"passed: inherited")
        os._exit(0)
    os.wait()
    check(other.recv(100), b"passed: inherited")
    hand, taken = socket.socketpair()
    if os.fork() == 0:
        fds = socket.recv_fds(taken, 10, 1)[1]
        os.write(fds[0], b"passed: handed over")
        os._exit(0)
    socket.send_fds(hand, [b"passed: here"], [one.fileno()])
    os.wait()
    check(other.recv(100), b"passed: handed over")
    os.write(os.dup(one.fileno()), b"passed: dup")
    check(other.recv(100), b"passed: dup")
    tell("passed", ["passed: inherited", "passed: handed over", "passed: dup"])


def without_bytes(directory):
    """sendfile and splice move bytes that no buffer of this process has."""
    path = os.path.join(directory, "file")
    with open(path, "wb") as file:
        file.write(b"f" * 3000)
    listener = socket.create_server(("127.0.0.1", 0))
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    with open(path, "rb") as file:
        check(os.sendfile(client.fileno(), file.fileno(), 0, 3000), 3000)
    check(server.recv(3000, socket.MSG_WAITALL), b"f" * 3000)
    client.sendall(b"bytes: after")
    check(server.recv(100), b"bytes: after")
    reader, writer = os.pipe()
    client.sendall(b"s" * 500)
    check(os.splice(server.fileno(), writer, 500), 500)
    check(os.read(reader, 500), b"s" * 500)
    client.sendall(b"bytes: behind")
    check(server.recv(100), b"bytes: behind")
    tell("bytes", ["bytes: after", "bytes: behind"], name(client), name(server))


def multipath():
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    client = socket.socket(socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP)
    client.connect(listener.getsockname())
    server = listener.accept()[0]
    for text in (b"multipath: to", b"multipath: again"):
        client.sendall(text)
        check(server.recv(100), text)
    tell("multipath", ["multipath: to", "multipath: again"], name(client), name(server))


def main():
    LIBC.prctl(PR_SET_NAME, sys.argv[1].encode())
    with tempfile.TemporaryDirectory() as directory:
        datagrams("udp", socket.AF_INET, ("127.0.0.1", 0))
        datagrams("udp6", socket.AF_INET6, ("::1", 0))
        dual_stack()
        many_messages()
        stream("path", f"{directory}/stream")
        stream("abstract", f"\0{sys.argv[1]}")
        datagrams("named", socket.AF_UNIX, f"{directory}/datagram",
                  client_address=f"{directory}/client")
        packets()
        passed_on()
        without_bytes(directory)
        multipath()


if __name__ == "__main__":
    main()
