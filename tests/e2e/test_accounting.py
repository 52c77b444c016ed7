#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nothing is lost without a name: what the hooks counted equals what was used plus all named
losses, at one connection and under overload: full speed, a small ring, an agent without CPU."""
import re
import signal
import subprocess
import time

import flowtrace_e2e as e2e


def count_spans(path):
    with open(path, encoding="utf-8") as lines:
        return sum(line.count('"startTimeUnixNano"') for line in lines)


class Accounting:
    """Both identities of docs/counters.md, from the totals and from /metrics."""

    arguments = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        cls.agent = cls.keep(e2e.Agent(cls.directory, *cls.flow.selection,
                                       *cls.arguments).wait_ready())
        cls.offer()
        time.sleep(1)
        cls.health = e2e.http_get(f"http://127.0.0.1:{cls.agent.status_port}/healthz")
        cls.metrics = cls.agent.counters()
        cls.agent.stop()
        cls.totals = cls.agent.totals()

    def test_operations_are_used_or_lost_under_a_name(self):
        used = e2e.sum_of(self.totals, "Operations used")
        lost = e2e.sum_of(self.totals, "Operations lost")
        print(f"{self.totals['operations']} operations, {used} used, {lost} lost ... ", end="")
        self.assertGreater(self.totals["operations"], 0)
        self.assertEqual(self.totals["operations"], used + lost, self.totals)

    def test_exchanges_are_used_or_lost_under_a_name(self):
        used = e2e.sum_of(self.totals, "Exchanges used")
        lost = e2e.sum_of(self.totals, "Exchanges lost")
        print(f"{self.totals['exchanges']} exchanges, {used} used, {lost} lost ... ", end="")
        self.assertEqual(self.totals["exchanges"], used + lost, self.totals)

    def test_every_span_was_delivered_or_lost_under_a_name(self):
        line = re.search(r"exporter file: (\d+) spans offered(.*)", self.agent.errors())
        states = {name: int(n) for name, n in re.findall(r", (\w+) (\d+)", line[2])}
        print(f"{line[0]} ... ", end="")
        self.assertEqual(int(line[1]), self.totals["spans"])
        self.assertEqual(int(line[1]), sum(states.values()))
        self.assertEqual(count_spans(self.agent.spans_path), states["delivered"])

    def test_metrics_name_every_counter_and_never_run_ahead_of_the_totals(self):
        self.assertEqual(sorted(self.metrics), sorted(e2e.counter_classes()))
        ahead = {k: v for k, v in self.metrics.items() if v > self.totals[k]}
        self.assertFalse(ahead)

    def test_the_agent_is_healthy(self):
        self.assertEqual(self.health, (200, "ok\n"))


class OneConnection(Accounting, e2e.Case):
    @classmethod
    def offer(cls):
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", "500"))
        shopper.wait()
        cls.truth = e2e.answers_of(shopper)

    def test_nothing_of_the_flow_is_lost(self):
        spans = [s for s in self.agent.spans() if s.id in self.truth]
        self.assertEqual(len(spans), 6 * len(self.truth))


class Overload(Accounting, e2e.Case):
    arguments = ("--set", "capture.ring=256KiB")

    @classmethod
    def offer(cls):
        url = f"http://127.0.0.1:{cls.flow.stock_port}/stock/abc"
        with subprocess.Popen(["wrk", "-t2", "-c64", "-d4", url], stdout=subprocess.PIPE,
                              text=True) as wrk:
            time.sleep(1)
            cls.agent.process.send_signal(signal.SIGSTOP)
            time.sleep(1)
            cls.agent.process.send_signal(signal.SIGCONT)
            cls.wrk, _ = wrk.communicate()

    def test_the_ring_was_too_small_and_said_so(self):
        self.assertGreater(self.totals["operations_ring_full"], 0)

    def test_the_traced_program_answers_as_before(self):
        self.assertNotIn("Non-2xx", self.wrk)
        self.assertNotIn("Socket errors", self.wrk)


if __name__ == "__main__":
    e2e.main()
