# SPDX-License-Identifier: Apache-2.0
"""Who caused what, on real programs; what tokens cost; memory over many exchanges."""
import re

from flowtrace_bench import LOAD_CPU, e2e, run_on, say, table

import callers_e2e  # noqa: E402  (beside flowtrace_e2e)
import flat_memory  # noqa: E402

RATES = {1: 40, 16: 400, 64: 800}  # requests/s offered, by connections
SECONDS = 3
TOKENS_NS = 200
EXCHANGES = 10_000_000
GROWTH_KIB = 4096  # batches that wait


def callers(bench):
    """Parents found for calls of real programs: 20 programs, 1, 16 and 64 connections"""
    kept = []
    keep = lambda thing: kept.append(thing) or thing
    try:
        judgements, totals = callers_e2e.run_all(
            keep, bench.directory, list(RATES), RATES.get,
            lambda name, n: int(RATES[n] * bench.seconds(SECONDS)))
    finally:
        for thing in reversed(kept):
            thing.stop()
    rows = [("hidden" if hidden else "travel", name, n, RATES[n], *judgement.row())
            for (hidden, name, n), judgement in judgements.items()]
    table(("ids", "program", "connections", "offered/s", "requests", "% pairs", "% right", "wrong",
           "missing", "evidence"), rows)
    budgets(bench, judgements)
    say(f"  {totals['operations']} operations, {totals['operations_ring_full']} lost to a full ring")


def budgets(bench, judgements):
    travel = [j for (hidden, _, _), j in judgements.items() if not hidden]
    hidden = [j for (hidden, _, _), j in judgements.items() if hidden]
    bound = [j for (hidden, name, _), j in judgements.items()
             if hidden and name in callers_e2e.THREAD_BOUND]
    n_wrong = sum(len(j.wrong) for j in hidden)
    n_hidden = sum(j.n for j in hidden)
    pairs = min(j.pairs / j.n for j in judgements.values())
    bench.budget("pairs, all programs", "100 %", f"{100 * pairs:.1f} % at least", pairs == 1)
    right, wrong = min(j.right / j.n for j in travel), sum(len(j.wrong) for j in travel)
    bench.budget("parents, ids travel", "99 % right, 0 wrong",
                 f"{100 * right:.1f} % at least, {wrong} wrong", right >= 0.99 and wrong == 0)
    right = min(sum(j.right for j in bound) / sum(j.n for j in bound), 1)
    bench.budget("parents, ids hidden, thread-bound programs", "95 % right",
                 f"{100 * right:.1f} %", right >= 0.95)
    bench.budget("parents, ids hidden, all programs", "0.1 % wrong",
                 f"{n_wrong} of {n_hidden}", n_wrong <= 0.001 * n_hidden)


def tokens(bench):
    """Tokens: read, kept, matched, per message"""
    text = run_on(LOAD_CPU, bench.tool("bench_causality"))
    say("  " + text.strip().replace("\n", "\n  "))
    for name in dict.fromkeys(re.findall(r"^(\w+ request)", text, re.MULTILINE)):
        rows = re.findall(rf"^{name} .* ([\d.]+) +([\d.]+) +[\d.]+$", text, re.MULTILINE)
        ns = max(float(a) - float(b) for a, b in rows)
        bench.budget(f"tokens of a message, {name}", f"{TOKENS_NS} ns", f"{ns:.0f} ns",
                     ns <= TOKENS_NS)


def flat(bench):
    """Memory over ten million replayed exchanges"""
    run = flat_memory.replay(bench.directory, EXCHANGES // (10 if bench.quick else 1), 0.2)
    first, last = run.halves()
    step = max(1, len(run.samples) // 10)
    table(("seconds", "resident KiB"), [(f"{t:.1f}", kib) for t, kib in run.samples[::step]])
    say(f"  {run.totals['exchanges']} exchanges, {run.totals['operations']} operations")
    bench.budget("memory over 10 million exchanges", "flat",
                 f"{first / 1000:.1f} MB in the first half, {last / 1000:.1f} MB in the second",
                 last <= first + GROWTH_KIB)
