#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client that does some requests by io_uring, whose bytes no hook sees: they are lengths, counted,
and what it does by system calls on the same connection is traced behind them."""
import pathlib
import subprocess
import time

import flowtrace_e2e as e2e

SOURCE = pathlib.Path(__file__).with_name("peers") / "uring.c"
ROUNDS = 5


class Uring(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        program = cls.directory / "uring"
        subprocess.run(["gcc", "-O2", "-w", "-D_GNU_SOURCE", "-o", program, SOURCE, "-luring"],
                       check=True)
        flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, *flow.selection).wait_ready())
        done = subprocess.run([program, str(flow.port), e2e.unique("ring"), str(ROUNDS)],
                              capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        time.sleep(0.5)
        agent.stop()
        cls.asked = done.stdout.split()
        cls.totals = agent.totals()
        cls.clients = {s.id: s for s in agent.spans()
                       if s.kind == e2e.KIND_CLIENT and s.service == "uring"}
        cls.servers = {s.id: s for s in agent.spans()
                       if s.kind == e2e.KIND_SERVER and s.service == "nginx"}
        cls.by_ring = {name for name in cls.asked if "-plain-" not in name}

    def test_the_server_sees_every_request(self):
        self.assertEqual(len(self.by_ring), 3 * ROUNDS)
        self.assertEqual(set(self.servers), set(self.asked))

    def test_the_client_has_a_span_for_every_request_by_system_call_and_no_other(self):
        self.assertEqual(set(self.clients), set(self.asked) - self.by_ring)

    def test_the_two_ends_belong_together_where_both_are_seen(self):
        for name, client in self.clients.items():
            self.assertEqual(self.servers[name].parent_id, client.span_id, name)

    def test_what_had_no_bytes_is_counted(self):
        self.assertGreaterEqual(self.totals["bytes_not_captured"], 2 * len(self.by_ring))

    def test_every_operation_is_used_or_lost_under_a_name(self):
        self.assertEqual(self.totals["operations"], e2e.sum_of(self.totals, "Operations used")
                         + e2e.sum_of(self.totals, "Operations lost"))


if __name__ == "__main__":
    e2e.main()
