#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""10,000 short-lived processes and 100,000 short connections leave nothing behind: not in the
agent's memory and descriptors, not in its maps, and no operation without a name. An agent that is
killed 50 times in the middle of traffic leaves no program, no map and no broken exchange."""
import json
import pathlib
import re
import subprocess
import sys
import threading
import time

import flowtrace_e2e as e2e

PEERS = pathlib.Path(__file__).with_name("peers")
PROCESSES, CONNECTIONS = 10_000, 10
KILLS = 50


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1])


def is_of_tls(descriptor):
    """Probes and their files are as many as this host's programs with TLS, whoever starts one."""
    info = descriptor.parents[1] / "fdinfo" / descriptor.name
    try:
        return "probe_multi" in info.read_text() or descriptor.is_file()
    except FileNotFoundError:
        return True


def bpf_objects(pid, with_tls=True):
    """What the process holds: {"prog_id" | "map_id" | "link_id": set of ids}, and maps' bytes."""
    ids, memory = {"prog_id": set(), "map_id": set(), "link_id": set()}, 0
    for info in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        try:
            text = info.read_text()
        except FileNotFoundError:
            continue  # closed between the list and the look
        if "probe_multi" in text and not with_tls:
            continue
        for kind, found in ids.items():
            found.update(int(i) for i in re.findall(rf"^{kind}:\s+(\d+)", text, re.MULTILINE))
        if "map_id" in text:
            memory += int(re.search(r"memlock:\s+(\d+)", text)[1])
    return ids, memory


class Churn(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        port = e2e.free_port()
        # A pool costs what its busiest moment took: a small one has had that moment by half-time.
        cls.agent = cls.keep(e2e.Agent(cls.directory, "--set", f"select.ports={port}",
                                       "--set", "limits.exchanges=2048",
                                       exports=["file:/dev/null"]).wait_ready())
        churn = cls.keep(e2e.Program(cls.directory, "churn", [
            sys.executable, PEERS / "churn.py", PROCESSES, CONNECTIONS, port]))
        # The pools fill in the first half; from then on nothing may grow.
        e2e.wait_until(lambda: churn.out.read_text().count("\n") >= 5, "half of it", 120)
        cls.half = cls.look()
        churn.wait(240)
        cls.good = int(churn.out.read_text().split()[-1])
        time.sleep(1)
        cls.end = cls.look()
        cls.agent.stop()
        cls.totals = cls.agent.totals()

    @classmethod
    def look(cls):
        pid = cls.agent.process.pid
        ids, memory = bpf_objects(pid, with_tls=False)
        return {"resident": resident_kib(pid), "maps": memory,
                "objects": {kind: len(found) for kind, found in ids.items()},
                "descriptors": sum(not is_of_tls(d)
                                   for d in pathlib.Path(f"/proc/{pid}/fd").iterdir())}

    def test_every_exchange_went_as_it_should(self):
        self.assertEqual(self.good, PROCESSES * CONNECTIONS)

    def test_every_operation_is_used_or_lost_under_a_name(self):
        used = e2e.sum_of(self.totals, "Operations used")
        lost = e2e.sum_of(self.totals, "Operations lost")
        print(f"{self.totals['operations']} operations, {lost} lost ... ", end="")
        self.assertGreaterEqual(self.totals["operations"], 4 * self.good)
        self.assertEqual(self.totals["operations"], used + lost, self.totals)

    def test_every_exchange_is_used_or_lost_under_a_name(self):
        used = e2e.sum_of(self.totals, "Exchanges used")
        lost = e2e.sum_of(self.totals, "Exchanges lost")
        print(f"{self.totals['exchanges']} exchanges, {lost} lost ... ", end="")
        self.assertGreater(self.totals["exchanges"], self.good)
        self.assertEqual(self.totals["exchanges"], used + lost, self.totals)

    def test_descriptors_maps_and_programs_are_as_many_as_before(self):
        for what in ("objects", "maps", "descriptors"):
            self.assertEqual(self.half[what], self.end[what], what)

    def test_resident_memory_does_not_grow_over_the_second_half(self):
        """50,000 connections have two ends each: a leak of 42 bytes per end is more."""
        print(f"{self.half['resident']} KiB, then {self.end['resident']} KiB ... ", end="")
        self.assertLess(self.end["resident"] - self.half["resident"], 4096)


class Killed(e2e.Case):
    """SIGKILL gives the agent no chance to clean up: what it leaves must be nothing."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        cls.shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests",
                                                 "1000000", "--rate", "100"))
        cls.left = []
        for i in range(KILLS):
            agent = e2e.Agent(cls.directory, *cls.flow.selection, name=f"agent-{i}").wait_ready()
            ids, _ = bpf_objects(agent.process.pid)
            agent.process.kill()
            agent.process.wait()
            cls.left.append(ids)
        cls.shopper.process.terminate()
        cls.shopper.process.wait()
        cls.truth = e2e.answers_of(cls.shopper)

    def test_no_program_map_or_link_is_left(self):
        self.assertTrue(all(ids["prog_id"] and ids["map_id"] for ids in self.left))
        e2e.wait_until(lambda: not self.still_there(), "all of them are gone", 20)

    def still_there(self):
        """The kernel frees with a delay, and gives no number out again."""
        there = []
        for kind in ("prog", "map", "link"):
            shown = subprocess.run(["bpftool", "-j", kind, "show"], capture_output=True, check=True)
            known = {entry["id"] for entry in json.loads(shown.stdout or "[]")}
            there += [(kind, i) for ids in self.left for i in ids[f"{kind}_id"] & known]
        return there

    def test_no_exchange_of_the_traced_programs_failed(self):
        statuses = {line.get("status") for line in self.truth.values()}
        print(f"{len(self.truth)} exchanges ... ", end="")
        self.assertGreater(len(self.truth), 10 * KILLS)
        self.assertEqual(statuses, {200})


if __name__ == "__main__":
    e2e.main()
