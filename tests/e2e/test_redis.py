#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Redis: one span at both ends for every command that redis-benchmark and redis-py count, at
several concurrencies and in pipelines; tshark agrees on what was said."""
import collections
import time

import flowtrace_e2e as e2e
import stores_e2e as stores

N = 1024  # redis-benchmark rounds it up to whole pipelines


class Benchmark(e2e.Case):
    """redis-benchmark counts its own requests: -n of each test."""

    RUNS = [(1, 1), (16, 1), (64, 1), (16, 16)]  # clients, pipeline

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.keep(stores.Redis(cls.directory))
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set", f"select.ports={server.port}",
            # A connection's first pipeline comes before its protocol is known.
            "--set", "capture.head=16KiB").wait_ready())
        for clients, pipeline in cls.RUNS:
            stores.run("redis-benchmark", "-p", server.port, "-n", N, "-c", clients,
                       "-P", pipeline, "-t", "set,get,mset", "-q", "--threads", 1)
        time.sleep(1)
        agent.stop()
        cls.totals = agent.totals()
        cls.sent, cls.served = stores.by_end(agent.spans(), "redis")

    def test_one_span_per_command_at_both_ends(self):
        for spans in (self.sent, self.served):
            names = stores.names_of(spans)
            self.assertEqual({n: names[n] for n in ("SET", "GET", "MSET")},
                             dict.fromkeys(("SET", "GET", "MSET"), N * len(self.RUNS)))

    def test_each_command_is_whole(self):
        for span in self.sent + self.served:
            self.assertNotIn("flowtrace.incomplete", span.attributes)
            self.assertFalse(span.error)

    def test_the_servers_span_is_the_clients_child(self):
        sent = {s.span_id for s in self.sent}
        self.assertEqual({s.parent_id for s in self.served}, sent)

    def test_nothing_of_it_is_lost(self):
        for name in ("operations_gap", "operations_lost", "streams_gaps",
                     "connections_desynchronized", "responses_unpaired"):
            self.assertEqual(self.totals.get(name, 0), 0, name)


CALLS = """
import redis, sys, threading
port = int(sys.argv[1])
for protocol in (2, 3):
    r = redis.Redis(port=port, protocol=protocol, db=5)
    r.set("secret-key", "secret-value")
    assert r.get("secret-key") == b"secret-value"
    r.set("secret-big", b"x" * 1000000)
    assert len(r.get("secret-big")) == 1000000
    with r.pipeline(transaction=True) as p:
        p.incr("secret-n").incr("secret-n").get("secret-n")
        p.execute()
    with r.pipeline(transaction=False) as p:
        for i in range(50):
            p.rpush("secret-list", i)
        p.execute()
    assert len(r.lrange("secret-list", 0, -1)) == 50 * (protocol - 1)
    try:
        r.lpush("secret-key", 1)
        sys.exit("no error")
    except redis.ResponseError:
        pass
    r.hset("secret-hash", mapping={"a": 1, "b": 2})
    r.hgetall("secret-hash")
    r.eval("return {1, {2, 3}, 'x'}", 0)
    assert r.blpop("secret-none", timeout=1) is None
    s = r.pubsub()
    s.subscribe("news", "sports")
    s.psubscribe("n*")
    for _ in range(3):
        s.get_message(timeout=5)
    for i in range(5):
        r.publish("news", "secret-message")
    for _ in range(10):
        m = s.get_message(timeout=5)
        assert m["data"] == b"secret-message", m
    s.unsubscribe()
    s.close()
    r.close()
"""


class Calls(e2e.Case):
    """Shapes that redis-py makes, in RESP2 and RESP3."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.keep(stores.Redis(cls.directory))
        capture = cls.keep(stores.Capture(cls.directory, server.port))
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set", f"select.ports={server.port}").wait_ready())
        stores.run(stores.python_clients(), "-c", CALLS, server.port)
        server.cli("-3", "set", "secret-cli", "1")
        time.sleep(1)
        agent.stop()
        capture.stop()
        cls.totals, cls.capture = agent.totals(), capture
        cls.text = agent.spans_path.read_text()
        cls.sent, cls.served = stores.by_end(agent.spans(), "redis")

    def of(self, name):
        return [s for s in self.sent if s.attributes.get("db.operation.name") == name]

    def test_both_ends_see_the_same_commands(self):
        self.assertEqual(stores.names_of(self.sent), stores.names_of(self.served))
        self.assertEqual({s.parent_id for s in self.served}, {s.span_id for s in self.sent})

    def test_the_counts_are_the_clients(self):
        names = stores.names_of(self.sent)
        expected = {"GET": 6, "SET": 4, "set": 1, "INCRBY": 4, "MULTI": 2, "EXEC": 2, "RPUSH": 100,
                    "LRANGE": 2, "LPUSH": 2, "HSET": 2, "HGETALL": 2, "EVAL": 2, "BLPOP": 2,
                    "PUBLISH": 10, "SUBSCRIBE": 2, "PSUBSCRIBE": 2}
        self.assertEqual({n: names[n] for n in expected}, expected)

    def test_no_key_and_no_value_leaves_the_agent(self):
        self.assertNotIn("secret", self.text)

    def test_the_database_is_known_behind_select(self):
        self.assertEqual({s.attributes.get("db.namespace") for s in self.of("GET")}, {"5"})

    def test_errors_have_their_code(self):
        for span in self.of("LPUSH"):
            self.assertTrue(span.error)
            self.assertEqual(span.attributes["error.type"], "WRONGTYPE")

    def test_a_blocking_command_lasts_as_long_as_it_blocks(self):
        for span in self.of("BLPOP"):
            self.assertGreater(span.end - span.start, 900_000_000)

    def test_published_messages_have_producers_and_consumers(self):
        self.assertEqual({s.kind for s in self.of("PUBLISH")}, {stores.KIND_PRODUCER})
        consumed = [s for s in self.served if s.kind == stores.KIND_CONSUMER]
        self.assertEqual(collections.Counter(s.name for s in consumed),
                         {"message": 10, "pmessage": 10})
        self.assertEqual({s.attributes["messaging.destination.name"] for s in consumed}, {"news"})

    def test_nothing_of_it_is_lost(self):
        for span in self.sent + self.served:
            self.assertNotIn("flowtrace.incomplete", span.attributes)
        self.assertEqual(self.totals["responses_unpaired"], 0)
        self.assertEqual(self.totals["streams_gaps"], 0)

    def test_a_capture_of_it_gives_the_same_spans_of_the_server(self):
        served = [s for s in self.served if s.kind == e2e.KIND_SERVER]
        pushed = [s for s in self.sent if s.name in ("message", "pmessage")]
        found = stores.served_of_capture(self.capture, "redis")
        self.assertEqual(stores.identities(found), stores.identities(served + pushed))

    def test_tshark_agrees_on_the_commands(self):
        # What is longer than a packet is told with its last one, and in part before.
        packets = self.capture.read("resp", f"resp && tcp.dstport == {self.capture.port} && "
                                    "!resp.reassembled_in_next_frame && !resp.partial",
                                    "resp.array.length", "resp.bulk_string.value")
        commands = collections.Counter()
        for lengths, words in packets:
            for length in map(int, lengths):  # each request is an array of as many words
                commands[bytes.fromhex(words[0]).decode()] += 1
                words = words[length:]
            self.assertEqual(words, [])
        ours = stores.names_of(s for s in self.sent if s.name not in ("message", "pmessage"))
        self.assertEqual(commands, ours)

    def test_tshark_agrees_on_the_errors(self):
        errors = [e.split()[0] for (es,) in self.capture.read(
            "resp", f"resp.error && tcp.srcport == {self.capture.port}", "resp.error") for e in es]
        self.assertEqual(collections.Counter(errors), collections.Counter(
            s.attributes["db.response.status_code"] for s in self.sent
            if "db.response.status_code" in s.attributes))


class Aside(e2e.Case):
    """Connections that stop being requests and answers, and a cluster that redirects."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        bus = e2e.free_port()
        one = cls.start("one", "--cluster-enabled", "yes", "--cluster-port", e2e.free_port())
        other = cls.start("other", "--cluster-enabled", "yes", "--cluster-port", bus)
        primary, replica = cls.start("primary"), cls.start("replica")
        ports = ",".join(str(p.port) for p in (one, other, primary))
        agent = cls.keep(e2e.Agent(cls.directory, "--set", f"select.ports={ports}").wait_ready())
        one.cli("cluster", "addslotsrange", 0, 8191)
        other.cli("cluster", "addslotsrange", 8192, 16383)
        one.cli("cluster", "meet", "127.0.0.1", other.port, bus)
        e2e.wait_until(lambda: "cluster_state:ok" in one.cli("cluster", "info"), "a cluster")
        key = next(k for k in (f"secret-{i}" for i in range(100))
                   if int(one.cli("cluster", "keyslot", k)) > 8191)
        cls.moved = one.cli("get", key)
        replica.cli("replicaof", "127.0.0.1", primary.port)
        e2e.wait_until(lambda: "state=online" in primary.cli("info", "replication"), "a replica")
        monitor = cls.keep(e2e.Program(cls.directory, "monitor",
                                       ["redis-cli", "-p", str(primary.port), "monitor"]))
        e2e.wait_until(lambda: "OK" in monitor.out.read_text(), "MONITOR")
        for i in range(100):
            primary.cli("set", f"secret-{i}", i)
        e2e.wait_until(lambda: replica.cli("get", "secret-99") == "99\n", "what was replicated")
        time.sleep(1)
        agent.stop()
        cls.totals, cls.text = agent.totals(), agent.spans_path.read_text()
        cls.sent, cls.served = stores.by_end(agent.spans(), "redis")

    @classmethod
    def start(cls, name, *arguments):
        (cls.directory / name).mkdir()
        return cls.keep(stores.Redis(cls.directory / name, *arguments, name=name))

    def of(self, name):
        return [s for s in self.sent if s.attributes.get("db.operation.name") == name]

    def test_a_redirection_names_slot_and_node(self):
        slot, node = self.moved.split()[1:3]
        [span] = self.of("get")
        self.assertFalse(span.error)
        self.assertEqual(span.attributes["db.response.status_code"], "MOVED")
        self.assertEqual(span.attributes["flowtrace.redis.redirect.slot"], int(slot))
        self.assertEqual(span.attributes["flowtrace.redis.redirect.address"], node)

    def test_replication_is_recognized_and_left_alone(self):
        self.assertEqual(len(self.of("PSYNC")), 1)
        self.assertEqual(len(self.of("set")), 100)
        self.assertNotIn("SET", stores.names_of(self.sent))

    def test_what_monitor_shows_is_left_alone(self):
        self.assertEqual(len(self.of("monitor")), 1)
        self.assertEqual(self.totals["responses_unpaired"], 0)
        self.assertNotIn("secret", self.text)


MIDWAY = """
import redis, sys
r = redis.Redis(port=int(sys.argv[1]))
r.set("early", 1)
print("connected", flush=True)
sys.stdin.readline()
for i in range(20):
    r.set("late%d" % i, i)
    r.get("late%d" % i)
"""


class Midway(e2e.Case):
    """A connection that is older than the agent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.keep(stores.Redis(cls.directory))
        cls.spans = stores.spans_of_older_connection(cls, MIDWAY, server.port, server.port, "redis")

    def test_it_is_known_after_its_first_commands(self):
        for spans in self.spans:
            names = stores.names_of(spans)
            self.assertGreaterEqual(min(names["SET"], names["GET"]), 17, names)
            self.assertLessEqual(max(names["SET"], names["GET"]), 20)
            self.assertEqual(set(names), {"SET", "GET"})


if __name__ == "__main__":
    e2e.main()
