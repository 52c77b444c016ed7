# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP over gRPC that says OK to everything: just enough of HTTP/2 (RFC 9113) and
gRPC, so that what sending costs the agent can be measured without a backend.

    otlp_sink.py PORT

The client's headers are not decoded: whatever comes is taken. A response is two header blocks of
literal fields (RFC 7541 section 6.2.2) around an empty message.
"""
import socket
import struct
import sys
import threading

PREFACE_LEN = 24
DATA, HEADERS, SETTINGS, PING, WINDOW_UPDATE = 0, 1, 4, 6, 8
END_STREAM, ACK, END_HEADERS = 1, 1, 4
INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = 4, 5
WINDOW, FRAME = 1 << 24, 1 << 20


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def fields(*pairs):
    """A header block; every name and value is shorter than 127 bytes."""
    return b"".join(b"\0" + b"".join(bytes([len(text)]) + text.encode() for text in pair)
                    for pair in pairs)


def credit(stream, n):
    return frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", n)) if n else b""


def answer(stream):
    return (frame(HEADERS, END_HEADERS, stream,
                  fields((":status", "200"), ("content-type", "application/grpc")))
            + frame(DATA, 0, stream, bytes(5))
            + frame(HEADERS, END_HEADERS | END_STREAM, stream, fields(("grpc-status", "0"))))


def serve(connection):
    with connection, connection.makefile("rb") as reader:
        reader.read(PREFACE_LEN)
        connection.sendall(frame(SETTINGS, 0, 0, struct.pack(">HIHI", INITIAL_WINDOW_SIZE, WINDOW,
                                                             MAX_FRAME_SIZE, FRAME))
                           + credit(0, WINDOW))
        while len(head := reader.read(9)) == 9:
            length = int.from_bytes(head[:3], "big")
            kind, flags, stream = struct.unpack(">BBI", head[3:])
            payload = reader.read(length)
            if kind in (SETTINGS, PING) and not flags & ACK:
                connection.sendall(frame(kind, ACK, 0, payload if kind == PING else b""))
            elif kind == DATA:
                end = flags & END_STREAM
                connection.sendall(credit(0, length) + (answer(stream) if end
                                                        else credit(stream, length)))


def main():
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=16) as listener:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main()
