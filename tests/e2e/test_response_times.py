#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Of the same capture tshark has the same response times, within its precision of a microsecond: by
http.time, where its dissector has one, else by the times of the frames in which it finds the
request's first byte and the answer's last. (DNS: test_dns.py.)"""
import collections
import time

import flowtrace_e2e as e2e
import stores_e2e as stores

PRECISION_S = 1.5e-6  # two times, each rounded to a microsecond


class Times(e2e.Case):
    N = 40

    def capture(self, port, name, clients):
        capture = self.keep(stores.Capture(self.directory, port, name))
        time.sleep(0.5)  # it says so a little before it does
        clients()
        time.sleep(1)  # until the kernel has handed everything over
        capture.stop()
        return capture

    def spans_of(self, capture):
        out = capture.file.with_suffix(".jsonl")
        stores.run(e2e.AGENT, "pcap", capture.file, "--export", f"file:{out}")
        return e2e.read_spans(out)

    def expect_same(self, spans, theirs, n):
        """Both: seconds by the client's port, in the order of the requests."""
        ours = collections.defaultdict(list)
        for span in sorted(spans, key=lambda s: s.start):
            ours[span.attributes["network.peer.port"]].append((span.end - span.start) / 1e9)
        self.assertEqual(sum(map(len, theirs.values())), n)
        self.assertEqual({p: len(t) for p, t in ours.items()},
                         {p: len(t) for p, t in theirs.items()})
        for port, times in theirs.items():
            for mine, other in zip(ours[port], times, strict=True):
                self.assertAlmostEqual(mine, other, delta=PRECISION_S, msg=f"port {port}")

    def turns(self, capture, protocol, is_request):
        """Where each request waits for its answer: from the first frame of the one to the last of
        the other, by the client's port."""
        frames = capture.read(protocol, "tcp.len > 0", "tcp.srcport", "tcp.dstport",
                              "frame.time_epoch", "tcp.payload")
        open_, times = {}, collections.defaultdict(list)
        for (source,), (destination,), (at,), (payload,) in frames:
            client = int(destination) if int(source) == capture.port else int(source)
            if int(source) != capture.port:
                open_[client] = float(at) if is_request(bytes.fromhex(payload)) else None
                if open_[client]:
                    times[client].append(None)
            elif open_.get(client):
                times[client][-1] = float(at) - open_[client]
        return times

    def test_http_1(self):
        port = e2e.free_port()
        self.keep(e2e.Program(self.directory, "stock", ["node", e2e.SAMPLE / "stock.js", port])
                  ).wait_port(port)
        urls = [f"http://127.0.0.1:{port}/stock/{i}" for i in range(self.N)]
        capture = self.capture(port, "http1", lambda: [
            stores.run("curl", "-s", *urls[i:i + 10]) for i in range(0, self.N, 10)])
        theirs = collections.defaultdict(list)
        for (client,), (seconds,) in capture.read("http", "http.response", "tcp.dstport",
                                                  "http.time"):
            theirs[int(client)].append(float(seconds))
        self.expect_same(self.spans_of(capture), theirs, self.N)

    def test_http_2(self):
        port, root = e2e.free_port(), self.directory / "root"
        root.mkdir()
        (root / "file").write_text("hello\n")
        self.keep(e2e.Program(self.directory, "nghttpd", [
            "nghttpd", "--no-tls", "-d", root, port])).wait_port(port)
        capture = self.capture(port, "http2", lambda: stores.run(
            "h2load", "-n", self.N, "-c", 4, "-m", 5, f"http://127.0.0.1:{port}/file"))
        began, ended = {}, {}
        for (source,), (other,), (at,), types, streams, *_ in capture.read(
                "http2", "http2", "tcp.srcport", "tcp.dstport", "frame.time_epoch", "http2.type",
                "http2.streamid"):
            for kind, stream in zip(types, streams, strict=True):
                key = int(other if int(source) == capture.port else source), int(stream)
                if int(source) == capture.port and kind in ("0", "1"):
                    ended[key] = float(at)
                elif int(source) != capture.port and kind == "1":
                    began[key] = float(at)
        theirs = collections.defaultdict(list)
        for (client, stream), at in sorted(began.items()):
            theirs[client].append((at, stream, ended[client, stream] - at))
        spans = collections.defaultdict(list)
        for span in self.spans_of(capture):
            spans[span.attributes["network.peer.port"]].append((span.end - span.start) / 1e9)
        self.assertEqual(sum(map(len, theirs.values())), self.N)
        self.assertEqual(spans.keys(), theirs.keys())
        for client, times in theirs.items():  # several at once: of equal starts any order will do
            pairs = zip(sorted(spans[client]), sorted(t for *_, t in times), strict=True)
            for mine, other in pairs:
                self.assertAlmostEqual(mine, other, delta=PRECISION_S)

    def test_redis(self):
        server = self.keep(stores.Redis(self.directory))
        capture = self.capture(server.port, "redis", lambda: stores.run(
            "redis-benchmark", "-p", server.port, "-n", self.N // 2, "-c", 4, "-t", "set,get", "-q",
            "--threads", 1))
        spans = [s for s in self.spans_of(capture)
                 if s.attributes.get("db.operation.name") in ("SET", "GET")]
        theirs = self.turns(capture, "resp", lambda payload: payload[4:11] in (b"$3\r\nSET",
                                                                              b"$3\r\nGET"))
        theirs = {port: [t for t in times if t] for port, times in theirs.items()}
        self.expect_same(spans, {p: t for p, t in theirs.items() if t}, self.N)

    def test_postgresql(self):
        server = self.keep(stores.Postgres(self.directory))
        n = self.N // 4
        capture = self.capture(server.port, "postgres", lambda: [
            server.psql(*[a for i in range(n) for a in ("-c", f"SELECT {i}, pg_sleep(0.001)")])
            for _ in range(4)])
        spans = [s for s in self.spans_of(capture) if s.name.startswith("SELECT")]
        theirs = self.turns(capture, "pgsql", lambda payload: payload[:1] == b"Q")
        self.expect_same(spans, theirs, self.N)


if __name__ == "__main__":
    e2e.main()
