#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""100,000 connections at the default limits, both ends of each on this host: those that are idle in
between lose nothing, and with a request open on each as many are answered as there are places."""
import collections
import secrets
import subprocess
import sys
import time

import flowtrace_e2e as e2e

CROWD = e2e.ROOT / "tests" / "e2e" / "peers" / "crowd.py"
CONNECTIONS, CODES = 100_000, (200, 201, 404, 500)
PLACES = 65_536  # limits.connections, limits.exchanges
# For what comes all at once; it is not what is tested here.
ROOM = "--set", "capture.ring=64MiB", "--set", "queue.bytes=1GiB"


class Crowd:
    """The program, in a network namespace of its own."""

    def __init__(self, port):
        self.process = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh",
             sys.executable, CROWD, str(CONNECTIONS), str(port)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            preexec_fn=e2e.die_with_parent)
        assert self.process.stdout.readline() == "ready\n"

    def ask(self, how):
        """How many exchanges went well."""
        self.process.stdin.write(how + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


class Case(e2e.Case):
    exports = None

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        # In a namespace of its own every port is free; other tests on this host use higher ones.
        port = secrets.choice(range(100, 1000))
        agent = cls.keep(e2e.Agent(cls.directory, "--set", f"select.ports={port}", *ROOM,
                                   exports=cls.exports).wait_ready())
        crowd = Crowd(port)
        cls.stack.callback(crowd.stop)
        cls.good = [crowd.ask(how) for how in cls.asks]
        time.sleep(0.5)
        agent.stop()
        cls.agent, cls.totals = agent, agent.totals()

    def assert_accounts(self):
        totals = self.totals
        self.assertEqual(self.good, [CONNECTIONS] * len(self.asks))
        self.assertEqual(totals["operations"], e2e.sum_of(totals, "Operations used") +
                         e2e.sum_of(totals, "Operations lost"), totals)
        self.assertEqual(totals["exchanges"], e2e.sum_of(totals, "Exchanges used") +
                         e2e.sum_of(totals, "Exchanges lost"), totals)
        self.assertEqual(totals["operations_ring_full"], 0, totals)


class Idle(Case):
    exports, asks = ["none"], ["turns", "turns"]

    def test_every_exchange_of_every_connection_is_a_span_at_both_ends(self):
        self.assert_accounts()
        print(f"{self.totals['spans']} spans, {self.totals['connections_recalled']} connections "
              "recalled ... ", end="")
        self.assertEqual(self.totals["spans"], 2 * 2 * CONNECTIONS, self.totals)


class Open(Case):
    asks = ["at-once"]

    def test_as_many_are_spans_as_there_are_places_and_the_others_are_counted(self):
        self.assert_accounts()
        totals = self.totals
        print(f"{totals['spans']} spans, {totals['exchanges_evicted']} evicted ... ", end="")
        self.assertEqual(totals["spans"] + totals["exchanges_evicted"], 2 * CONNECTIONS, totals)
        self.assertGreaterEqual(totals["spans"], PLACES * 15 // 16)

    def test_each_has_the_answer_to_its_own_request(self):
        answered = collections.Counter()
        for span in self.agent.spans():
            code = span.attributes.get("http.response.status_code")
            self.assertEqual(code, CODES[int(span.id[1:]) % len(CODES)], span)
            answered[span.kind] += 1
        print(f"{dict(answered)} ... ", end="")
        self.assertEqual(sum(answered.values()), self.totals["spans"])


if __name__ == "__main__":
    e2e.main()
