#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spans sent over OTLP/gRPC to a real Jaeger come back from its query API as the same tree; the
agent's export connection, and the receiver's end of it, are not traced."""
import time

import flowtrace_e2e as e2e
from jaeger_e2e import Jaeger

N = 50


class ToJaeger(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.jaeger = cls.keep(Jaeger(cls.directory))
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        path = cls.directory / "agent.jsonl"
        cls.agent = agent = cls.keep(e2e.Agent(cls.directory, exports=[
            f"file:{path}", f"otlp:{cls.jaeger.endpoint}"]).wait_ready())
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", str(N)))
        shopper.wait()
        time.sleep(2)
        cls.exit_status = agent.stop()
        cls.totals = agent.totals()
        cls.truth = e2e.answers_of(shopper)
        cls.spans = agent.spans()
        cls.flow_spans = [s for s in cls.spans if s.id in cls.truth]

    def same(self, span, found):
        parent = next((r["spanID"] for r in found["references"] if r["refType"] == "CHILD_OF"), "")
        self.assertEqual(found["operationName"], span.name)
        self.assertEqual(found["service"], span.service)
        self.assertEqual(parent, span.parent_id)
        self.assertEqual(found["startTime"], span.start // 1000)
        self.assertEqual(found["tags"].get("span.kind"),
                         "server" if span.kind == e2e.KIND_SERVER else "client")
        self.assertEqual(found["tags"].get("http.response.status_code"),
                         span.attributes["http.response.status_code"])

    def test_the_agent_ends_with_status_0(self):
        self.assertEqual(self.exit_status, 0)

    def test_jaeger_shows_the_same_trees(self):
        self.assertEqual(len(self.flow_spans), 6 * N)
        found = {}
        for trace_id in {s.trace_id for s in self.flow_spans}:
            wanted = {s.span_id for s in self.flow_spans if s.trace_id == trace_id}
            found |= e2e.wait_until(
                lambda: (trace := self.jaeger.trace(trace_id)).keys() >= wanted and trace,
                f"trace {trace_id} in Jaeger")
        for span in self.flow_spans:
            self.same(span, found[span.span_id])

    def test_jaeger_knows_the_services(self):
        services = self.jaeger.query("services")
        for service in ("shopper", "nginx", "orders", "stock"):
            self.assertIn(service, services)

    def test_the_export_is_not_traced_at_either_end(self):
        port = self.jaeger.otlp_port
        pids = self.jaeger.process.pid, self.agent.process.pid
        own = [s for s in self.spans if s.resource["process.pid"] in pids or port in (
            s.attributes.get("server.port"), s.attributes.get("network.peer.port"))]
        self.assertFalse(own)

    def test_the_export_is_counted_as_the_agents_own(self):
        self.assertGreater(self.totals["operations_own"], 0)


if __name__ == "__main__":
    e2e.main()
