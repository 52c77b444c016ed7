#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The same server and client as main.go, with grpcio: C-core underneath. Messages are empty bytes.

    peer.py server PORT
    peer.py client PORT CONCURRENCY ROUNDS    {"UnaryCall OK": 20, "EmptyCall NotFound": 20, ...}
"""
import collections
import concurrent.futures
import json
import sys
import threading
import time

import grpc

SERVICE = "grpc.testing.TestService"


def not_found(request, context):
    context.abort(grpc.StatusCode.NOT_FOUND, "secret: not here")


def wait(requests, context):
    ended = threading.Event()
    context.add_callback(ended.set)
    ended.wait(10)
    yield from ()


HANDLERS = {
    "EmptyCall": grpc.unary_unary_rpc_method_handler(not_found),
    "UnaryCall": grpc.unary_unary_rpc_method_handler(lambda request, context: b""),
    "StreamingInputCall": grpc.stream_unary_rpc_method_handler(
        lambda requests, context: b"" if list(requests) else b""),
    "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(
        lambda request, context: (b"" for _ in range(4))),
    "FullDuplexCall": grpc.stream_stream_rpc_method_handler(
        lambda requests, context: (b"" for _ in requests)),
    "HalfDuplexCall": grpc.stream_stream_rpc_method_handler(wait),
}


def serve(port):
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(100))
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, HANDLERS)])
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


def calls(channel):
    def path(name):
        return f"/{SERVICE}/{name}"
    return {
        "EmptyCall": lambda: channel.unary_unary(path("EmptyCall"))(b""),
        "UnaryCall": lambda: channel.unary_unary(path("UnaryCall"))(b""),
        "UnimplementedCall": lambda: channel.unary_unary(path("UnimplementedCall"))(b""),
        "StreamingInputCall":
            lambda: channel.stream_unary(path("StreamingInputCall"))(iter([b""] * 3)),
        "StreamingOutputCall":
            lambda: list(channel.unary_stream(path("StreamingOutputCall"))(b"")),
        "FullDuplexCall":
            lambda: list(channel.stream_stream(path("FullDuplexCall"))(iter([b""] * 5))),
        "HalfDuplexCall":
            lambda: list(channel.stream_stream(path("HalfDuplexCall"))(iter([]), timeout=0.1)),
    }


def name_of(code):
    """As Go writes it."""
    if code == grpc.StatusCode.OK:
        return "OK"
    return "".join(word.capitalize() for word in code.name.split("_"))


def run_rounds(channel, rounds, seen, lock):
    for _ in range(rounds):
        for name, call in calls(channel).items():
            code = grpc.StatusCode.OK
            try:
                call()
            except grpc.RpcError as error:
                code = error.code()
            with lock:
                seen[f"{name} {name_of(code)}"] += 1


def run_client(port, concurrency, rounds):
    seen, lock = collections.Counter(), threading.Lock()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        threads = [threading.Thread(target=run_rounds, args=(channel, rounds, seen, lock))
                   for _ in range(concurrency)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        time.sleep(0.1)
    print(json.dumps(seen))


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(sys.argv[2])
    else:
        run_client(*map(int, sys.argv[2:]))
