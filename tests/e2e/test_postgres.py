#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL: one span at both ends for every transaction that pgbench counts, in each of its
protocols; what psycopg and psql do is named, masked and counted; tshark agrees."""
import collections
import re
import time

import flowtrace_e2e as e2e
import stores_e2e as stores

N = 250


class Benchmark(e2e.Case):
    """pgbench -S: one SELECT is one transaction; it counts them itself."""

    CLIENTS = [1, 16, 64]
    PROTOCOLS = ["simple", "extended", "prepared"]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.keep(stores.Postgres(cls.directory))
        stores.run("pgbench", "-i", "-q", "-s", 1, server.dsn)
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set", f"select.ports={server.port}").wait_ready())
        cls.counted = 0
        for clients in cls.CLIENTS:
            for protocol in cls.PROTOCOLS:
                per_client = max(N // clients, 4)
                said = stores.run("pgbench", "-n", "-S", "-M", protocol, "-c", clients, "-j", 1,
                                  "-t", per_client, server.dsn)
                cls.counted += int(re.search(r"actually processed: (\d+)/", said)[1])
        time.sleep(1)
        agent.stop()
        cls.totals = agent.totals()
        cls.sent, cls.served = stores.by_end(agent.spans(), "postgresql")

    def test_one_span_per_transaction_at_both_ends(self):
        for spans in (self.sent, self.served):
            selects = [s for s in spans if s.name == "SELECT pgbench_accounts"]
            self.assertEqual(len(selects), self.counted)
            self.assertEqual({s.attributes["db.collection.name"] for s in selects},
                             {"pgbench_accounts"})
            self.assertEqual({s.attributes["db.response.returned_rows"] for s in selects}, {1})

    def test_each_connection_starts_and_each_statement_is_prepared_once(self):
        names = collections.Counter(s.name for s in self.sent)
        connections = 3 * sum(self.CLIENTS)
        # pgbench has one connection more of its own in each run.
        self.assertEqual(names["CONNECT"], connections + 9)
        self.assertEqual(names["PREPARE SELECT pgbench_accounts"], sum(self.CLIENTS))

    def test_texts_are_masked(self):
        texts = {s.attributes["db.query.text"] for s in self.sent
                 if s.name == "SELECT pgbench_accounts"}
        self.assertEqual(texts, {"SELECT abalance FROM pgbench_accounts WHERE aid = ?;",
                                 "SELECT abalance FROM pgbench_accounts WHERE aid = $1;"})

    def test_the_servers_span_is_the_clients_child(self):
        self.assertEqual({s.parent_id for s in self.served}, {s.span_id for s in self.sent})

    def test_nothing_of_it_is_lost(self):
        for span in self.sent + self.served:
            self.assertNotIn("flowtrace.incomplete", span.attributes)
        for name in ("streams_gaps", "connections_desynchronized", "responses_unpaired"):
            self.assertEqual(self.totals[name], 0, name)


CALLS = """
import psycopg, sys, threading
dsn = sys.argv[1] + " application_name=secret-app"
with psycopg.connect(dsn, autocommit=True) as c, psycopg.connect(dsn, autocommit=True) as listener:
    c.execute("CREATE TABLE items (id int PRIMARY KEY, name text)")
    for i in range(20):
        c.execute("INSERT INTO items VALUES (%s, %s)", (i, "secret-name"), prepare=True)
    assert len(c.execute("SELECT * FROM items WHERE name = 'secret-name'").fetchall()) == 20
    with c.pipeline():
        for i in range(10):
            c.execute("UPDATE items SET name = %s WHERE id = %s", ("secret-x", i))
    try:
        c.execute("INSERT INTO items VALUES (1, 'secret-twice')")
        sys.exit("no error")
    except psycopg.errors.UniqueViolation:
        pass
    cursor = c.cursor()
    with cursor.copy("COPY items FROM STDIN") as copy:
        for i in range(100, 600):
            copy.write_row((i, "secret-copy" * 20))
    with cursor.copy("COPY items TO STDOUT") as copy:
        assert sum(1 for row in copy) == 520
    rows = c.execute("SELECT repeat('secret', 200) FROM generate_series(1, 300)").fetchall()
    assert len(rows) == 300
    c.execute("INSERT INTO items VALUES (700, '" + "secret" * 20000 + "')")
    with c.transaction():
        with c.cursor("cur") as named:
            named.itersize = 100
            named.execute("SELECT id FROM items")
            assert sum(1 for row in named) == 521
    listener.execute("LISTEN news")
    for i in range(5):
        c.execute("NOTIFY news, 'secret-payload'")
    got = [n.payload for n in listener.notifies(timeout=10, stop_after=5)]
    assert got == ["secret-payload"] * 5, got
    c.execute("DO $$ BEGIN RAISE NOTICE 'secret-notice'; END $$")
    threading.Timer(0.5, c.cancel).start()
    try:
        c.execute("SELECT pg_sleep(30) FROM pg_type LIMIT 1")
        sys.exit("no error")
    except psycopg.errors.QueryCanceled:
        pass
try:
    psycopg.connect(sys.argv[1].replace("dbname=postgres", "dbname=missing"))
    sys.exit("no error")
except psycopg.OperationalError:
    pass
"""


class Calls(e2e.Case):
    """What psycopg does in the extended protocol, and psql in the simple one."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.keep(stores.Postgres(cls.directory))
        capture = cls.keep(stores.Capture(cls.directory, server.port))
        agent = cls.keep(e2e.Agent(
            cls.directory, "--set", f"select.ports={server.port}",
            # Until a connection's protocol is known this is what is captured of an operation.
            "--set", "capture.head=16KiB").wait_ready())
        stores.run(stores.python_clients(), "-c", CALLS, server.dsn)
        server.psql("-c", "SELECT count(*) FROM items i JOIN pg_class c ON true -- secret",
                    "-c", "BEGIN; DELETE FROM items WHERE id IN (1, 2, 3); COMMIT")
        time.sleep(1)
        agent.stop()
        capture.stop()
        cls.totals, cls.capture = agent.totals(), capture
        cls.text = agent.spans_path.read_text()
        cls.sent, cls.served = stores.by_end(agent.spans(), "postgresql")

    def of(self, name, spans=None):
        return [s for s in (self.sent if spans is None else spans) if s.name == name]

    def test_both_ends_see_the_same(self):
        names = collections.Counter(s.name for s in self.sent)
        self.assertEqual(names, collections.Counter(s.name for s in self.served))
        self.assertEqual({s.parent_id for s in self.served}, {s.span_id for s in self.sent})

    def test_the_counts_are_the_clients(self):
        expected = {"CREATE TABLE items": 1, "INSERT items": 22, "SELECT items": 1,
                    "COPY items": 2, "LISTEN": 1, "NOTIFY": 5, "SELECT": 1,
                    "SELECT items pg_class": 1, "BEGIN DELETE items COMMIT": 1}
        names = collections.Counter(s.name for s in self.sent)
        self.assertEqual({n: names[n] for n in expected}, expected)
        batches = [s.attributes["db.operation.batch.size"] for s in self.sent
                   if s.name == "BATCH UPDATE items"]
        self.assertEqual(sum(batches) + names["UPDATE items"], 10)

    def test_no_literal_leaves_the_agent(self):
        self.assertNotIn("secret", self.text)

    def test_errors_have_their_sqlstate(self):
        failed = [s for s in self.sent if s.error]
        self.assertEqual([(s.name, s.attributes["error.type"]) for s in failed],
                         [("INSERT items", "23505"), ("SELECT pg_type", "57014"),
                          ("CONNECT", "3D000")])

    def test_a_cancel_request_is_an_exchange_of_its_own(self):
        self.assertEqual([(s.kind, s.error) for s in self.of("CANCEL")], [(e2e.KIND_CLIENT, False)])
        self.assertEqual(len(self.of("CANCEL", self.served)), 1)

    def test_rows_are_counted(self):
        self.assertEqual(self.of("SELECT items")[0].attributes["db.response.returned_rows"], 20)
        self.assertEqual(
            self.of("SELECT", self.served)[0].attributes["db.response.returned_rows"], 300)

    def test_what_is_read_in_larger_pieces_than_are_captured_is_marked(self):
        [span] = self.of("SELECT")
        self.assertTrue(span.attributes.get("flowtrace.incomplete") or
                        span.attributes.get("db.response.returned_rows") == 300)

    def test_notifications_have_producers_and_consumers(self):
        self.assertEqual({s.kind for s in self.of("NOTIFY")}, {stores.KIND_PRODUCER})
        consumed = self.of("notification", self.served)
        self.assertEqual([s.kind for s in consumed], [stores.KIND_CONSUMER] * 5)
        self.assertEqual({s.attributes["messaging.destination.name"] for s in consumed}, {"news"})

    def test_nothing_of_it_is_lost(self):
        for span in self.sent + self.served:
            if span.name != "SELECT":
                self.assertNotIn("flowtrace.incomplete", span.attributes, span)
        self.assertEqual(self.totals["responses_unpaired"], 0)

    def test_a_capture_of_it_gives_the_same_spans_of_the_server(self):
        served = [s for s in self.served if s.kind == e2e.KIND_SERVER]
        pushed = [s for s in self.sent if s.name in ("notification",)]
        found = stores.served_of_capture(self.capture, "postgresql")
        self.assertEqual(stores.identities(found), stores.identities(served + pushed))

    def test_tshark_agrees_on_the_statements(self):
        packets = self.capture.read("pgsql", f"pgsql && tcp.dstport == {self.capture.port}",
                                    "pgsql.query", "pgsql.type")
        queries = collections.Counter(q.split()[0] for qs, _ in packets for q in qs if q.strip())
        types = collections.Counter(t for _, ts in packets for t in ts)
        self.assertEqual(types["Startup message"], len(self.of("CONNECT")))
        self.assertEqual(queries["NOTIFY"], len(self.of("NOTIFY")))
        self.assertEqual(queries["COPY"], len(self.of("COPY items")))
        groups = sum(1 for s in self.sent if s.name not in ("CONNECT", "notification", "CANCEL"))
        self.assertEqual(types["Simple query"] + types["Sync"], groups)
        self.assertEqual(types["Cancel request"], len(self.of("CANCEL")))

    def test_each_statement_that_tshark_sees_is_told_and_no_other(self):
        said = {q for (qs,) in self.capture.read(
            "pgsql", f"pgsql && tcp.dstport == {self.capture.port}", "pgsql.query")
            for q in qs if q.strip()}
        told = {s.attributes["db.query.text"] for s in self.sent if "db.query.text" in s.attributes}
        matches = {(t, q) for t in told for q in said if self.masks(t, q)}
        self.assertEqual(({t for t, _ in matches}, {q for _, q in matches}), (told, said))

    @staticmethod
    def masks(text, statement):
        """Is this text that statement with literals masked, or its beginning?"""
        whole = re.sub(r"\.\.\.$", "", text)
        pattern = ".+".join(map(re.escape, whole.split("?"))) + (".*" if whole != text else "")
        return re.fullmatch(pattern, statement, re.DOTALL)

    def test_tshark_agrees_on_the_codes(self):
        codes = collections.Counter(c for (cs,) in self.capture.read(
            "pgsql", f"pgsql.code && tcp.srcport == {self.capture.port}", "pgsql.code") for c in cs)
        self.assertEqual(codes.pop("00000"), 1)  # a notice
        self.assertEqual(codes, collections.Counter(s.attributes["error.type"] for s in self.sent
                                                    if s.error))


MIDWAY = """
import psycopg, sys
with psycopg.connect(sys.argv[1], autocommit=True) as c:
    c.execute("SELECT 1")
    print("connected", flush=True)
    sys.stdin.readline()
    for i in range(20):
        c.execute("SELECT relname FROM pg_class WHERE relname = %s", ("x%d" % i,), prepare=False)
"""


class Midway(e2e.Case):
    """A connection that is older than the agent."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        server = cls.keep(stores.Postgres(cls.directory))
        cls.spans = stores.spans_of_older_connection(cls, MIDWAY, server.dsn, server.port,
                                                     "postgresql")

    def test_it_is_known_after_its_first_statements(self):
        for spans in self.spans:
            selects = [s for s in spans if s.name == "SELECT pg_class"]
            self.assertGreaterEqual(len(selects), 16)
            self.assertLessEqual(len(selects), 20)


if __name__ == "__main__":
    e2e.main()
