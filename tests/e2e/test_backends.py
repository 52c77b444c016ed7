#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One run, six ways: a real Jaeger holds exactly the spans that the client caused by gRPC in plain
text, over TLS and mutual TLS, by HTTP as JSON and as compressed protobuf over mutual TLS, and from
the topic of a real Kafka broker. None of these connections is traced at either end."""
import re
import time

import flowtrace_e2e as e2e
from jaeger_e2e import WAYS, Jaeger
from kafka_e2e import Kafka

N = 50


class EveryWay(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        certificates = e2e.make_certificates(cls.directory)
        cls.kafka = cls.keep(Kafka(cls.directory))
        cls.jaeger = cls.keep(Jaeger(cls.directory, certificates, cls.kafka.brokers()))
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        # Nothing is timed here: on a busy machine the first message to a new broker takes seconds.
        cls.agent = cls.keep(e2e.Agent(cls.directory, "--set", "drain.timeout=60s",
                                       exports=cls.exports(certificates)).wait_ready())
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", str(N)))
        shopper.wait()
        time.sleep(1)
        cls.exit_status = cls.agent.stop(90)
        cls.truth = e2e.answers_of(shopper)
        cls.spans = cls.agent.spans()
        cls.flow_spans = [s for s in cls.spans if s.id in cls.truth]

    @classmethod
    def exports(cls, certificates):
        ports = cls.jaeger.ports
        ca, client = f";ca={certificates}/ca.pem", (f";certificate={certificates}/client.pem"
                                                    f";key={certificates}/client.key")
        return [f"file:{cls.directory}/agent.jsonl",
                f"otlp:http://127.0.0.1:{ports['grpc']}",
                f"otlp:https://localhost:{ports['grpc_tls']}{ca};compression=gzip",
                f"otlp:https://127.0.0.1:{ports['grpc_mtls']}{ca}{client}",
                f"otlp_http:http://127.0.0.1:{ports['http']};encoding=json",
                f"otlp_http:https://127.0.0.1:{ports['http_mtls']}{ca}{client};compression=gzip",
                f"kafka:{cls.kafka.brokers()}"]

    def test_the_agent_ends_with_status_0(self):
        self.assertEqual(self.exit_status, 0)

    def test_the_client_caused_six_spans_with_each_request(self):
        self.assertEqual(len(self.truth), N)
        self.assertEqual(len(self.flow_spans), 6 * N)

    def test_each_way_holds_exactly_these_spans_once(self):
        for trace_id in {s.trace_id for s in self.flow_spans}:
            wanted = sorted(s.span_id for s in self.flow_spans if s.trace_id == trace_id)

            def whole():
                found = self.jaeger.spans_by_way(trace_id)
                return sum(map(len, found.values())) >= len(WAYS) * len(wanted) and found
            found = e2e.wait_until(whole, f"trace {trace_id} by each way", 30)
            self.assertEqual({way: sorted(ids) for way, ids in found.items()},
                             dict.fromkeys(WAYS, wanted))

    def test_every_exporter_delivered_everything(self):
        lines = re.findall(r"exporter (\w+): (\d+) spans offered, delivered (\d+)(.*)",
                           self.agent.errors())
        self.assertEqual(len(lines), len(WAYS) + 1)
        for line in lines:
            self.assertEqual((line[1], line[3]), (line[2], ""), line)

    def test_no_export_is_traced_at_either_end(self):
        ports = {*self.jaeger.ports.values(), *self.kafka.ports.values()}
        pid = self.agent.process.pid
        own = [s for s in self.spans if s.resource["process.pid"] == pid or
               {s.attributes.get("server.port"), s.attributes.get("network.peer.port")} & ports]
        self.assertFalse(own)
        self.assertGreater(self.agent.totals()["operations_own"], 0)


if __name__ == "__main__":
    e2e.main()
