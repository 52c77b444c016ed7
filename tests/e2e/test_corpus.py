#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A part of the recorded corpus live: stock programs are recorded now, and tshark reads a capture of
the same bytes. The whole corpus, as it was recorded once, is a test without a kernel."""
import os
import subprocess

import flowtrace_e2e as e2e

CORPUS = e2e.ROOT / "tests" / "corpus"


class Corpus(e2e.Case):
    def test_tshark_agrees_on_every_request_and_response_recorded_now(self):
        environment = {**os.environ, "FLOWTRACE_CORPUS": str(self.directory / "recordings"),
                       "FLOWTRACE_AGENT": e2e.AGENT}
        for command in ([CORPUS / "make", "nginx-curl", "apache-wget", "python-python",
                         "haproxy-node"], [CORPUS / "check", e2e.AGENT]):
            done = subprocess.run(command, env=environment, capture_output=True, text=True,
                                  timeout=120, check=False)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, "4 recordings, [0-9]+ exchanges, 0 recordings differ")


if __name__ == "__main__":
    e2e.main()
