#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every system call that moves bytes through a TCP socket, over IPv4 and IPv6."""
import sys
import time

import flowtrace_e2e as e2e


class Calls(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        agent = cls.keep(e2e.Agent(cls.directory).wait_ready())
        program = cls.keep(e2e.Program(cls.directory, "calls",
                                       [sys.executable, e2e.ROOT / "tests/e2e/peers/calls.py"]))
        cls.status = program.wait()
        cls.names = program.out.read_text().split()
        time.sleep(0.3)
        agent.stop()
        cls.spans, cls.totals = agent.spans(), agent.totals()

    def test_the_program_did_all_exchanges(self):
        self.assertEqual((self.status, len(self.names)), (0, 50))

    def test_each_exchange_is_seen_whole_at_both_ends(self):
        for name in self.names:
            with self.subTest(name):
                spans = sorted((s for s in self.spans if s.id == name), key=lambda s: -s.kind)
                self.assertEqual([s.kind for s in spans], [e2e.KIND_CLIENT, e2e.KIND_SERVER])
                client, server = spans
                self.assertEqual(server.parent_id, client.span_id)
                for span in spans:
                    self.assertEqual(span.attributes["http.response.status_code"], 200)
                    self.assertNotIn("flowtrace.incomplete", span.attributes)
                    self.assertEqual(span.attributes["network.peer.address"],
                                     "::1" if name.startswith("v6") else "127.0.0.1")

    def test_peeks_are_told_apart(self):
        self.assertGreaterEqual(self.totals["operations_peeked"], 20)


if __name__ == "__main__":
    e2e.main()
