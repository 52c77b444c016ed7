#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The stores' servers with clients for Go (go-redis, pgx) and Node (ioredis, pg), 1, 16 and 64 at
once: one span at each end for every command and statement that the client counts."""
import collections
import json
import os
import subprocess

import flowtrace_e2e as e2e
import stores_e2e as stores

CONCURRENCY = (1, 16, 64)


class Clients:
    """One store; a client's own count is compared with the spans of an agent of its own."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        got = subprocess.run([e2e.ROOT / "scripts/get-store-clients"], capture_output=True,
                             text=True, check=False)
        if got.returncode:
            raise AssertionError(f"the clients could not be made: {got.stderr}")
        go, node_path = got.stdout.splitlines()
        cls.environment = {**os.environ, "NODE_PATH": node_path}
        cls.clients = {"go": [go],
                       "node": ["node", e2e.ROOT / "tests/e2e/peers/stores/peer.js"]}
        cls.server = cls.keep(cls.start_server())

    def test_each_command_that_the_client_counts_is_one_span_at_each_end(self):
        for client, command in self.clients.items():
            for concurrency in CONCURRENCY:
                with self.subTest(f"{client}, {concurrency} at once"):
                    agent = self.keep(e2e.Agent(
                        self.directory, "--set", f"select.ports={self.server.port}",
                        "--set", "capture.head=16KiB",
                        name=f"{client}-{concurrency}").wait_ready())
                    asked = json.loads(stores.run(
                        *command, self.store, self.server.port, concurrency,
                        max(2, 32 // concurrency), env=self.environment))
                    agent.stop()
                    self.check(agent, asked)

    def check(self, agent, asked):
        totals = agent.totals()
        self.assertEqual(e2e.sum_of(totals, "Exchanges lost"), 0, totals)
        self.assertNotIn("secret", agent.spans_path.read_text())
        sent, served = stores.by_end(agent.spans(), self.system)
        for spans in (sent, served):
            names = collections.Counter(s.name.upper() if s.name.islower() else s.name
                                        for s in spans)
            self.assertEqual({name: names.pop(name) for name in asked}, asked, names)
            self.assertEqual({n for n in names if n.split()[0] not in self.besides}, set())
            for span in spans:
                self.assertNotIn("flowtrace.incomplete", span.attributes, span.attributes)
                if span.name in asked:
                    self.assertEqual(span.error, span.name in self.fail, span.attributes)
        self.assertEqual({s.parent_id for s in served}, {s.span_id for s in sent})


class Redis(Clients, e2e.Case):
    store, system, fail = "redis", "redis", {"LPUSH"}
    besides = {"HELLO", "CLIENT", "INFO", "QUIT"}

    @classmethod
    def start_server(cls):
        return stores.Redis(cls.directory)


class Postgres(Clients, e2e.Case):
    store, system, fail = "postgres", "postgresql", {"DELETE nowhere"}
    besides = {"CONNECT", "PREPARE"}

    @classmethod
    def start_server(cls):
        server = stores.Postgres(cls.directory)
        server.psql("-c", "CREATE TABLE calls (worker int, text text)")
        return server


if __name__ == "__main__":
    e2e.main()
