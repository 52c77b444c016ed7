#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How exchanges end, with servers that others wrote: connections that are half closed, reset or
just closed, requests that are never answered, answers before the request's end, and a connection
that begins a message and never ends it."""
import concurrent.futures
import re
import socket
import struct
import time

import flowtrace_e2e as e2e
import servers_e2e

TIMEOUT = 1.5  # exchange.timeout, in seconds
PER_CONNECTION = 300
CONTEXT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def connect(port):
    return socket.create_connection(("127.0.0.1", port), timeout=5)


def request(name, method="GET", headers="", body=""):
    return f"{method} /echo/{name} HTTP/1.1\r\nHost: shop\r\n{headers}\r\n{body}".encode()


def status_of(connection):
    answer = servers_e2e.read_all(connection, 3)
    found = re.search(rb"HTTP/1\.\d (\d+)", answer)
    return int(found[1]) if found else None


class Ends(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = servers_e2e.Servers(cls)
        cls.silent = socket.create_server(("127.0.0.1", e2e.free_port()))
        cls.stack.callback(cls.silent.close)
        cls.silent_port = cls.silent.getsockname()[1]
        ports = [cls.silent_port, *cls.servers.ports.values()]
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set", f"exchange.timeout={int(TIMEOUT * 1000)}ms", "--set",
            "select.ports=" + ",".join(map(str, ports))).wait_ready())
        with concurrent.futures.ThreadPoolExecutor(6) as pool:
            cls.half = dict(zip(servers_e2e.NAMES, pool.map(cls.half_close, servers_e2e.NAMES)))
            cls.early = dict(zip(servers_e2e.NAMES, pool.map(cls.answer_early, servers_e2e.NAMES)))
            cls.beside = dict(zip(servers_e2e.NAMES, pool.map(cls.stick, servers_e2e.NAMES)))
        cls.large = cls.say_much()
        cls.unanswered = {how: cls.leave_unanswered(how) for how in ("closed", "reset", "waiting")}
        time.sleep(0.5)
        agent.stop()
        cls.spans, cls.totals = {}, agent.totals()
        for span in agent.spans():
            cls.spans.setdefault(span.id, []).append(span)

    @classmethod
    def half_close(cls, server):
        """The client says that it will say no more, and is answered."""
        name = e2e.unique(f"half-{server}")
        with connect(cls.servers.ports[server]) as connection:
            connection.sendall(request(name))
            connection.shutdown(socket.SHUT_WR)
            return name, status_of(connection)

    @classmethod
    def answer_early(cls, server):
        """A body of which the server gets a part; if it answers, the rest, and another request."""
        name = e2e.unique(f"early-{server}")
        with connect(cls.servers.ports[server]) as connection:
            connection.sendall(request(name, "POST", "Content-Length: 1000\r\n", "x" * 10))
            connection.settimeout(0.5)
            try:
                early = bool(connection.recv(1, socket.MSG_PEEK))
            except TimeoutError:
                early = False
            first = status_of(connection) if early else None
            connection.sendall(b"x" * 990)
            first = first or status_of(connection)
            second = None
            try:
                connection.sendall(request(f"{name}-next"))
                second = status_of(connection)
            except ConnectionError:
                pass
            return name, early, first, second

    @classmethod
    def stick(cls, server):
        """Beside connections that begin a message and never end it, one with many requests."""
        port = cls.servers.ports[server]
        with connect(port) as stuck, connect(port) as body, connect(port) as connection:
            stuck.sendall(b"GET /stuck HTTP/1.1\r\nHost: sh")
            body.sendall(b"POST /stuck HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nff")
            name = e2e.unique(f"beside-{server}")
            reader = connection.makefile("rb")
            for i in range(PER_CONNECTION):
                try:
                    connection.sendall(request(f"{name}.{i}"))
                    if not reader.readline():
                        return name, i
                except ConnectionError:
                    return name, i
                cls.read_rest(reader)
        return name, PER_CONNECTION

    @classmethod
    def say_much(cls):
        """A head of 60 KB, as cookies make it, with a context at its end."""
        name = e2e.unique("large")
        head = request(name, "POST", "Cookie: " + "x" * 30000 + "\r\n" +
                       "".join(f"X-{i}: {'y' * 500}\r\n" for i in range(60)) +
                       f"traceparent: {CONTEXT}\r\nContent-Length: 3\r\n", "abc")
        with connect(cls.servers.ports["go"]) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(0, len(head), 2000):
                connection.sendall(head[at:at + 2000])
            first = status_of(connection)
            connection.sendall(request(f"{name}-next"))
            return name, first, status_of(connection)

    @staticmethod
    def read_rest(reader):
        headers = {}
        while (line := reader.readline()) not in (b"\r\n", b""):
            key, _, value = line.decode().partition(":")
            headers[key.lower()] = value.strip()
        if headers.get("transfer-encoding") == "chunked":
            while size := int(reader.readline() or b"0", 16):
                reader.read(size + 2)
            reader.readline()
        reader.read(int(headers.get("content-length", 0)))

    @classmethod
    def leave_unanswered(cls, how):
        name = e2e.unique(how)
        with connect(cls.silent_port) as connection:
            connection.sendall(request(name))
            peer, _ = cls.silent.accept()
            with peer:
                peer.recv(1000)
                if how == "waiting":
                    time.sleep(TIMEOUT + 1)
                elif how == "reset":
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                          struct.pack("ii", 1, 0))
        return name

    def both(self, name):
        spans = self.spans.get(name, [])
        self.assertEqual(sorted(s.kind for s in spans), [e2e.KIND_SERVER, e2e.KIND_CLIENT], name)
        return spans

    def assert_status(self, name, status):
        for span in self.both(name):
            self.assertEqual(span.attributes.get("http.response.status_code"), status, name)

    def test_a_half_closed_connection_still_gets_its_answer(self):
        for server, (name, status) in self.half.items():
            with self.subTest(server=server):
                self.assert_status(name, status)
        self.assertGreaterEqual(sum(status is not None for _, status in self.half.values()), 4)

    def test_an_answer_before_the_requests_end_is_its_own_and_so_is_the_next_one(self):
        print({server: early[1:] for server, early in self.early.items()}, "... ", end="")
        for server, (name, _, first, second) in self.early.items():
            with self.subTest(server=server):
                self.assert_status(name, first)
                if second:
                    self.assert_status(f"{name}-next", second)
        self.assertGreaterEqual(sum(early for _, early, _, _ in self.early.values()), 1)
        self.assertGreaterEqual(sum(bool(second) for *_, second in self.early.values()), 4)

    def test_a_request_that_is_never_answered_ends_by_the_close_the_reset_or_the_time_out(self):
        for how, error in (("closed", "connection_closed"), ("reset", "connection_closed"),
                           ("waiting", "timeout")):
            for span in self.both(self.unanswered[how]):
                with self.subTest(how=how, kind=span.kind):
                    self.assertEqual(span.attributes.get("error.type"), error)
                    self.assertNotIn("http.response.status_code", span.attributes)
                    self.assertEqual(span.end - span.start >= TIMEOUT * 1e9, how == "waiting")

    def test_a_stuck_connection_costs_another_one_nothing(self):
        print({server: n for server, (_, n) in self.beside.items()}, "... ", end="")
        for server, (name, n) in self.beside.items():
            self.assertGreater(n, 90, server)
            for i in range(n):
                for span in self.both(f"{name}.{i}"):
                    self.assertIn("http.response.status_code", span.attributes)

    def test_a_head_larger_than_what_is_kept_of_it_is_read_to_its_end(self):
        name, first, second = self.large
        self.assertIsNotNone(second)
        self.assert_status(name, first)
        self.assert_status(f"{name}-next", second)
        for span in self.both(name):
            self.assertEqual(span.trace_id, CONTEXT.split("-")[1])
            self.assertEqual(span.attributes.get("http.request.body.size"), 3)
            self.assertNotIn("flowtrace.incomplete", span.attributes)
        self.assertEqual(self.totals["windows_full"], 0)

    def test_nothing_is_lost(self):
        self.assertEqual(e2e.sum_of(self.totals, "Exchanges lost"), 0, self.totals)


if __name__ == "__main__":
    e2e.main()
