#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many connections: no span ever has the parent of another request, and at a stated offered rate
every request has both its spans at every hop. Unknown parents are allowed; they are counted and
printed. The truth is the client's own count, and ids that the services hand on in their paths."""
import collections
import time

import flowtrace_e2e as e2e

RATE = 200
SECONDS = 10
OPERATIONS_PER_REQUEST = 12  # three hops, two ends, one send and one receive
FOREIGN_FACTOR = 3


class Load:
    """What holds at any load."""

    connections = 0
    rate = RATE
    requests = RATE * SECONDS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory).wait_ready())
        shopper = cls.keep(e2e.start_shopper(
            cls.directory, cls.flow.port, "--requests", str(cls.requests),
            "--rate", str(cls.rate), "--connections", str(cls.connections)))
        begin = time.monotonic()
        shopper.wait()
        cls.seconds = time.monotonic() - begin
        cls.truth = e2e.answers_of(shopper)
        time.sleep(0.5)
        agent.stop()
        cls.totals = agent.totals()
        spans = agent.spans()
        cls.spans = [s for s in spans if s.id in cls.truth]
        cls.by_id = {s.span_id: s for s in spans}

    def test_no_span_has_the_parent_of_another_request(self):
        wrong = [(s, self.by_id[s.parent_id]) for s in self.spans
                 if s.parent_id in self.by_id and self.by_id[s.parent_id].id != s.id]
        unseen = [s for s in self.spans if s.parent_id and s.parent_id not in self.by_id]
        roots = collections.Counter(
            f"{s.service} {'client' if s.kind == e2e.KIND_CLIENT else 'server'}"
            for s in self.spans if not s.parent_id and s.service != "shopper")
        evidence = collections.Counter(s.evidence for s in self.spans)
        print(f"unknown parents {dict(roots)}, evidence {dict(evidence)} ... ", end="")
        self.assertFalse(wrong, f"{len(wrong)} wrong parents, such as {wrong[:2]}")
        self.assertFalse(unseen, f"{len(unseen)} parents that no span has, as of {unseen[:2]}")

    def test_a_trace_holds_one_request_only(self):
        ids = collections.defaultdict(set)
        for span in self.spans:
            ids[span.trace_id].add(span.id)
        mixed = [names for names in ids.values() if len(names) > 1]
        self.assertFalse(mixed, f"{len(mixed)} mixed traces")


class OfferedLoad(Load):
    """What holds besides at a rate that the programs and the agent can carry. The agent sees the
    whole host: where others filled its ring meanwhile, completeness cannot be judged."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        lost, seen = cls.totals["operations_ring_full"], cls.totals["operations"]
        own = OPERATIONS_PER_REQUEST * len(cls.truth)
        if lost and seen > FOREIGN_FACTOR * own:
            raise e2e.unittest.SkipTest(
                f"{seen} operations on this host, of which {own} are the test's own")

    def test_the_client_offered_the_stated_rate(self):
        self.assertGreaterEqual(len(self.truth), RATE * SECONDS)
        self.assertGreater(len(self.truth) / self.seconds, RATE * 0.8)

    def test_every_request_has_both_spans_at_every_hop(self):
        seen = collections.Counter((s.id, s.service, s.kind) for s in self.spans)
        wanted = [(service, kind) for hop in self.flow.hops.values()
                  for service, kind in zip(hop, (e2e.KIND_CLIENT, e2e.KIND_SERVER))]
        wrong = {(service, kind): sum(seen[name, service, kind] != 1 for name in self.truth)
                 for service, kind in wanted}
        print(f"{len(self.truth)} requests at {len(self.truth) / self.seconds:.0f}/s, "
              f"{len(self.spans)} spans ... ", end="")
        self.assertFalse(any(wrong.values()), f"not exactly one span: {wrong}; lost: "
                         f"{ {k: v for k, v in self.totals.items() if v and 'ring' in k} }")

    def test_both_ends_of_a_connection_meet(self):
        servers = [s for s in self.spans if s.kind == e2e.KIND_SERVER]
        apart = [s for s in servers if not s.parent_id]
        self.assertFalse(apart, f"{len(apart)} of {len(servers)} server spans without their client")


class LoadOf16Connections(OfferedLoad, e2e.Case):
    connections = 16


class LoadOf64Connections(OfferedLoad, e2e.Case):
    connections = 64


class Saturation(Load, e2e.Case):
    """64 connections as fast as answers come."""

    connections = 64
    rate = 0
    requests = 6400


if __name__ == "__main__":
    e2e.main()
