#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that two servers may read differently, sent to nginx, Python and Node: each is a span at
both ends, marked with what is ambiguous, and with the status that its server answered."""
import re
import socket
import time

import flowtrace_e2e as e2e

# What the span says, and the request's headers and body; {} is the server's place.
SHAPES = {
    "transfer_encoding_and_content_length":
        "Host: {}\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "content_length": "Host: {}\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "transfer_encoding": "Host: {}\r\nTransfer-Encoding: chunked, identity\r\n\r\n",
    "folded_line": "Host: {}\r\nX-Long: one\r\n two\r\n\r\n",
    "bare_cr": "Host: {}\r\nX-Odd: one\rtwo\r\n\r\n",
    "blank_before_colon": "Host: {}\r\nContent-Length : 0\r\n\r\n",
    "different_hosts": "Host: {}\r\nHost: other\r\n\r\n",
    "": "Host: {}\r\n\r\n",
}


class Ambiguous(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, *cls.flow.selection).wait_ready())
        cls.answers = {}
        for port in cls.flow.hops:
            for shape, rest in SHAPES.items():
                name = e2e.unique(f"{port}-{shape or 'plain'}")
                cls.answers[name] = shape, port, cls.ask(port, name, rest)
        time.sleep(0.5)
        agent.stop()
        cls.spans = agent.spans()

    @classmethod
    def ask(cls, port, name, rest):
        """The status that the server answered, or 0 where it just closed."""
        place = f"127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(f"GET /other/{name} HTTP/1.1\r\n{rest.format(place)}".encode())
            answer = b""
            while b"\r\n" not in answer:
                part = connection.recv(65536)
                if not part:
                    return 0
                answer += part
        return int(re.match(rb"HTTP/1.\d (\d+)", answer)[1])

    def ends(self, name, port):
        """Of the connection that the test itself made: nginx hands some requests on."""
        server = self.flow.hops[port][1]
        mine = [s for s in self.spans if s.id == name and (
            s.service == server if s.kind == e2e.KIND_SERVER
            else s.attributes["network.peer.port"] == port)]
        return sorted(span.kind for span in mine), mine

    def test_each_is_a_span_at_both_ends_with_what_is_ambiguous_and_its_own_status(self):
        for name, (shape, port, status) in self.answers.items():
            kinds, spans = self.ends(name, port)
            with self.subTest(name=name):
                self.assertEqual(kinds, [e2e.KIND_SERVER, e2e.KIND_CLIENT])
                for span in spans:
                    self.assertEqual(span.attributes.get("flowtrace.http.ambiguous", ""), shape)
                    self.assertEqual(span.attributes.get("http.response.status_code", 0), status)

    def test_the_servers_do_not_agree_on_them(self):
        """Why it is marked: were they of one mind, there would be nothing to smuggle."""
        refused = {}
        for shape, port, status in self.answers.values():
            refused.setdefault(shape, set()).add(status == 400)
        self.assertGreaterEqual(sum(len(minds) > 1 for minds in refused.values()), 2, refused)


if __name__ == "__main__":
    e2e.main()
