# SPDX-License-Identifier: Apache-2.0
"""A recording that is made while it is replayed, and the memory of the agent meanwhile."""
import pathlib
import re
import subprocess
import time

import flowtrace_e2e as e2e


def generator():
    """make_recording of the same build folder as the agent."""
    return pathlib.Path(e2e.AGENT).resolve().parents[1] / "tests" / "bench" / "make_recording"


def resident_kib(pid):
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", text)
    return int(found[1]) if found else 0  # it has just ended


class Run:
    def __init__(self, samples, totals, cpu):
        self.samples = samples  # (seconds, KiB)
        self.totals, self.cpu = totals, cpu

    def halves(self):
        """The most KiB in the first and in the second half of the run, but for its start."""
        kib = [k for _, k in self.samples]
        half = len(kib) // 2
        return max(kib[half // 5:half]), max(kib[half:])


def replay(directory, exchanges, every=0.05):
    errors, begin, samples = directory / "replay.err", time.monotonic(), []
    with open(errors, "wb") as err, subprocess.Popen(
            [str(generator()), str(exchanges)], stdout=subprocess.PIPE,
            preexec_fn=e2e.die_with_parent) as made, subprocess.Popen(
            [e2e.AGENT, "replay", "-", "--export", "none"], stdin=made.stdout, stderr=err,
            preexec_fn=e2e.die_with_parent) as agent:
        made.stdout.close()
        while agent.poll() is None:
            if kib := resident_kib(agent.pid):
                samples.append((time.monotonic() - begin, kib))
            time.sleep(every)
    if agent.returncode or made.wait():
        raise AssertionError(errors.read_text())
    totals = dict.fromkeys(e2e.counter_classes(), 0) | e2e.parse_counters(errors.read_text())
    return Run(samples, totals, time.monotonic() - begin)
