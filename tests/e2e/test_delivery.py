#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backends that answer by a script: each status, RetryInfo and Retry-After, partial successes, half
answers, stalls and resets, by gRPC and by HTTP, side by side at one agent. Every span is delivered,
once, or lost under the name that the answer gives it, and at every scrape in between
spans made = batched + delivered + queued + named losses, for each exporter."""
import re
import threading
import time

import flowtrace_e2e as e2e

e2e.use_otlp_python()

from scripted_backend import GrpcBackend, HttpBackend, Relay  # pylint: disable=wrong-import-position

REQUESTS, RATE = 160, 40
BATCH_SPANS = 512

RETRYABLE = ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE", "UNAVAILABLE", "DATA_LOSS"]
FINAL = ["UNKNOWN", "INVALID_ARGUMENT", "NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
         "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "UNIMPLEMENTED", "INTERNAL",
         "UNAUTHENTICATED"]

# name -> the steps of a gRPC backend
GRPC = {
    "plain": [],
    "retryable": [{"status": status} for status in RETRYABLE],
    "throttled": [{"status": "RESOURCE_EXHAUSTED", "delay": 0.7},
                  {"status": "UNAVAILABLE", "delay": 0.4}],
    "final": [{"status": status} for status in FINAL],
    "partial": [{"rejected": 2}, {}, {"rejected": 1}],
    "stalled": [{"stall": 3}],
    "spoiled": [],
    "frozen": [],
    "small": [],
}
HTTP = {
    "http_plain": [],
    "http_retryable": [{"status": status} for status in (429, 502, 503, 504)],
    "http_throttled": [{"status": 503, "delay": 1}],
    "http_final": [{"status": status} for status in (400, 401, 403, 404, 500, 501, 307)],
    "http_partial": [{"rejected": 2}, {}, {"rejected": 1}],
    "http_broken": [{"reset": True}, {"stall": 3}],
    "http_half": [{"half": True}],
    "http_small": [{}, {"status": 413}],
}
# name -> what a relay in front of the backend does to the first connections
SPOILED = {"spoiled": [{"reset": True}, {"garbage": b"HTTP/1.1 400 No\r\n\r\n"}, {"garbage": b"\0" * 99},
                       {"half": 0}, {"half": 60}],
           "frozen": [{"freeze": 500}]}
# name -> the bytes of a request that it takes
LARGEST = {"small": 3000}
# Nothing but a ping without an answer tells that a frozen connection is dead before its minute is over.
OPTIONS = {"spoiled": ";timeout=2s", "frozen": ";timeout=60s;keepalive=500ms", "stalled": ";timeout=500ms", "http_broken": ";timeout=1s",
           "http_partial": ";encoding=json", "http_plain": ";compression=gzip;headers=x-token=t0k",
           "plain": ";compression=gzip;headers=x-token=t0k"}


def parse_exporters(page):
    """spans made, and for each exporter's index its states"""
    made = int(re.search(r"^flowtrace_spans_total (\d+)$", page, re.MULTILINE)[1])
    states = {}
    for index, state, n in re.findall(
            r'^flowtrace_exporter_spans\{.*index="(\d+)",state="(\w+)"\} (\d+)$', page,
            re.MULTILINE):
        states.setdefault(int(index), {})[state] = int(n)
    return made, states


class Scraper(threading.Thread):
    """Reads /metrics until it is told to end."""

    def __init__(self, agent):
        super().__init__(daemon=True)
        self.agent, self.pages, self.ending = agent, [], threading.Event()
        self.start()

    def run(self):
        while not self.ending.wait(0.02):
            self.pages.append(parse_exporters(self.agent.metrics()))

    def end(self):
        self.ending.set()
        self.join()


class Scripts(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.backends = {name: GrpcBackend(largest=LARGEST.get(name, 4 << 20)) for name in GRPC}
        cls.backends |= {name: HttpBackend() for name in HTTP}
        for name, backend in cls.backends.items():
            backend.tell(*(GRPC | HTTP)[name])
            cls.stack.callback(backend.stop)
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        exports = [f"file:{cls.directory}/agent.jsonl"]
        for name, backend in cls.backends.items():
            kind = "otlp" if name in GRPC else "otlp_http"
            front = backend
            if name in SPOILED:
                front = Relay(backend, *SPOILED[name])
                cls.stack.callback(front.stop)
            exports.append(f"{kind}:{front.endpoint}{OPTIONS.get(name, '')}")
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, *cls.flow.selection, "--set", "batch.age=50ms", "--set",
            "drain.timeout=20s", exports=exports).wait_ready())
        scraper = Scraper(cls.agent)
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests",
                                             str(REQUESTS), "--rate", str(RATE)))
        shopper.wait()
        scraper.end()
        cls.pages = scraper.pages
        splits = re.findall(r"^flowtrace_exporter_splits_total\{.*\} (\d+)$", cls.agent.metrics(),
                            re.MULTILINE)
        cls.agent.stop()
        cls.truth = e2e.answers_of(shopper)
        cls.splits = dict(zip(["file", *cls.backends], splits, strict=True))
        cls.ids = sorted(s.span_id for s in cls.agent.spans())
        cls.totals = cls.read_totals()

    @classmethod
    def read_totals(cls):
        """name -> what the agent says at its end"""
        lines = re.findall(r"^  exporter \w+: (\d+) spans offered(.*)$", cls.agent.errors(),
                           re.MULTILINE)
        states = [{"offered": int(offered)} |
                  {state: int(n) for state, n in re.findall(r", (\w+) (\d+)", rest)}
                  for offered, rest in lines]
        return dict(zip(["file", *cls.backends], states, strict=True))

    def delivered_all(self, name):
        """Every span, and, where nothing broke in the middle of an answer, once."""
        self.assertEqual(self.backends[name].ids(), self.ids, name)
        self.assertEqual(self.totals[name], {"offered": len(self.ids), "delivered": len(self.ids)})

    def requests_until(self, name, n):
        """The times at which the first n requests came."""
        return [begin for begin, _, _ in self.backends[name].requests[:n]]

    def test_the_client_caused_six_spans_with_each_request(self):
        self.assertEqual(len(self.truth), REQUESTS)
        self.assertEqual(len(self.ids), 6 * REQUESTS)

    def test_what_can_be_retried_is_delivered_once(self):
        for name in ("plain", "retryable", "throttled", "http_plain", "http_retryable",
                     "http_throttled"):
            with self.subTest(name):
                self.delivered_all(name)

    def test_what_stalled_or_broke_off_is_delivered(self):
        for name in ("stalled", "http_broken"):
            with self.subTest(name):
                self.delivered_all(name)

    def test_what_is_too_large_goes_in_parts_each_span_once(self):
        for name in ("small", "http_small"):
            with self.subTest(name):
                self.delivered_all(name)
                self.assertGreater(int(self.splits[name]), 0)

    def test_what_was_taken_but_not_answered_comes_again_and_nothing_is_lost(self):
        for name in ("spoiled", "frozen", "http_half"):
            with self.subTest(name):
                taken = self.backends[name].ids()
                self.assertEqual(sorted(set(taken)), self.ids)
                self.assertLessEqual(len(taken) - len(self.ids), 2 * BATCH_SPANS)
                self.assertEqual(self.totals[name]["delivered"], len(self.ids))
        self.assertGreater(len(taken), len(self.ids))

    def test_what_is_refused_is_lost_under_that_name_and_the_rest_is_delivered(self):
        for name in ("final", "http_final"):
            with self.subTest(name):
                totals, taken = self.totals[name], self.backends[name].ids()
                self.assertEqual(totals["delivered"], len(taken))
                self.assertGreater(totals["lost_refused"], 0)
                self.assertEqual(totals["delivered"] + totals["lost_refused"], len(self.ids))
                self.assertEqual(len(set(taken)), len(taken))
                self.assertLess(set(taken), set(self.ids))
                steps = len((GRPC | HTTP)[name])
                self.assertFalse(self.backends[name].steps, "every status was given")
                self.assertGreater(len(self.backends[name].requests), steps)

    def test_a_partial_success_counts_what_was_rejected_and_is_not_retried(self):
        for name in ("partial", "http_partial"):
            with self.subTest(name):
                self.assertEqual(self.totals[name]["lost_rejected"], 3)
                self.assertEqual(self.totals[name]["delivered"], len(self.ids) - 3)
                self.assertEqual(len(self.backends[name].ids()), len(self.ids) - 3)

    def test_the_backends_wish_when_to_come_again_is_kept(self):
        first, second, third = self.requests_until("throttled", 3)
        self.assertGreaterEqual(second - first, 0.7)
        self.assertGreaterEqual(third - second, 0.4)
        first, second = self.requests_until("http_throttled", 2)
        self.assertGreaterEqual(second - first, 1)

    def test_headers_and_compression_arrive(self):
        for name in ("plain", "http_plain"):
            headers = {k.lower(): v for k, v in self.backends[name].requests[0][1].items()}
            self.assertEqual(headers["x-token"], "t0k", name)
        self.assertEqual(headers["content-encoding"], "gzip")

    def test_at_every_scrape_spans_made_are_the_sum_of_their_states(self):
        print(f"{len(self.pages)} scrapes ... ", end="")
        self.assertGreater(len(self.pages), 20)
        self.assertTrue(any(0 < made < len(self.ids) for made, _ in self.pages))
        queued = 0
        for made, exporters in self.pages:
            self.assertEqual(len(exporters), len(self.backends) + 1)
            for states in exporters.values():
                self.assertEqual(made, sum(states.values()), states)
                self.assertLessEqual(states["batched"], BATCH_SPANS)
                queued = max(queued, states["queued"])
        self.assertGreater(queued, 0)


if __name__ == "__main__":
    e2e.main()
