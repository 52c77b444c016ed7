#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What goes wrong at the command line, in the file, or with a backend is said clearly."""
import os
import socket
import subprocess
import time

import flowtrace_e2e as e2e


class CommandLine(e2e.Case):
    def refused(self, *arguments, prefix=()):
        """The lines of standard error of an agent that must end by itself, without success."""
        done = subprocess.run([*prefix, e2e.AGENT, *arguments], capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertNotEqual(done.returncode, 0, done.stderr)
        self.assertGreater(done.returncode, 0, "ended by a signal")
        return done.stderr.strip().splitlines()

    def refused_file(self, text):
        path = self.directory / "flowtrace.yaml"
        path.write_text(text)
        return path, self.refused("run", "--config", str(path))

    def assert_one_line(self, lines, *parts):
        self.assertEqual(len(lines), 1, lines)
        for part in parts:
            self.assertIn(part, lines[0])

    def test_a_missing_configuration_file_is_named(self):
        self.assert_one_line(self.refused("run", "--config", "/nonexistent.yaml"),
                             "/nonexistent.yaml", "No such file")

    def test_a_folder_or_a_pipe_is_no_configuration(self):
        pipe = self.directory / "pipe"
        os.mkfifo(pipe)
        for path in (self.directory, pipe):
            self.assert_one_line(self.refused("run", "--config", str(path)), str(path), "regular")

    def test_broken_yaml_is_told_with_file_and_line(self):
        path, lines = self.refused_file("capture:\n  head: [1\n")
        self.assert_one_line(lines, f"{path}:3:")

    def test_an_unknown_key_is_told_with_file_line_and_what_there_is(self):
        path, lines = self.refused_file("capture:\n  heed: 1KiB\n")
        self.assert_one_line(lines, f"{path}:2:", "capture.heed", "capture.head")

    def test_a_bad_value_is_told_with_what_is_allowed(self):
        path, lines = self.refused_file("capture:\n  head: 1MiB\n")
        self.assert_one_line(lines, f"{path}:2:", "capture.head", "16KiB")

    def test_a_bad_assignment_is_refused(self):
        self.assert_one_line(self.refused("run", "--set", "capture.head"), "KEY=VALUE")

    def test_an_unknown_exporter_is_refused(self):
        self.assertIn("carrier_pigeon", " ".join(self.refused("run", "--export",
                                                              "carrier_pigeon:x")))

    def test_the_query_of_a_url_that_is_refused_is_not_told(self):
        for name in ("otlp", "otlp_http"):
            told = " ".join(self.refused("run", "--export", f"{name}:ftp://h/x?api_key=hunter2"))
            self.assertIn("ftp://h/x: the scheme", told)
            self.assertNotIn("hunter2", told)

    def test_a_bad_exporter_url_is_refused(self):
        lines = self.refused("run", "--export", "otlp:ftp://nowhere")
        self.assertIn("ftp://nowhere", " ".join(lines))

    def test_an_unknown_command_is_refused_with_a_hint(self):
        self.assertIn("--help", " ".join(self.refused("dance")))

    def test_a_missing_recording_is_named(self):
        self.assertIn("/nonexistent.rec", " ".join(self.refused("replay", "/nonexistent.rec")))

    def test_without_rights_one_clear_line_says_so(self):
        lines = self.refused("run", prefix=("setpriv", "--reuid=65534", "--regid=65534",
                                            "--clear-groups"))
        self.assert_one_line(lines, "root")

    def test_help_version_and_the_configuration_need_no_rights(self):
        for option in ("--help", "--version", "--print-config"):
            done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                   e2e.AGENT, option], capture_output=True, text=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, 0, f"{option}: {done.stderr}")
            self.assertTrue(done.stdout)

    def test_the_printed_configuration_loads_again(self):
        path = self.directory / "printed.yaml"
        command = [e2e.AGENT, "run", "--print-config", "--set", "capture.head=2KiB"]
        path.write_text(subprocess.run(command, capture_output=True, text=True,
                                       check=True).stdout)
        again = subprocess.run([e2e.AGENT, "--print-config", "--config", str(path)],
                               capture_output=True, text=True, check=True).stdout
        self.assertEqual(again, path.read_text())
        self.assertIn("head: 2KiB", again)


class GoingOn(e2e.Case):
    def test_an_occupied_status_port_is_a_warning(self):
        with socket.socket() as occupied:
            occupied.bind(("127.0.0.1", 0))
            occupied.listen()
            port = occupied.getsockname()[1]
            agent = self.keep(e2e.Agent(self.directory, "--set",
                                        f"status.listen=127.0.0.1:{port}", name="occupied"))
            agent.wait_ready()
            said = [line for line in agent.errors().splitlines() if "status.listen" in line]
            self.assertEqual(len(said), 1, agent.errors())
            self.assertIn("warning", said[0])
            self.assertEqual(agent.stop(), 0)

    def test_spans_for_an_unreachable_backend_are_counted(self):
        nowhere = e2e.free_port()
        agent = self.keep(e2e.Agent(
            self.directory, "--set", "drain.timeout=1s", "--set", "send.timeout=500ms",
            name="unreachable", exports=[f"otlp:http://127.0.0.1:{nowhere}"]).wait_ready())
        port = e2e.free_port()
        stock = self.keep(e2e.Program(self.directory, "stock",
                                      ["node", e2e.SAMPLE / "stock.js", port]))
        stock.wait_port(port)
        shopper = self.keep(e2e.start_shopper(self.directory, port, "--requests", "20",
                                              "--path", "/stock/"))
        shopper.wait()
        time.sleep(1)
        metrics = agent.metrics()
        self.assertRegex(metrics, r'exporter="otlp')
        begin = time.monotonic()
        self.assertEqual(agent.stop(), 0)
        self.assertLess(time.monotonic() - begin, 5)
        self.assertGreaterEqual(agent.totals()["spans"], 40)
        self.assertRegex(agent.errors(), r"(?i)undelivered\D*\d+|\d+\D*undelivered")


if __name__ == "__main__":
    e2e.main()
