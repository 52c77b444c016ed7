#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/quickstart as a newcomer runs it: the sample's calls stand under each other in the terminal,
and neither its end nor Ctrl-C leaves anything behind."""
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import unittest

import flowtrace_e2e as e2e

# A line of a tree: "   |- orders client GET /stock/{}  395 us 200 (thread)"
LINE = re.compile(r"^([ \u2502\u251c\u2514\u2500]*)(\S+) (client|server) (.+?)  [\d.]+ ")

# What calls what: the service names and names of a span and of its parent.
CHILDREN = {
    ("nginx server GET /orders/{}", "shopper client GET /orders/{}"),
    ("orders server GET /orders/{}", "nginx client GET /orders/{}"),
    ("stock server GET /stock/{}", "orders client GET /stock/{}"),
    ("prices server shop.Prices/Quote", "orders client shop.Prices/Quote"),
    ("orders client shop.Prices/Quote", "orders server GET /orders/{}"),
    ("prices client GET", "prices server shop.Prices/Quote"),
    ("prices client SET", "prices server shop.Prices/Quote"),
    ("prices client SELECT prices", "prices server shop.Prices/Quote"),
    ("postgres server SELECT prices", "prices client SELECT prices"),
}


def pairs_of(text):
    """(span, its parent) of the trees in a terminal."""
    found, path = set(), []
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            path = []
            continue
        depth, name = len(match[1]) // 3, " ".join(match.groups()[1:])
        path = [*path[:depth], name]
        if depth and len(path) == depth + 1:
            found.add((name, path[depth - 1]))
    return found


def processes_with(word):
    """Command lines of what was started with it in an argument or in the environment."""
    found = []
    for place in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (place / "cmdline").read_bytes()
            if word in command + (place / "environ").read_bytes():
                found.append(command)
        except OSError:
            continue
    return found


class Quickstart(unittest.TestCase):
    def setUp(self):
        self.scratch = tempfile.TemporaryDirectory(prefix="flowtrace-quickstart-")
        self.addCleanup(self.scratch.cleanup)
        os.chmod(self.scratch.name, 0o755)
        self.out = pathlib.Path(self.scratch.name) / "out"

    def start(self, *arguments):
        """A session of its own, as a terminal's; its folder for what it makes is ours."""
        folder = pathlib.Path(self.scratch.name) / "tmp"
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        with open(self.out, "wb") as out:
            program = subprocess.Popen(
                [e2e.ROOT / "scripts/quickstart", *arguments], stdout=out,
                stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "TMPDIR": str(folder)}, preexec_fn=e2e.die_with_parent)
        self.addCleanup(lambda: program.poll() is None and os.killpg(program.pid, signal.SIGKILL))
        self.folder = folder
        return program

    def missing(self):
        return CHILDREN - pairs_of(self.out.read_text(errors="replace"))

    def check_nothing_is_left(self):
        self.assertEqual(list(self.folder.iterdir()), [])
        self.assertEqual(processes_with(str(self.folder).encode()), [])

    def test_calls_stand_under_what_made_them_and_ctrl_c_leaves_nothing_behind(self):
        program = self.start()
        e2e.wait_until(lambda: program.poll() is not None or
                       (self.out.exists() and not self.missing()), "the trees", 400)
        self.assertIsNone(program.poll(), self.out.read_text()[-2000:])
        os.killpg(program.pid, signal.SIGINT)
        self.assertEqual(program.wait(30), 0, self.out.read_text()[-2000:])
        self.check_nothing_is_left()

    def test_it_ends_by_itself_after_the_seconds_that_it_is_given(self):
        program = self.start("--seconds", "2")
        self.assertEqual(program.wait(400), 0, self.out.read_text()[-2000:])
        self.assertIn("totals:", self.out.read_text())
        self.check_nothing_is_left()


if __name__ == "__main__":
    e2e.main()
