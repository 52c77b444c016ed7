# SPDX-License-Identifier: Apache-2.0
"""A receiver of OTLP over HTTP/1.1 that says 200 to everything.

    http_sink.py PORT
"""
import re
import socket
import sys
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n"


def serve(connection):
    with connection, connection.makefile("rb", buffering=1 << 20) as reader:
        while reader.readline():
            length = 0
            while (line := reader.readline()).strip():
                if found := re.match(rb"(?i)content-length: *(\d+)", line):
                    length = int(found[1])
            reader.read(length)
            connection.sendall(ANSWER)


def main():
    with socket.create_server(("127.0.0.1", int(sys.argv[1])), backlog=16) as listener:
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()


if __name__ == "__main__":
    main()
