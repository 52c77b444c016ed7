#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The agent's memory does not grow with what has gone through it: made-up traffic of a million
exchanges, over connections and processes that come and go. `tests/bench/run --only flat` replays ten
million."""
import flat_memory
import flowtrace_e2e as e2e

EXCHANGES = 1200000
GROWTH_KIB = 4096  # batches that wait; a leak of 8 bytes for each exchange would be 4,700


class FlatMemory(e2e.Case):
    def test_memory_in_the_last_half_is_what_it_was_in_the_first(self):
        run = flat_memory.replay(self.directory, EXCHANGES)
        first, last = run.halves()
        print(f"{run.totals['exchanges']} exchanges, {first} then {last} KiB ... ", end="")
        self.assertEqual(run.totals["exchanges"], EXCHANGES)
        self.assertEqual(run.totals["spans"], EXCHANGES)
        self.assertLessEqual(last, first + GROWTH_KIB)


if __name__ == "__main__":
    e2e.main()
