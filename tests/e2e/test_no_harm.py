#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs under load without the agent, with it, and without it again: what their own tools
say, what they answer, and what the kernel counts of retransmissions, resets and aborts is the
same."""
import hashlib
import pathlib
import re

import flowtrace_e2e as e2e
import harm_e2e as harm

LOAD = pathlib.Path(__file__).with_name("peers") / "load.sh"


class NoHarm(harm.Checks, e2e.Case):
    FILES = 5

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        big = bytes(range(256)) * 20_000
        cls.sum_of_big = hashlib.sha256(big).hexdigest()
        (cls.directory / "small").write_text("small\n" * 30)
        (cls.directory / "big").write_bytes(big)
        (cls.directory / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {cls.directory}/pid; events {{}}\n"
            f"http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:8080;\n"
            f"root {cls.directory}; }} }}\n")
        cls.before = harm.turn(LOAD, cls.directory)
        agent = cls.keep(e2e.Agent(cls.directory, exports=["file:/dev/null"]).wait_ready())
        cls.traced = [harm.turn(LOAD, cls.directory) for _ in range(2)]
        agent.stop()
        cls.totals = agent.totals()
        cls.after = harm.turn(LOAD, cls.directory)

    def test_the_agent_saw_the_load(self):
        self.assertGreater(self.totals["spans"], 1000)

    def test_redis_ends_its_own_benchmark_and_counts_to_the_digit(self):
        for text in self.turns:
            self.assertEqual(len(re.findall(r"requests per second", text)), 4 + 1, text[-3000:])
            self.assertIn("counted 1000\n", text)


if __name__ == "__main__":
    e2e.main()
