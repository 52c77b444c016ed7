#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs under load without the agent, with it, and without it again: what their own tools
say, what they answer, and what the kernel counts of retransmissions, resets and aborts is the
same. Each turn has a network namespace of its own, so its counters are its own."""
import pathlib
import re
import subprocess

import flowtrace_e2e as e2e

LOAD = pathlib.Path(__file__).with_name("peers") / "load.sh"
# Of /proc/net/{snmp,netstat}: none of these may be more frequent with the agent than without.
TROUBLE = ("Retransmissions", "Tcp.AttemptFails", "Tcp.InErrs", "TcpExt.TCPTimeouts",
           "TcpExt.TCPAbortOnData", "TcpExt.TCPAbortOnTimeout", "TcpExt.TCPAbortFailed",
           "TcpExt.TCPRcvQDrop", "TcpExt.TCPBacklogDrop", "TcpExt.ListenDrops")


def kernel_counters(text):
    """The pairs of lines of /proc/net/snmp: names, then values."""
    counters, names = {}, {}
    for line in text.splitlines():
        if match := re.match(r"(\w+): (.*)", line):
            group, rest = match[1], match[2].split()
            if group in names and re.fullmatch(r"-?\d+", rest[0]):
                counters |= {f"{group}.{n}": int(v) for n, v in zip(names.pop(group), rest)}
            else:
                names[group] = rest
    # A tail loss probe (RFC 8985) is sent when a busy host lets an answer wait; nothing was lost.
    counters["Retransmissions"] = counters["Tcp.RetransSegs"] - counters["TcpExt.TCPLossProbes"]
    return counters


class NoHarm(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        (cls.directory / "small").write_text("small\n" * 30)
        (cls.directory / "big").write_bytes(bytes(range(256)) * 20_000)
        (cls.directory / "nginx.conf").write_text(
            f"daemon off; master_process off; pid {cls.directory}/pid; events {{}}\n"
            f"http {{ access_log off; sendfile on; server {{ listen 127.0.0.1:8080;\n"
            f"root {cls.directory}; }} }}\n")
        cls.before = cls.turn()
        agent = cls.keep(e2e.Agent(cls.directory, exports=["file:/dev/null"]).wait_ready())
        cls.traced = [cls.turn(), cls.turn()]
        agent.stop()
        cls.totals = agent.totals()
        cls.after = cls.turn()

    @classmethod
    def turn(cls):
        done = subprocess.run(["unshare", "--net", LOAD, cls.directory], capture_output=True,
                              text=True, timeout=120, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def test_the_agent_saw_the_load(self):
        self.assertGreater(self.totals["spans"], 1000)

    def test_wrk_sees_no_errors(self):
        for turn in (self.before, *self.traced, self.after):
            self.assertRegex(turn, r"requests in")
            self.assertNotRegex(turn, r"Socket errors|Non-2xx")

    def test_files_are_the_same_to_the_byte(self):
        sums = {s for turn in (self.before, *self.traced, self.after)
                for s in re.findall(r"^[0-9a-f]{64}", turn, re.MULTILINE)}
        self.assertEqual(len(sums), 1)

    def test_redis_ends_its_own_benchmark_and_counts_to_the_digit(self):
        for turn in (self.before, *self.traced, self.after):
            self.assertEqual(len(re.findall(r"requests per second", turn)), 4 + 1, turn[-3000:])
            self.assertIn("counted 1000\n", turn)

    def test_the_kernel_counts_no_more_trouble_than_without(self):
        without = [kernel_counters(turn) for turn in (self.before, self.after)]
        traced = [kernel_counters(turn) for turn in self.traced]
        for name in TROUBLE:
            with self.subTest(name):
                # A busy host has its own trouble in any one turn; harm would be in both.
                self.assertLessEqual(min(c[name] for c in traced), max(c[name] for c in without))


if __name__ == "__main__":
    e2e.main()
