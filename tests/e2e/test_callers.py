#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real programs that serve by calling: threads, pools, event loops in five languages, and two
proxies. Every request is paired, and every inner call has the right parent or none.

The whole matrix, with 1, 16 and 64 connections and more requests, is `tests/bench/run --only
callers`."""
import callers_e2e as callers
import flowtrace_e2e as e2e

RATES = {1: 40, 16: 400, 64: 400}  # requests/s offered, by connections
COUNTS = {1: 32, 16: 100, 64: 200}
LANGUAGES = ("c", "python", "node", "go", "java")


class CallersCase(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.judgements, cls.totals = callers.run_all(
            cls.keep, cls.directory, list(RATES), RATES.get, lambda _, n: COUNTS[n])
        print("ids, program, connections, offered/s,", *callers.COLUMNS, sep=", ")
        for (hidden, name, n), judgement in cls.judgements.items():
            print(f"{'hidden' if hidden else 'open':6} {name:14} {n:2} {RATES[n]:3}",
                  *judgement.row())

    def each(self, hidden):
        for (is_hidden, name, connections), judgement in self.judgements.items():
            if is_hidden == hidden:
                with self.subTest(name, connections=connections):
                    yield name, connections, judgement

    def test_every_kind_of_program_was_asked_at_every_number_of_connections(self):
        names = {f"{language} loop" for language in LANGUAGES} | callers.THREAD_BOUND | {
            "c pool", "python pool", "java pool", "go pool", "c loops", "python loops", "nginx", "haproxy"}
        self.assertLessEqual({(hidden, name, n) for hidden in (False, True) for name in names
                              for n in RATES}, set(self.judgements))

    def test_nothing_was_lost_on_the_way(self):
        self.assertEqual(e2e.sum_of(self.totals, "Exchanges lost"), 0, self.totals)
        self.assertEqual(self.totals["operations_ring_full"], 0)

    def test_every_request_and_response_is_a_pair(self):
        for hidden in (False, True):
            for name, _, judgement in self.each(hidden):
                self.assertEqual(judgement.pairs, judgement.n, name)

    def test_where_ids_travel_99_of_100_parents_are_right_and_none_is_wrong(self):
        for name, _, judgement in self.each(False):
            self.assertEqual(judgement.wrong, [], name)
            self.assertGreaterEqual(judgement.right, 0.99 * judgement.n,
                                    (name, judgement.missing[:9]))

    def test_where_ids_are_hidden_thread_bound_programs_have_95_of_100_parents(self):
        """They show that they are, one request after the other, before many come at once."""
        found = {(name, n): j for name, n, j in self.each(True)
                 if name in callers.THREAD_BOUND and n > 1}
        self.assertEqual(len(found), len(callers.THREAD_BOUND) * (len(RATES) - 1))
        for key, judgement in found.items():
            self.assertGreaterEqual(judgement.right, 0.95 * judgement.n, (key, judgement.row()))

    def test_where_ids_are_hidden_at_most_one_parent_of_a_thousand_is_wrong(self):
        found = [judgement for _, _, judgement in self.each(True)]
        wrong = sum(len(judgement.wrong) for judgement in found)
        self.assertLessEqual(wrong, 0.001 * sum(judgement.n for judgement in found))


class LoopsCase(e2e.Case):
    """Four loops that call for each other, with one connection each: they look like threads."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.judgements, _ = callers.run_all(cls.keep, cls.directory, [2, 4], lambda n: 10 * n,
                                            lambda _, n: 100 * n, only={"c loops"})

    def test_at_most_one_parent_of_a_thousand_is_wrong_and_all_are_pairs(self):
        for (hidden, name, n), judgement in self.judgements.items():
            with self.subTest(name, hidden=hidden, connections=n):
                print("hidden" if hidden else "open", name, n, *judgement.row())
                self.assertEqual(judgement.pairs, judgement.n)
                self.assertLessEqual(len(judgement.wrong), 0.001 * judgement.n)


if __name__ == "__main__":
    e2e.main()
