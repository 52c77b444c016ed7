#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Backends that go away and come back: Jaeger is stopped and started again, a Kafka broker is killed
and started again, and nothing is lost up to the bound of the queue. One that never answers delays
no other, and what its queue cannot hold is lost under that name."""
import re
import socket
import time

import flowtrace_e2e as e2e

e2e.use_otlp_python()

# pylint: disable=wrong-import-position
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

from jaeger_e2e import Jaeger
from kafka_e2e import Kafka
from scripted_backend import GrpcBackend, HttpBackend

N = 40


def states_of(page):
    """index of an exporter -> its states, from a page of metrics"""
    states = {}
    for index, state, n in re.findall(
            r'^flowtrace_exporter_spans\{.*index="(\d+)",state="(\w+)"\} (\d+)$', page,
            re.MULTILINE):
        states.setdefault(int(index), {})[state] = int(n)
    return states


def ids_in(topic_messages):
    ids = []
    for _, value in topic_messages:
        request = service.ExportTraceServiceRequest.FromString(value)
        ids += [span.span_id.hex() for resource in request.resource_spans
                for scope in resource.scope_spans for span in scope.spans]
    return ids


class Restart(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kafka = cls.keep(Kafka(cls.directory))
        cls.jaeger = cls.keep(Jaeger(cls.directory))
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, *cls.flow.selection, "--set", "drain.timeout=20s", "--set", "send.timeout=3s",
            exports=[f"file:{cls.directory}/agent.jsonl", f"otlp:{cls.jaeger.endpoint}",
                     f"kafka:{cls.kafka.brokers()}"]).wait_ready())
        cls.truth = [cls.shop("before")]
        e2e.wait_until(lambda: cls.delivered() == [6 * N] * 3, "the first spans at the backends")
        cls.stored = {s.trace_id: cls.jaeger.trace(s.trace_id).keys() for s in cls.agent.spans()}
        cls.jaeger.stop()
        # In the middle of the load, and without a chance to finish anything.
        load = cls.start("meanwhile", "--rate", str(N / 2))
        time.sleep(0.5)
        cls.kafka.stop()
        load.wait()
        cls.truth.append(e2e.answers_of(load))
        e2e.wait_until(lambda: cls.delivered()[0] == 12 * N, "the spans in the file")
        cls.waiting = states_of(cls.agent.metrics())
        cls.health = e2e.http_get(f"http://127.0.0.1:{cls.agent.status_port}/healthz")
        cls.jaeger.start()
        cls.kafka.start()
        cls.truth.append(cls.shop("after"))
        e2e.wait_until(lambda: cls.delivered() == [18 * N] * 3, "all spans at the backends", 30)
        cls.agent.stop()
        cls.spans = cls.agent.spans()

    @classmethod
    def start(cls, name, *arguments):
        return cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", str(N),
                                          *arguments, name=name))

    @classmethod
    def shop(cls, name):
        shopper = cls.start(name)
        shopper.wait()
        return e2e.answers_of(shopper)

    @classmethod
    def delivered(cls):
        return [states["delivered"] for states in states_of(cls.agent.metrics()).values()]

    def of_phase(self, phase):
        return [s for s in self.spans if s.id in self.truth[phase]]

    def test_the_client_caused_six_spans_with_each_request(self):
        for phase in range(3):
            self.assertEqual(len(self.of_phase(phase)), 6 * N)

    def test_spans_waited_while_their_backend_was_away(self):
        self.assertEqual(self.waiting[0]["delivered"], 12 * N)
        self.assertEqual(self.waiting[1]["queued"], 6 * N)
        self.assertGreater(self.waiting[2]["queued"], 0)
        self.assertEqual(self.health[0], 503)
        self.assertIn(f"exporter otlp (index 1, {self.jaeger.endpoint}) cannot deliver",
                      self.health[1].splitlines())

    def test_jaeger_had_those_before_and_has_all_of_the_rest(self):
        for s in self.of_phase(0):
            self.assertIn(s.span_id, self.stored[s.trace_id])
        later = self.of_phase(1) + self.of_phase(2)
        for trace_id in {s.trace_id for s in later}:
            wanted = {s.span_id for s in later if s.trace_id == trace_id}
            e2e.wait_until(lambda: self.jaeger.trace(trace_id).keys() == wanted,
                           f"trace {trace_id} in Jaeger")

    def test_the_topic_holds_exactly_these_spans(self):
        wanted = sorted(s.span_id for s in self.spans)
        found = sorted(ids_in(self.kafka.messages("otlp_spans")))
        print(f"{len(wanted)} spans, {len(found) - len(set(found))} twice ... ", end="")
        self.assertEqual(sorted(set(found)), wanted)

    def test_what_came_before_and_after_came_once(self):
        found = ids_in(self.kafka.messages("otlp_spans"))
        for s in self.of_phase(0) + self.of_phase(2):
            self.assertEqual(found.count(s.span_id), 1)

    def test_nothing_is_lost_and_the_agent_says_so(self):
        lines = re.findall(r"exporter \w+: (\d+) spans offered, delivered (\d+)(.*)",
                           self.agent.errors())
        self.assertEqual(lines, [(str(18 * N), str(18 * N), "")] * 3)


class Moved(e2e.Case):
    """The backends' name leads elsewhere while the agent runs, in a mount namespace of its own with
    its own /etc/hosts."""

    NAME, OLD, NEW = "collector.flowtrace.test", "127.0.0.1", "127.0.0.2"
    KINDS = {"otlp": GrpcBackend, "otlp_http": HttpBackend}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.hosts = cls.directory / "hosts"
        cls.lead_to(cls.OLD)
        old = {kind: backend(host=cls.OLD) for kind, backend in cls.KINDS.items()}
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        exports = [f"file:{cls.directory}/agent.jsonl"]
        exports += [f"{kind}:http://{cls.NAME}:{backend.port}" for kind, backend in old.items()]
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, *cls.flow.selection, exports=exports, prefix=[
                "unshare", "--mount", "sh", "-c",
                f"mount --bind {cls.hosts} /etc/hosts && exec \"$@\"", "sh"]).wait_ready())
        cls.shop("before")
        cls.all_arrived(old)
        cls.before = {kind: backend.ids() for kind, backend in old.items()}
        for backend in old.values():
            backend.stop()
        cls.lead_to(cls.NEW)
        new = {kind: cls.KINDS[kind](backend.port, cls.NEW) for kind, backend in old.items()}
        cls.shop("after")
        cls.all_arrived(new)
        for backend in new.values():
            backend.stop()
        cls.after = {kind: backend.ids() for kind, backend in new.items()}
        cls.agent.stop()
        cls.ids = sorted(s.span_id for s in cls.agent.spans())

    @classmethod
    def lead_to(cls, address):
        cls.hosts.write_text(f"127.0.0.1 localhost\n{address} {cls.NAME}\n")

    @classmethod
    def shop(cls, name):
        cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", str(N),
                                   name=name)).wait()

    @classmethod
    def all_arrived(cls, backends):
        for kind, backend in backends.items():
            e2e.wait_until(lambda b=backend: len(b.ids()) == 6 * N, f"all spans by {kind}", 30)

    def test_the_name_is_asked_for_again(self):
        self.assertEqual(len(self.ids), 12 * N)
        for kind in self.KINDS:
            self.assertEqual(sorted(self.before[kind] + self.after[kind]), self.ids)


class Silence(e2e.Case):
    """One exporter after the other whose backend never says a word, and a file behind them."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
        ports = [listener.getsockname()[1] for listener in listeners]
        cls.labels = [f"otlp (index 0, http://127.0.0.1:{ports[0]})",
                      f"otlp_http (index 1, http://127.0.0.1:{ports[1]})",
                      f"kafka (index 2, 127.0.0.1:{ports[2]})"]
        for listener in listeners:
            cls.stack.callback(listener.close)
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, *cls.flow.selection, "--set", "queue.bytes=64KiB",
            "--set", "batch.age=20ms", "--set", "drain.timeout=500ms",
            exports=[f"otlp:http://127.0.0.1:{ports[0]}", f"otlp_http:http://127.0.0.1:{ports[1]}",
                     f"kafka:127.0.0.1:{ports[2]}",
                     f"file:{cls.directory}/agent.jsonl"]).wait_ready())
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", "200",
                                             "--rate", "100"))
        shopper.wait()
        e2e.wait_until(lambda: states_of(cls.agent.metrics())[3]["delivered"] == 1200,
                       "all spans in the file")
        cls.states = states_of(cls.agent.metrics())
        cls.health = e2e.http_get(f"http://127.0.0.1:{cls.agent.status_port}/healthz")
        cls.agent.stop()

    def test_the_silent_ones_delay_no_other(self):
        self.assertEqual(len(self.agent.spans()), 1200)

    def test_what_a_full_queue_cannot_hold_is_lost_under_that_name(self):
        for index in range(3):
            states = self.states[index]
            self.assertEqual(states["delivered"], 0)
            self.assertGreater(states["queued"], 0)
            self.assertGreater(states["lost_queue_full"], 0)
            self.assertEqual(states["queued"] + states["lost_queue_full"], 1200)

    def test_health_names_each_exporter_that_loses_spans(self):
        self.assertEqual(self.health, (503, "".join(
            f"exporter {label} loses spans: its queue is full\n" for label in self.labels)))

    def test_a_full_queue_is_logged_once_a_minute_with_the_exporters_place_and_host(self):
        said = re.findall(r"exporter (.*): the queue is full: (\d+) spans are lost",
                          self.agent.errors())
        self.assertEqual(sorted(label for label, _ in said), sorted(self.labels))
        for index, label in enumerate(self.labels):
            self.assertLess(int(dict(said)[label]), self.states[index]["lost_queue_full"])

    def test_the_agent_stops_all_the_same_and_counts_what_was_queued(self):
        undelivered = [int(n) for n in re.findall(r"lost_undelivered (\d+)", self.agent.errors())]
        self.assertEqual(undelivered, [self.states[index]["queued"] for index in range(3)])


if __name__ == "__main__":
    e2e.main()
