#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""crowd.py CONNECTIONS PORT: holds that many connections open, both ends of each, in as few
processes as the limit of descriptors allows, and asks on them by the lines of its standard input;
answers each line with the number of exchanges that went well.

    turns    one exchange on each connection, one after the other
    at-once  a request on each, and when all are open, the answers in the same order
"""
import multiprocessing
import resource
import socket
import sys

CODES = 200, 201, 404, 500


def ask(i, ends):
    request = b"GET /crowd/n%d HTTP/1.1\r\nHost: crowd\r\n\r\n" % i
    ends[0].sendall(request)
    return ends[1].recv(1000) == request


def answer(i, ends):
    response = b"HTTP/1.1 %d Fine\r\nContent-Length: 0\r\n\r\n" % CODES[i % len(CODES)]
    ends[1].sendall(response)
    return ends[0].recv(1000) == response


def exchange(i, ends):
    return ask(i, ends) and answer(i, ends)


def hold(numbers, address, orders):
    """One process: its connections are to an address of its own, for each has few client ports."""
    pairs = []
    with socket.create_server(address, backlog=64) as listener:
        for _ in numbers:
            client = socket.create_connection(address)
            pairs.append((client, listener.accept()[0]))
    orders.send(len(pairs))
    while step := orders.recv():
        orders.send(sum(step(i, ends) for i, ends in zip(numbers, pairs)))


def main():
    n, port = int(sys.argv[1]), int(sys.argv[2])
    share = min(resource.getrlimit(resource.RLIMIT_NOFILE)[1] // 2 - 50, 20_000)
    resource.setrlimit(resource.RLIMIT_NOFILE, (2 * share + 100,) * 2)
    holders = []
    for k, first in enumerate(range(0, n, share)):
        here, there = multiprocessing.Pipe()
        numbers = range(first, min(first + share, n))
        multiprocessing.Process(target=hold, args=(numbers, (f"127.0.1.{1 + k}", port), there),
                                daemon=True).start()
        here.recv()
        holders.append(here)

    def all_do(step):
        good = 0
        for holder in holders:
            holder.send(step)
            good += holder.recv()
        return good

    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() == "turns":
            print(all_do(exchange), flush=True)
        else:
            print(min(all_do(ask), all_do(answer)), flush=True)


if __name__ == "__main__":
    main()
