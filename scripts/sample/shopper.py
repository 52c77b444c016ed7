#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client that asks for orders: its own count is what a trace of it can be checked against.

    shopper.py PORT [--requests N] [--connections N] [--rate PER_SECOND] [--prefix TEXT]
               [--path /orders/] [--every-gone N] [--start-after FILE]

Each connection is a thread that keeps it alive; the requests are spread over them and paced to
the rate. Every id is used once: PREFIX-CONNECTION-NUMBER; with --every-gone each Nth begins with "gone".
One JSON line per answered request goes to standard output: id, status, start_ns, end_ns.
With --start-after a connection does its first request at once, and waits for FILE before the rest.
"""
import argparse
import http.client
import json
import os
import signal
import sys
import threading
import time


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--requests", type=int, default=0, help="0: until stopped")
    parser.add_argument("--connections", type=int, default=1)
    parser.add_argument("--rate", type=float, default=0, help="0: as fast as answers come")
    parser.add_argument("--prefix", default="order")
    parser.add_argument("--path", default="/orders/")
    parser.add_argument("--every-gone", type=int, default=0)
    parser.add_argument("--start-after", default="")
    return parser.parse_args()


def identify(arguments, connection, number):
    gone = arguments.every_gone and number % arguments.every_gone == arguments.every_gone - 1
    return f"{'gone-' if gone else ''}{arguments.prefix}-{connection}-{number}"


def ask(client, path):
    start = time.time_ns()
    client.request("GET", path)
    response = client.getresponse()
    response.read()
    return response.status, start, time.time_ns()


def wait_for(path):
    while path and not os.path.exists(path):
        time.sleep(0.01)


def shop(arguments, connection, stop, lines):
    client = http.client.HTTPConnection("127.0.0.1", arguments.port, timeout=30)
    interval = arguments.connections / arguments.rate if arguments.rate else 0
    due = time.monotonic() + interval * connection / arguments.connections
    number = 0
    while not stop.is_set() and (not arguments.requests or number < arguments.requests):
        if stop.wait(max(0, due - time.monotonic())):
            break
        due += interval
        name = identify(arguments, connection, number)
        try:
            status, start, end = ask(client, arguments.path + name)
            lines.append(json.dumps(
                {"id": name, "status": status, "start_ns": start, "end_ns": end}))
        except (OSError, http.client.HTTPException) as error:
            print(f"{name}: {error}", file=sys.stderr)
            client.close()
        if number == 0 and arguments.start_after:
            wait_for(arguments.start_after)
            due = time.monotonic()
        number += 1
    client.close()


def stop_at_signals(stop):
    """At the first: a second one would interrupt the setting, and wait for it for ever."""
    signals = signal.SIGINT, signal.SIGTERM

    def handle(*_):
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        stop.set()
    for number in signals:
        signal.signal(number, handle)


def main():
    arguments = parse_arguments()
    stop = threading.Event()
    stop_at_signals(stop)
    arguments.requests = -(-arguments.requests // arguments.connections)
    lines = []
    threads = [threading.Thread(target=shop, args=(arguments, i, stop, lines))
               for i in range(arguments.connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        while thread.is_alive():
            thread.join(0.5)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
