#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker with security listeners: SASL/PLAIN, SCRAM, TLS, mutual TLS and both together,
with passwords from files and the environment that nobody sees; a topic that is missing; batches that
the broker finds too large; and a message per trace.

The broker is 3.9.1: librdkafka before 2.6.1 cannot log in to a Kafka 4 by SCRAM."""
import os
import subprocess

import flowtrace_e2e as e2e

e2e.use_otlp_python()

# pylint: disable=wrong-import-position
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as service

from kafka_e2e import PASSWORD, SCRAM_PASSWORD, SCRAM_USER, USER, Kafka

VERSION = "3.9.1"
LIMIT = 20000  # bytes of a message that the broker takes


def spans_of(value):
    request = service.ExportTraceServiceRequest.FromString(value)
    return [span for resource in request.resource_spans for scope in resource.scope_spans
            for span in scope.spans]


class Security(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = e2e.make_certificates(cls.directory)
        cls.kafka = cls.keep(Kafka(cls.directory, cls.certificates, VERSION,
                                   f"message.max.bytes={LIMIT}\n"))
        (cls.directory / "password").write_text(PASSWORD + "\n")

    def check(self, listener, topic, *properties):
        """What `check --export` says of this listener."""
        export = f"kafka:{self.kafka.brokers(listener)};topic={topic}"
        for name in properties:
            export += f";properties+={name}"
        done = subprocess.run(
            [e2e.AGENT, "check", "--export", export, "--set", "send.timeout=8s", "--set",
             "log.level=debug"], capture_output=True, text=True, check=False,
            env={**os.environ, "KAFKA_PASSWORD": SCRAM_PASSWORD})
        for secret in (PASSWORD, SCRAM_PASSWORD):
            self.assertNotIn(secret, done.stdout + done.stderr)
        return done

    def taken(self, listener, topic, *properties):
        done = self.check(listener, topic, *properties)
        self.assertRegex(done.stdout, r"^kafka +ok ", done.stderr)
        self.assertEqual(done.returncode, 0)
        (key, value), = self.kafka.messages(topic)
        self.assertEqual(key, "")
        self.assertEqual([span.name for span in spans_of(value)], ["flowtrace check"])

    def login(self, mechanism, user, password):
        return (f"sasl.mechanism={mechanism}", f"sasl.username={user}",
                f"sasl.password={password}")

    @property
    def plain(self):
        return self.login("PLAIN", USER, f"file:{self.directory}/password")

    @property
    def scram(self):
        return self.login("SCRAM-SHA-256", SCRAM_USER, "env:KAFKA_PASSWORD")

    @property
    def ca(self):
        return f"ssl.ca.location={self.certificates}/ca.pem"

    def test_sasl_plain(self):
        self.taken("SASL_PLAINTEXT", "a", "security.protocol=SASL_PLAINTEXT", *self.plain)

    def test_scram(self):
        self.taken("SASL_PLAINTEXT", "b", "security.protocol=SASL_PLAINTEXT", *self.scram)

    def test_tls_and_mutual_tls(self):
        self.taken("SSL", "c", "security.protocol=SSL", self.ca)
        self.taken("SSL", "d", "security.protocol=SSL", self.ca,
                   f"ssl.certificate.location={self.certificates}/client.pem",
                   f"ssl.key.location={self.certificates}/client.key")

    def test_scram_over_tls(self):
        self.taken("SASL_SSL", "e", "security.protocol=SASL_SSL", self.ca, *self.scram)

    def test_a_wrong_password_and_an_unknown_authority_are_told(self):
        wrong = self.check("SASL_PLAINTEXT", "f", "security.protocol=SASL_PLAINTEXT",
                           *self.login("PLAIN", USER, "wrong"))
        self.assertRegex(wrong.stdout, r"^kafka +not now .*[Aa]uthentication failed")
        self.assertEqual(wrong.returncode, 1)
        stranger = self.check("SSL", "f", "security.protocol=SSL",
                              f"ssl.ca.location={self.certificates}/other-ca.pem")
        self.assertRegex(stranger.stdout, r"^kafka +not now .*certificate")

    def test_a_secret_is_not_printed(self):
        done = subprocess.run(
            [e2e.AGENT, "--print-config", "run", "--set",
             "kafka.properties=sasl.password=hunter2", "--export",
             "kafka:x;properties=sasl.password=hunter2"],
            capture_output=True, text=True, check=True)
        self.assertNotIn("hunter2", done.stdout + done.stderr)


class Messages(e2e.Case):
    N = 100

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.kafka = cls.keep(Kafka(cls.directory, None, VERSION,
                                   f"message.max.bytes={LIMIT}\n"))
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        brokers = cls.kafka.brokers()
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, *cls.flow.selection, "--set", "batch.age=1s", exports=[
                f"file:{cls.directory}/agent.jsonl", f"kafka:{brokers};topic=whole",
                f"kafka:{brokers};topic=traces;partition=trace"]).wait_ready())
        cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests",
                                   str(cls.N))).wait()
        e2e.wait_until(lambda: cls.agent.counters()["spans"] == 6 * cls.N, "all spans")
        cls.agent.stop()
        cls.spans = cls.agent.spans()
        cls.ids = sorted(s.span_id for s in cls.spans)

    def test_what_the_broker_finds_too_large_goes_in_parts(self):
        values = [value for _, value in self.kafka.messages("whole")]
        self.assertGreater(sum(map(len, values)), 2 * LIMIT)
        self.assertLess(max(map(len, values)), LIMIT)
        self.assertEqual(len(self.ids), 6 * self.N)
        self.assertEqual(sorted(span.span_id.hex() for value in values for span in spans_of(value)),
                         self.ids)

    def test_each_trace_is_a_message_with_its_id_as_key(self):
        keys, ids = {}, []
        for key, value in self.kafka.messages("traces"):
            ids += [span.span_id.hex() for span in spans_of(value)]
            self.assertEqual({span.trace_id.hex() for span in spans_of(value)}, {key})
            keys.setdefault(key, []).append(value)
        self.assertEqual(sorted(ids), self.ids)
        self.assertEqual(set(keys), {s.trace_id for s in self.spans})


class Missing(e2e.Case):
    def test_a_topic_that_is_missing_is_told(self):
        kafka = self.keep(Kafka(self.directory, None, VERSION,
                                "auto.create.topics.enable=false\n"))
        done = subprocess.run(
            [e2e.AGENT, "check", "--export", f"kafka:{kafka.brokers()}"],
            capture_output=True, text=True, check=False)
        self.assertRegex(done.stdout, r"^kafka +not now .*no topic otlp_spans: create it")


if __name__ == "__main__":
    e2e.main()
