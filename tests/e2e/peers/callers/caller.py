#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As caller.c, in Python: caller.py thread|pool|loop|loops PORT UPSTREAM_PORT open|hidden

thread: the standard library's threading server. pool: one thread reads, an executor's threads call
and answer. loop: asyncio. loops: four of them, each in its thread, that call for each other."""
import asyncio
import concurrent.futures
import http.client
import http.server
import itertools
import queue
import selectors
import socket
import sys
import threading

MODE, PORT, UPSTREAM_PORT, HIDDEN = (sys.argv[1], int(sys.argv[2]), int(sys.argv[3]),
                                     sys.argv[4] == "hidden")
idle = queue.LifoQueue()


def key_of(path):
    name = path.rpartition("/")[2]
    if not HIDDEN:
        return name
    h = 0xcbf29ce484222325
    for byte in name.encode():
        h = (h ^ byte) * 0x100000001b3 % (1 << 64)
    return f"{h:016x}"


def call(path):
    """status and body of the upstream's answer"""
    try:
        upstream = idle.get_nowait()
    except queue.Empty:
        upstream = http.client.HTTPConnection("127.0.0.1", UPSTREAM_PORT)
    upstream.request("GET", f"/y/{key_of(path)}")
    response = upstream.getresponse()
    body = response.read()
    idle.put(upstream)
    return response.status, body


def answer_of(status, body):
    return (f"HTTP/1.1 {status} Yes\r\nContent-Length: {len(body)}\r\n\r\n").encode() + body


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        status, body = call(self.path)
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *arguments):
        pass


class Threads(http.server.ThreadingHTTPServer):
    request_queue_size = 512
    daemon_threads = True


def run_threads():
    Threads(("127.0.0.1", PORT), Handler).serve_forever()


def run_pool():
    executor = concurrent.futures.ThreadPoolExecutor(64)
    selector = selectors.DefaultSelector()
    listener = socket.create_server(("127.0.0.1", PORT), backlog=512)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                connection, _ = listener.accept()
                selector.register(connection, selectors.EVENT_READ)
                continue
            connection, request = key.fileobj, b""
            while not request.endswith(b"\r\n\r\n"):
                data = connection.recv(4096)
                request += data
                if not data:
                    selector.unregister(connection)
                    connection.close()
                    break
            else:
                path = request.split(b" ")[1].decode()
                executor.submit(lambda c=connection, p=path: c.sendall(answer_of(*call(p))))


every_stream = threading.local()


async def call_upstream(path):
    streams = every_stream.__dict__.setdefault("idle", [])
    reader, writer = streams.pop() if streams else await asyncio.open_connection(
        "127.0.0.1", UPSTREAM_PORT)
    writer.write(f"GET /y/{key_of(path)} HTTP/1.1\r\nHost: upstream\r\n\r\n".encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    body = await reader.readexactly(int(head.split("content-length:")[1].split("\r\n")[0]))
    streams.append((reader, writer))
    return int(head.split(" ")[1]), body


loops, turns = [], itertools.count()


async def call_elsewhere(path):
    """As call_upstream, in one loop after the other."""
    if not loops:
        return await call_upstream(path)
    other = loops[next(turns) % len(loops)]
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(call_upstream(path), other))


async def serve(reader, writer):
    while True:
        try:
            request = await reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        writer.write(answer_of(*await call_elsewhere(request.split(b" ")[1].decode())))


async def run_loop(shared=False):
    if shared:
        loops.append(asyncio.get_running_loop())
    async with await asyncio.start_server(serve, "127.0.0.1", PORT, backlog=512,
                                          reuse_port=shared) as server:
        await server.serve_forever()


def run_loops():
    threads = [threading.Thread(target=asyncio.run, args=(run_loop(True),)) for _ in range(4)]
    for thread in threads:
        thread.start()


if MODE == "thread":
    run_threads()
elif MODE == "pool":
    run_pool()
elif MODE == "loops":
    run_loops()
else:
    asyncio.run(run_loop())
