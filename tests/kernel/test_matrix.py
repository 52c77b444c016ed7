#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel side on Debian's stock kernels, booted with qemu: every program loads, every hook
attaches, an HTTP exchange and all kinds of sockets are traced with each set of hooks, and the
verifier goes through no more instructions than tests/kernel/ceilings allows. A kernel that is too
old is refused in plain words."""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest
from concurrent import futures

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests" / "e2e"))

import flowtrace_e2e as e2e  # noqa: E402
import guest  # noqa: E402
import recording  # noqa: E402
import test_sockets  # noqa: E402

# Kernel -> the sets of hooks that work there, the best one first.
SETS = {"6.1": ["fexit", "syscalls"], "6.12": ["tracepoints", "fexit", "syscalls"]}
SET_OF = {"fexit": "fexit", "tp_btf/sys_exit": "syscalls", "cgroup": "tracepoints",
          "tp_btf/sock_send_length": "tracepoints", "tp_btf/sock_recv_length": "tracepoints"}
TOO_OLD = "5.10"


def boot_all():
    """{kernel: {name of a result: bytes}}, all kernels at once."""
    lines = subprocess.run([ROOT / "scripts" / "get-kernels"], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    images = dict(line.split() for line in lines)
    with tempfile.TemporaryDirectory(prefix="flowtrace-kernel-") as scratch:
        directory = pathlib.Path(scratch)
        initramfs = guest.make_initramfs(directory, e2e.AGENT)

        def boot(name):
            place = directory / name
            place.mkdir()
            return guest.boot(images[name], initramfs, ["auto"] + SETS.get(name, []), place)
        with futures.ThreadPoolExecutor(2) as pool:
            return dict(zip(images, pool.map(boot, images)))


def check_host():
    """The check command's answer on the kernel that this runs on."""
    done = subprocess.run([e2e.AGENT, "check", "--json"], check=True, capture_output=True)
    return json.loads(done.stdout)


def ceilings():
    """(kernel, hook) -> instructions, from the table."""
    table = {}
    for line in (HERE / "ceilings").read_text().splitlines():
        if line and not line.startswith("#"):
            kernel, hook, number = line.split()
            table[kernel, hook] = int(number)
    return table


RUNS = [(kernel, hooks) for kernel, sets in SETS.items() for hooks in ["auto"] + sets]


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.guests = RESULTS

    def text(self, kernel, name):
        return self.guests[kernel][name].decode(errors="replace")

    def check(self, kernel, hooks):
        return json.loads(self.text(kernel, f"{hooks}.check"))

    def test_the_kernels_are_what_they_are_called(self):
        for kernel in [*SETS, TOO_OLD]:
            self.assertTrue(self.text(kernel, "release").startswith(kernel + "."))

    def test_every_hook_of_the_set_attaches_and_the_best_set_is_chosen(self):
        for kernel, hooks in RUNS:
            with self.subTest(kernel=kernel, hooks=hooks):
                check = self.check(kernel, hooks)
                self.assertTrue(check["traceable"], check)
                states = {r["name"]: r["state"] for r in check["rows"] if r["section"] == "hooks"}
                self.assertNotIn("missing", states.values())
                best = SETS[kernel][0] if hooks == "auto" else hooks
                for hook, state in states.items():
                    of_set = SET_OF.get(hook.split("/")[0]) or SET_OF.get(hook)
                    if of_set:
                        self.assertEqual(state, "ok" if of_set == best else "unused", hook)

    def check_verified(self, kernel, check):
        allowed = ceilings()
        for row in check["rows"]:
            if row["section"] != "hooks" or not row["verified"]:
                continue
            ceiling = allowed.get((kernel, row["name"]))
            print(f"  {kernel:5} {row['name']:28} {row['verified']:6} of {ceiling}")
            self.assertIsNotNone(ceiling, f"{kernel} {row['name']} has no ceiling")
            self.assertLessEqual(row["verified"], ceiling)

    def test_the_verifier_goes_through_no_more_instructions_than_the_table_allows(self):
        print()
        for kernel, hooks in RUNS:
            with self.subTest(kernel=kernel, hooks=hooks):
                if hooks != "auto":
                    self.check_verified(kernel, self.check(kernel, hooks))
        release = ".".join(os.uname().release.split(".")[:2])
        if any(kernel == release for kernel, _ in ceilings()):
            self.check_verified(release, check_host())

    def test_an_http_exchange_is_a_pair_of_spans(self):
        for kernel, hooks in RUNS:
            with self.subTest(kernel=kernel, hooks=hooks):
                self.assertEqual(self.text(kernel, f"{hooks}.wget"), "hello\n" * 3)
                self.check_pairs(kernel, hooks, "/greeting")

    def test_an_https_exchange_is_a_pair_of_spans_in_clear_text(self):
        for kernel, hooks in RUNS:
            with self.subTest(kernel=kernel, hooks=hooks):
                self.assertEqual(self.text(kernel, f"{hooks}.secure"), "3\n")
                self.check_pairs(kernel, hooks, "/secure/")

    def check_pairs(self, kernel, hooks, path):
        with tempfile.NamedTemporaryFile() as file:
            file.write(self.guests[kernel][f"{hooks}.jsonl"])
            file.flush()
            spans = [s for s in e2e.read_spans(file.name) if s.path.startswith(path)]
        clients = {s.span_id: s for s in spans if s.kind == e2e.KIND_CLIENT}
        servers = [s for s in spans if s.kind == e2e.KIND_SERVER]
        self.assertEqual((len(clients), len(servers)), (3, 3))
        self.assertTrue(all(s.parent_id in clients for s in servers))

    def test_nothing_is_lost_without_a_name(self):
        for kernel, hooks in RUNS:
            with self.subTest(kernel=kernel, hooks=hooks):
                self.assertEqual(self.text(kernel, f"{hooks}.status"), "0\n")
                totals = e2e.parse_counters(self.text(kernel, f"{hooks}.err"))
                self.assertGreater(totals["operations"], 50)
                self.assertEqual(totals["operations"], e2e.sum_of(totals, "Operations used")
                                 + e2e.sum_of(totals, "Operations lost"))

    def test_the_kernels_complain_of_nothing(self):
        for kernel in self.guests:
            self.assertEqual(self.text(kernel, "complaints"), "")

    def test_a_kernel_that_is_too_old_is_refused_in_plain_words(self):
        self.assertEqual(self.text(TOO_OLD, "auto.status"), "1\n")
        said = self.text(TOO_OLD, "auto.err")
        self.assertRegex(said, r"Linux 5\.10\.\S+ is too old .*5\.15 or later .*tcpdump")
        self.assertEqual(said.count("\n"), 1)
        check = self.check(TOO_OLD, "auto")
        self.assertFalse(check["traceable"])
        self.assertEqual(self.text(TOO_OLD, "auto.check.status"), "1\n")
        version = next(r for r in check["rows"] if r["name"] == "version")
        self.assertEqual(version["state"], "missing")
        self.assertIn("tcpdump", version["lost"])


def socket_cases():
    """One class of socket checks per kernel and set of hooks."""
    for kernel, sets in SETS.items():
        for hooks in sets:
            name = f"Sockets_{re.sub('[^0-9]', '_', kernel)}_{hooks}"
            yield name, type(name, (test_sockets.SocketChecks, unittest.TestCase),
                             {"sendfile_is_seen": hooks != "syscalls" and kernel != "6.1",
                              "unix_ends_meet": hooks != "syscalls", "setUpClass": classmethod(
                                 lambda cls, k=kernel, h=hooks: load_sockets(cls, k, h))})


def load_sockets(cls, kernel, hooks):
    results = RESULTS[kernel]
    cls.name = "talk"
    cls.truth = test_sockets.truth_of(results[f"{hooks}.talk"].decode())
    cls.totals = dict.fromkeys(e2e.counter_classes(), 0)
    cls.totals |= e2e.parse_counters(results[f"{hooks}.err"].decode())
    with tempfile.NamedTemporaryFile() as file:
        file.write(results[f"{hooks}.rec"])
        file.flush()
        cls.events = [e for e in recording.read(file.name) if e.kind == recording.DATA
                      and e.known.comm == "talk"]


globals().update(socket_cases())

if __name__ == "__main__":
    RESULTS = boot_all()
    e2e.main()
