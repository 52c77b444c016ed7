#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One connection, 200 requests, three hops: every request is one CLIENT and one SERVER span per
hop, and each chain is one tree."""
import collections
import re
import time

import flowtrace_e2e as e2e

N = 200
EVERY_GONE = 10


class HttpChain(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory).wait_ready())
        cls.begin = time.time_ns()
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", str(N),
                                             "--every-gone", str(EVERY_GONE)))
        shopper.wait()
        cls.finish = time.time_ns()
        cls.truth = e2e.answers_of(shopper)
        time.sleep(0.5)
        cls.exit_status = agent.stop()
        cls.spans = [s for s in agent.spans() if s.id in cls.truth]
        cls.by_id = {s.span_id: s for s in cls.spans}

    def expected_path(self, span):
        stock = span.attributes.get("server.port") == self.flow.stock_port
        return ("/stock/" if stock else "/orders/") + span.id

    def test_the_agent_ends_with_status_0(self):
        self.assertEqual(self.exit_status, 0)

    def test_every_request_is_one_client_and_one_server_span_per_hop(self):
        self.assertEqual(len(self.truth), N)
        seen = collections.Counter((s.id, s.service, s.kind) for s in self.spans)
        expected = collections.Counter()
        for name in self.truth:
            for client, server in self.flow.hops.values():
                expected[name, client, e2e.KIND_CLIENT] += 1
                expected[name, server, e2e.KIND_SERVER] += 1
        missing, extra = expected - seen, seen - expected
        self.assertFalse(missing or extra, f"missing {list(missing)[:6]} ({len(missing)}), "
                                           f"too many {list(extra)[:6]} ({len(extra)})")

    def test_method_path_and_status_are_those_of_the_request(self):
        for span in self.spans:
            self.assertEqual(span.attributes.get("http.request.method"), "GET", span)
            self.assertEqual(span.path, self.expected_path(span), span)
            self.assertEqual(span.attributes.get("http.response.status_code"),
                             self.truth[span.id]["status"], span)
            self.assertTrue(span.name.startswith("GET /"), span)

    def test_only_a_client_calls_a_404_an_error(self):
        for span in self.spans:
            gone = self.truth[span.id]["status"] == 404
            self.assertEqual(span.error, gone and span.kind == e2e.KIND_CLIENT, span)

    def test_times_lie_within_those_of_the_clients_own_clock(self):
        slack = 2_000_000
        for span in self.spans:
            truth = self.truth[span.id]
            self.assertLess(span.start, span.end, span)
            self.assertGreaterEqual(span.start, truth["start_ns"] - slack, span)
            self.assertLessEqual(span.end, truth["end_ns"] + 50_000_000, span)

    def test_a_child_never_starts_before_its_parent(self):
        for span in self.spans:
            if span.parent_id in self.by_id:
                self.assertGreaterEqual(span.start, self.by_id[span.parent_id].start, span)

    def test_each_chain_is_one_tree(self):
        for name in self.truth:
            spans = [s for s in self.spans if s.id == name]
            self.assertEqual(len({s.trace_id for s in spans}), 1, name)
            order = [(s, k) for hop in self.flow.hops.values()
                     for s, k in zip(hop, (e2e.KIND_CLIENT, e2e.KIND_SERVER))]
            parent = ""
            for service, kind in order:
                span = next(s for s in spans if (s.service, s.kind) == (service, kind))
                self.assertEqual(span.parent_id, parent, f"{span} of {spans}")
                parent = span.span_id

    def test_ids_have_their_form_and_are_unique(self):
        self.assertEqual(len(self.by_id), len(self.spans))
        for span in self.spans:
            self.assertTrue(re.fullmatch(r"[0-9a-f]{32}", span.trace_id), span)
            self.assertTrue(re.fullmatch(r"[0-9a-f]{16}", span.span_id), span)
        self.assertEqual(len({s.trace_id for s in self.spans}), N)

    def test_resources_name_the_process(self):
        for span in self.spans:
            self.assertEqual(span.resource.get("os.type"), "linux", span)
            self.assertEqual(span.resource.get("telemetry.distro.name"), "flowtrace", span)
            self.assertIn("host.name", span.resource, span)
            self.assertIn("process.executable.path", span.resource, span)
            self.assertGreater(span.resource.get("process.pid", 0), 1, span)


if __name__ == "__main__":
    e2e.main()
