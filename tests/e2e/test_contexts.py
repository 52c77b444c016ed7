#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Contexts that requests carry, as the libraries of their formats encode them, through a real flow:
nginx hands the client's headers on to orders, which calls stock without them."""
import http.client
import time

import flowtrace_e2e as e2e

ENCODED = e2e.ROOT / "tests" / "agent" / "span" / "encoders" / "contexts.tsv"


def read_encoded():
    """What to call it, the ids that the library meant, whether it is sampled, and the headers."""
    for n, line in enumerate(ENCODED.read_text().splitlines()):
        library, trace_id, span_id, sampled, *headers = line.split("\t")
        yield (e2e.unique(f"{library}-{n}"), trace_id, span_id, sampled == "1",
               dict(header.split(": ", 1) for header in headers))


class Contexts(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.encoded = list(read_encoded())
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, "--set", "context.baggage_keys=tenant",
                                   *cls.flow.selection).wait_ready())
        client = http.client.HTTPConnection("127.0.0.1", cls.flow.port, timeout=30)
        for name, _, _, _, headers in cls.encoded:
            cls.ask(client, name, headers)
        cls.extra = e2e.unique("extra")
        cls.ask(client, cls.extra, {
            "TraceParent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
            "baggage": "user=alice,tenant=7;secret"})
        cls.broken = e2e.unique("broken")
        cls.ask(client, cls.broken, {"traceparent": "00-zz", "b3": "nonsense"})
        cls.denied = [e2e.unique("denied"), e2e.unique("denied")]
        cls.ask(client, cls.denied[0], {"b3": "0"})
        cls.ask(client, cls.denied[1], {"X-B3-Sampled": "0"})
        cls.debug = e2e.unique("debug")
        cls.ask(client, cls.debug, {"b3": "d"})
        client.close()
        time.sleep(0.5)
        agent.stop()
        cls.totals = agent.totals()
        cls.spans = {}
        for span in agent.spans():
            cls.spans.setdefault(span.id, []).append(span)

    @classmethod
    def ask(cls, client, name, headers):
        client.request("GET", f"/orders/{name}", headers=headers)
        client.getresponse().read()

    def hop(self, name, port):
        """The CLIENT and the SERVER span of one hop."""
        clients, servers = (
            [s for s in self.spans[name] if s.kind == e2e.KIND_CLIENT and
             s.attributes["network.peer.port"] == port],
            [s for s in self.spans[name] if s.kind == e2e.KIND_SERVER and
             s.service == self.flow.hops[port][1]])
        self.assertEqual((len(clients), len(servers)), (1, 1), name)
        return clients[0], servers[0]

    def test_under_a_context_both_ends_are_its_children_and_the_server_links_the_client(self):
        sampled = [e for e in self.encoded if e[3]]
        self.assertGreater(len(sampled), 40)
        for name, trace_id, span_id, _, _ in sampled:
            for port in (self.flow.port, self.flow.orders_port):
                client, server = self.hop(name, port)
                for span in (client, server):
                    self.assertEqual((span.trace_id, span.parent_id, span.flags & 1, span.evidence),
                                     (trace_id, span_id, 1, "header"), name)
                self.assertEqual(server.links, [client.span_id], name)
                self.assertEqual(client.links, [], name)

    def test_what_such_a_request_causes_is_in_the_same_trace(self):
        for name, trace_id, _, sampled, _ in self.encoded:
            if sampled:
                for span in self.hop(name, self.flow.stock_port):
                    self.assertEqual(span.trace_id, trace_id, name)

    def test_what_is_not_sampled_is_counted_and_not_exported(self):
        dropped = [e for e in self.encoded if not e[3]]
        names = [name for name, *_ in dropped] + self.denied
        self.assertFalse([name for name in names if name in self.spans])
        self.assertEqual(self.totals["exchanges_unsampled"], 6 * len(names))

    def test_a_decision_to_sample_without_ids_is_no_context(self):
        client, server = self.hop(self.debug, self.flow.port)
        self.assertEqual((client.parent_id, server.parent_id, server.flags & 1),
                         ("", client.span_id, 1))

    def test_tracestate_travels_on_and_of_the_baggage_only_what_is_wanted(self):
        for port in (self.flow.port, self.flow.orders_port):
            for span in self.hop(self.extra, port):
                self.assertEqual(span.trace_state, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
                self.assertEqual({k: v for k, v in span.attributes.items()
                                  if k.startswith("baggage.")}, {"baggage.tenant": "7"})
                self.assertNotIn("alice", str(span.attributes))

    def test_invalid_contexts_are_counted_and_the_request_is_traced_all_the_same(self):
        client, server = self.hop(self.broken, self.flow.port)
        self.assertEqual((client.parent_id, server.parent_id), ("", client.span_id))
        self.assertEqual(self.totals["contexts_invalid"], 8)  # two headers, two hops, two ends


if __name__ == "__main__":
    e2e.main()
