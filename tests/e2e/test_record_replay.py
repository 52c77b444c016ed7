#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the kernel told once can be told again: a recording replays to the spans of the live run,
and every replay to the same bytes."""
import subprocess
import time

import flowtrace_e2e as e2e


class RecordReplay(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recording = cls.directory / "run.rec"
        cls.flow = flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, "--record", str(cls.recording),
                                   *flow.selection).wait_ready())
        shopper = cls.keep(e2e.start_shopper(cls.directory, flow.port, "--requests", "400",
                                             "--connections", "8", "--rate", "200"))
        shopper.wait()
        time.sleep(0.5)
        agent.stop()
        cls.live = agent.spans()
        cls.truth = e2e.answers_of(shopper)

    def replay(self, name):
        path = self.directory / name
        subprocess.run([e2e.AGENT, "replay", str(self.recording), "--export", f"file:{path}",
                        *self.flow.selection], check=True, timeout=60,
                       stderr=subprocess.DEVNULL)
        return path

    def test_two_replays_are_byte_identical(self):
        first, second = self.replay("first.jsonl"), self.replay("second.jsonl")
        self.assertEqual(first.read_bytes(), second.read_bytes())
        self.assertGreater(first.stat().st_size, 0)

    def test_a_replay_gives_the_spans_of_the_live_run(self):
        def key(span):
            return (span.trace_id, span.span_id, span.parent_id, span.service, span.kind,
                    span.name, span.start, span.end, sorted(span.attributes.items(), key=str))
        replayed = e2e.read_spans(self.replay("again.jsonl"))
        self.assertGreaterEqual(len(self.live), 6 * len(self.truth))
        self.assertEqual(sorted(map(key, replayed), key=str), sorted(map(key, self.live), key=str))

    def test_a_cut_recording_replays_up_to_the_cut(self):
        content = self.recording.read_bytes()
        self.recording.with_suffix(".cut").write_bytes(content[:len(content) // 2])
        path = self.directory / "cut.jsonl"
        done = subprocess.run([e2e.AGENT, "replay", str(self.recording.with_suffix(".cut")),
                               "--export", f"file:{path}", "--set", "status.listen="],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertGreaterEqual(done.returncode, 0, done.stderr)
        self.assertGreater(len(e2e.read_spans(path)), 0)


if __name__ == "__main__":
    e2e.main()
