#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Mutual TLS whose files are replaced while the agent runs, by gRPC and by HTTP: what fits is shown
to the backends from then on, what does not is told, counted, and changes nothing. Files that cannot
be used when the agent starts are told then."""
import os
import re
import subprocess

import flowtrace_e2e as e2e

e2e.use_otlp_python()

from scripted_backend import GrpcBackend, HttpBackend  # pylint: disable=wrong-import-position

N = 20
KINDS = {"otlp": GrpcBackend, "otlp_http": HttpBackend}
FIRST, SECOND = "flowtrace-agent", "flowtrace-agent-2"


class Replaced(e2e.Case):
    # What is put in place, and as whom the agent then comes.
    PHASES = [(("client.pem", "client.key"), FIRST), (("next.pem", "next.key"), SECOND),
              (("other.pem", "client.key"), SECOND), (("client.pem", "client.key"), FIRST)]

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = e2e.make_certificates(cls.directory)
        cls.put(0)
        cls.backends = {kind: make(certificates=cls.certificates) for kind, make in KINDS.items()}
        for backend in cls.backends.values():
            cls.stack.callback(backend.stop)
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        now = cls.directory / "now"
        files = f";ca={now}/ca.pem;certificate={now}/own.pem;key={now}/own.key"
        cls.agent = cls.keep(e2e.Agent(
            cls.directory, *cls.flow.selection, "--set", "drain.timeout=20s",
            exports=[f"file:{cls.directory}/agent.jsonl"] +
                    [f"{kind}:{backend.endpoint}{files}"
                     for kind, backend in cls.backends.items()]).wait_ready())
        cls.came = [cls.phase(i) for i in range(len(cls.PHASES))]
        cls.metrics = cls.agent.metrics()
        cls.agent.stop()

    @classmethod
    def put(cls, phase):
        """All files at once: the folder is a link that is replaced."""
        folder = cls.directory / f"phase{phase}"
        folder.mkdir()
        own, key = cls.PHASES[phase][0]
        for name, source in {"ca.pem": "ca.pem", "own.pem": own, "own.key": key}.items():
            (folder / name).write_bytes((cls.certificates / source).read_bytes())
        (cls.directory / "link").symlink_to(folder)
        os.replace(cls.directory / "link", cls.directory / "now")

    @classmethod
    def phase(cls, i):
        """kind -> as whom the agent came while the client shopped, over connections made anew"""
        if i:
            cls.put(i)
        for backend in cls.backends.values():
            backend.stop()
            backend.start()
            backend.peers.clear()
        cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", str(N),
                                   name=f"shopper{i}")).wait()
        e2e.wait_until(lambda: all(len(b.ids()) == 6 * N * (i + 1)
                                   for b in cls.backends.values()), f"all spans of phase {i}", 30)
        return {kind: set(backend.peers) for kind, backend in cls.backends.items()}

    def test_the_agent_comes_as_whom_the_last_files_that_fit_say(self):
        for (_, wanted), came in zip(self.PHASES, self.came):
            self.assertEqual(came, dict.fromkeys(KINDS, {wanted}))

    def test_every_span_is_delivered_once(self):
        wanted = sorted(s.span_id for s in self.agent.spans())
        self.assertEqual(len(wanted), 6 * N * len(self.PHASES))
        for backend in self.backends.values():
            self.assertEqual(backend.ids(), wanted)

    def test_the_change_that_cannot_be_used_is_counted_and_told_once(self):
        counted = re.findall(r'^flowtrace_exporter_reload_failures_total\{exporter="(\w+)",'
                             r'index="\d+"\} (\d+)$', self.metrics, re.MULTILINE)
        self.assertEqual(counted, [("file", "0"), ("otlp", "1"), ("otlp_http", "1")])
        for kind in KINDS:
            said = [line for line in self.agent.errors().splitlines()
                    if f": exporter {kind}: " in line]
            self.assertEqual(len(said), 2, said)
            self.assertIn("own.key is not that of the certificate", said[0])
            self.assertIn("stay in use", said[1])


class AtTheStart(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = e2e.make_certificates(cls.directory)
        (cls.certificates / "nonsense.pem").write_text("nonsense")

    def refused(self, settings, *words):
        """By run and by check --export, through either transport, with the file's name."""
        text = "".join(f";{key}={self.certificates / name}" for key, name in settings.items())
        for command in ("run", "check"):
            for kind in KINDS:
                done = subprocess.run(
                    [e2e.AGENT, command, "--set", "status.listen=", "--export",
                     f"{kind}:https://127.0.0.1:1{text}"], capture_output=True, text=True,
                    timeout=60, check=False)
                self.assertEqual(done.returncode, 1, done.stderr)
                for word in words:
                    self.assertIn(word, done.stderr)

    def test_a_file_that_is_not_there_is_named(self):
        self.refused({"ca": "none.pem"}, "cannot read", "none.pem", "give a file that is there")

    def test_a_file_that_is_no_certificate_is_named(self):
        self.refused({"ca": "nonsense.pem"}, "nonsense.pem holds no certificate", "openssl x509")

    def test_a_file_that_is_no_key_is_named(self):
        self.refused({"certificate": "client.pem", "key": "nonsense.pem"},
                     "nonsense.pem holds no private key", "openssl pkey")

    def test_a_key_of_another_certificate_is_told(self):
        self.refused({"certificate": "client.pem", "key": "other.key"}, "other.key",
                     "is not that of the certificate in", "client.pem", "made together")

    def test_a_certificate_without_its_key_is_told(self):
        self.refused({"certificate": "client.pem"}, "come together")


if __name__ == "__main__":
    e2e.main()
