# SPDX-License-Identifier: Apache-2.0
"""What the tests of no harm share: turns of a load, each in a network namespace of its own, so that
the kernel's counters in there are the load's alone."""
import re
import subprocess

# Of /proc/net/{snmp,netstat}: none of these may be more frequent with the agent than without.
TROUBLE = ("Retransmissions", "Tcp.AttemptFails", "Tcp.InErrs", "TcpExt.TCPTimeouts",
           "TcpExt.TCPAbortOnData", "TcpExt.TCPAbortOnTimeout", "TcpExt.TCPAbortFailed",
           "TcpExt.TCPRcvQDrop", "TcpExt.TCPBacklogDrop", "TcpExt.ListenDrops")


def turn(*command):
    """What a load prints."""
    done = subprocess.run(["unshare", "--net", *map(str, command)], capture_output=True, text=True,
                          timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def snapshots(text):
    """Each of /proc/net/snmp and netstat that a load printed: pairs of lines, names, then values."""
    found, names = [], {}
    for line in text.splitlines():
        if match := re.match(r"([A-Z]\w+): (.*)", line):
            group, rest = match[1], match[2].split()
            if group in names and re.fullmatch(r"-?\d+", rest[0]):
                if group == "Ip":
                    found.append({})
                found[-1] |= {f"{group}.{n}": int(v) for n, v in zip(names.pop(group), rest)}
            else:
                names[group] = rest
    return found


def kernel_counters(text):
    """Without those of wrk's end: it closes its connections when its time is over, some with an
    answer unread or on its way."""
    at_work, behind, end = snapshots(text)
    counters = {name: at_work[name] + end[name] - behind[name] for name in end}
    # A tail loss probe (RFC 8985) is sent when a busy host lets an answer wait; nothing was lost.
    counters["Retransmissions"] = counters["Tcp.RetransSegs"] - counters["TcpExt.TCPLossProbes"]
    return counters


class Checks:
    """`before` and `after` are turns without the agent, `traced` those with it. FILES is how many
    files a turn fetches."""

    @property
    def turns(self):
        return [self.before, *self.traced, self.after]

    def test_the_load_generator_sees_no_errors(self):
        for text in self.turns:
            self.assertRegex(text, r"requests in")
            self.assertNotRegex(text, r"Socket errors|Non-2xx")

    def test_files_are_the_same_to_the_byte(self):
        sums = [s for text in self.turns for s in re.findall(r"^[0-9a-f]{64}", text, re.MULTILINE)]
        self.assertEqual(len(sums), len(self.turns) * self.FILES)
        self.assertEqual(set(sums), {self.sum_of_big})

    def test_the_kernel_counts_no_more_trouble_than_without(self):
        without = [kernel_counters(text) for text in (self.before, self.after)]
        traced = [kernel_counters(text) for text in self.traced]
        for name in TROUBLE:
            with self.subTest(name):
                # A busy host has its own trouble in any one turn; harm would be in all of them.
                self.assertLessEqual(min(c[name] for c in traced), max(c[name] for c in without))
