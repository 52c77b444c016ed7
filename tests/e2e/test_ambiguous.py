#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that two servers may read differently, sent to nginx, Apache, HAProxy, Node, Go and
Python: each is a span at both ends, marked with what is odd, and with the status that its server
answered; and so is the request behind it, where the end of the first is known."""
import collections
import concurrent.futures
import time

import flowtrace_e2e as e2e
import servers_e2e

CHUNKED, GET, POST = "Transfer-Encoding: chunked\r\n\r\n", "GET {} HTTP/1.1", "POST {} HTTP/1.1"

# What the span says -> requests: the first line, and all behind its CR LF and "Host: shop" CR LF.
FRAMED = {
    "": [(GET, "\r\n"), (POST, "Content-Length: 3\r\n\r\nabc"), (POST, CHUNKED + "3;a=b\r\nabc\r\n"
                                                              "0\r\nA: b\r\n\r\n"),
         ("GET {} HTTP/1.9", "\r\n")],
    "blanks_in_request_line": [
        (line, "\r\n") for line in (
            "GET  {} HTTP/1.1", "GET {}   HTTP/1.1", "GET {} HTTP/1.1 ", "GET\t{}\tHTTP/1.1",
            "GET \t{} HTTP/1.1", "GET\v{} HTTP/1.1", "GET {} HTTP/1.1\t", " GET {} HTTP/1.1",
            "GET {} b HTTP/1.1", "GET {}\x01 HTTP/1.1", "GET {} HTTP/1.1\rA: b")],
    "http_version": [
        (f"GET {{}} {version}", "\r\n") for version in (
            "HTTP/1.10", "HTTP/1.x", "HTTP/1.", "HTTP/01.1", "HTTP/1.01", "HTTP/11", "HTTP/2.0",
            "http/1.1", "HTTP")],
    "header_name": [(GET, f"{line}\r\n\r\n") for line in (
        "nonsense", ": v", "A(b: v", "A b: v", "A\x01b: v")] + [(POST, CHUNKED + "0\r\nx\r\n\r\n")],
    "blank_before_colon": [(GET, "A : b\r\n\r\n"), (GET, "A\t: b\r\n\r\n"),
                           (GET, "Content-Length : 0\r\n\r\n")],
    "bare_lf": [(GET, "A: b\nC: d\r\n\r\n"), (GET, "A: b\r\n\n"), (POST, CHUNKED + "0\r\n\n")],
    "bare_cr": [(GET, "A: b\rc\r\n\r\n"), (GET, "A: b\r\r\n\r\n"),
                (POST, CHUNKED + "3;a\rb\r\nabc\r\n0\r\n\r\n"),
                (POST, CHUNKED + "3\r\r\nabc\r\n0\r\n\r\n")],
    "folded_line": [(GET, "A: b\r\n c\r\n\r\n")],
    "different_hosts": [(GET, "Host: other\r\n\r\n")],
    "chunk_without_cr": [(POST, CHUNKED + "3\nabc\r\n0\r\n\r\n"),
                         (POST, CHUNKED + "3;a\nabc\r\n0\r\n\r\n")],
    "blank_in_chunk_size": [(POST, CHUNKED + f"3{blank}\r\nabc\r\n0\r\n\r\n")
                            for blank in (" ", "\t", " ;a=b")],
    "chunk_end": [(POST, CHUNKED + "3\r\nabc\n0\r\n\r\n")],
    "transfer_encoding_and_content_length": [(POST, "Content-Length: 5\r\n" + CHUNKED +
                                              "0\r\n\r\n")],
    "transfer_encoding_in_http_1.0": [("POST {} HTTP/1.0", CHUNKED + "0\r\n\r\n")],
}
UNFRAMED = {
    "content_length": [(POST, f"{lines}\r\n\r\nabc") for lines in (
        "Content-Length: 3\r\nContent-Length: 4", "Content-Length: 3, 4", "Content-Length: +3",
        "Content-Length: 0x3", "Content-Length:")],
    "transfer_encoding": [(POST, f"Transfer-Encoding: {value}\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
                          for value in ("chunked, identity", "xchunked", "\vchunked", '"chunked"',
                                        "chunked;a=b", "")],
    "chunk_size": [(POST, CHUNKED + f"{size}\r\nabc\r\n0\r\n\r\n") for size in (
        " 3", "+3", "-3", "0x3", "10000000000000003", "8000000000000000", "", "1_0")],
    "chunk_end": [(POST, CHUNKED + f"3\r\nabc{end}0\r\n\r\n") for end in ("", "XX", "def\r\n")],
}

Asked = collections.namedtuple("Asked", "server mark framed name shape statuses")


class Ambiguous(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.servers = servers_e2e.Servers(cls)
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set",
            "select.ports=" + ",".join(map(str, cls.servers.ports.values()))).wait_ready())
        shapes = [(server, mark, framed, shape) for framed, table in ((True, FRAMED),
                                                                      (False, UNFRAMED))
                  for mark, shapes in table.items() for shape in shapes
                  for server in servers_e2e.NAMES]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            cls.asked = list(pool.map(cls.ask, *zip(*shapes)))
        time.sleep(0.5)
        agent.stop()
        cls.spans, cls.totals = collections.defaultdict(list), agent.totals()
        for span in agent.spans():
            url = span.attributes.get("url.full", "") + span.attributes.get("url.path", "")
            cls.spans[span.kind, url.rpartition("/")[2].split(" ")[0].strip("\x01")].append(span)

    @classmethod
    def ask(cls, server, mark, framed, shape):
        """The request, and behind it a plain one, in one write; but none where Python's server may
        take the first for one of HTTP/0.9, and answer without a status."""
        name = e2e.unique("odd")
        line, rest = shape
        requests = f"{line.format(f'/echo/{name}')}\r\nHost: shop\r\n{rest}"
        if (server, mark) != ("python", "http_version") and "\rA" not in line:
            requests += f"GET /echo/{name}-next HTTP/1.1\r\nHost: shop\r\n\r\n"
        statuses = servers_e2e.statuses(cls.servers.ports[server], requests.encode("latin-1"))
        return Asked(server, mark, framed, name, line + rest, statuses)

    def ends(self, name):
        return [self.spans[kind, name] for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER)]

    def test_each_is_a_span_at_both_ends_with_what_is_odd_and_its_own_status(self):
        print(f"{len(self.asked)} requests ... ", end="")
        for asked in self.asked:
            with self.subTest(asked=asked):
                for spans in self.ends(asked.name):
                    self.assertEqual(len(spans), 1)
                    attributes = spans[0].attributes
                    self.assertEqual(attributes.get("flowtrace.http.ambiguous", ""), asked.mark)
                    self.assertEqual(attributes.get("http.response.status_code"),
                                     asked.statuses[0] if asked.statuses else None)

    def test_the_request_behind_one_whose_end_is_known_has_its_own_answer(self):
        n = 0
        for asked in self.asked:
            if not asked.framed or len(asked.statuses) < 2:
                continue
            n += 1
            with self.subTest(asked=asked):
                for spans in self.ends(f"{asked.name}-next"):
                    self.assertEqual([s.attributes.get("http.response.status_code")
                                      for s in spans], [asked.statuses[1]])
        print(f"{n} requests ... ", end="")
        self.assertGreater(n, 60)

    def test_no_request_behind_one_without_a_known_end_has_an_answer_that_it_did_not_get(self):
        for asked in self.asked:
            for span in self.spans[e2e.KIND_CLIENT, f"{asked.name}-next"]:
                with self.subTest(asked=asked):
                    self.assertIn(span.attributes.get("http.response.status_code"),
                                  [None, *asked.statuses[1:2]])

    def test_the_servers_do_not_agree_on_them(self):
        """Why it is marked: were they of one mind, there would be nothing to smuggle."""
        minds = collections.defaultdict(lambda: collections.defaultdict(set))
        for asked in self.asked:
            minds[asked.mark][asked.shape].add(asked.statuses[:1] in ([400], [501]))
        one_mind = [mark for mark, shapes in minds.items()
                    if mark and all(len(m) == 1 for m in shapes.values())]
        self.assertEqual(one_mind, [])


if __name__ == "__main__":
    e2e.main()
