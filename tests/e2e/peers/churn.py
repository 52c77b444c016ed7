#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""churn.py PROCESSES CONNECTIONS: that many processes, one after another, with that many short
connections each; on every connection one HTTP exchange, both ends held by the same process. Prints
the number of exchanges that went as they should, after each tenth of the processes."""
import os
import socket
import sys

REQUEST = b"GET /churn HTTP/1.1\r\nHost: churn.test\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def exchange(listener):
    client = socket.create_connection(listener.getsockname())
    server = listener.accept()[0]
    client.sendall(REQUEST)
    asked = server.recv(1000)
    server.sendall(RESPONSE)
    answered = client.recv(1000)
    client.close()
    server.close()
    return asked == REQUEST and answered == RESPONSE


def main():
    processes, connections = int(sys.argv[1]), int(sys.argv[2])
    listener = socket.create_server(("127.0.0.1", int(sys.argv[3])))
    good = 0
    for i in range(processes):
        child = os.fork()
        if child == 0:
            os._exit(sum(exchange(listener) for _ in range(connections)))
        good += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if (i + 1) % (processes // 10) == 0:
            print(good, flush=True)


if __name__ == "__main__":
    main()
