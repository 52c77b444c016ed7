#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TLS of programs in roots of their own: a library on a file system that only its mount namespace
has, and one image under two overlays, as containers have it, whose files get their probes once."""
import os
import re
import time

import flowtrace_e2e as e2e
from tls_e2e import PEERS, build_go_peer, make_certificates, nginx_command, run

REQUESTS = 8
# "$1" is the image, "$2" an empty directory, the rest what is run there.
PRIVATE = ('mount -t tmpfs tmpfs "$2" && cp -a "$1"/. "$2" && root=$2 && shift 2 && '
           'exec chroot "$root" "$@"')
OVERLAY = ('mount -t tmpfs tmpfs "$2" && mkdir "$2/upper" "$2/work" "$2/root" && '
           'mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" overlay "$2/root" '
           '&& root=$2/root && shift 2 && exec chroot "$root" "$@"')


class Containers(e2e.Case):
    prefix = e2e.unique("box")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        make_certificates(cls.directory)
        cls.image = cls.make_image()
        cls.port = e2e.free_port()
        d = cls.directory
        cls.keep(e2e.Program(d, "nginx", nginx_command(d, cls.port))).wait_port(cls.port)
        cls.agent = cls.keep(e2e.Agent(d, "--set", f"select.ports={cls.port}", "--set",
                                       "log.level=info").wait_ready())
        cls.good = {}
        cls.ask_all("private", PRIVATE, ["c"])
        cls.ask_all("first", OVERLAY, ["c", "go"])
        cls.ask_all("second", OVERLAY, ["c", "go"])
        time.sleep(0.5)
        cls.agent.stop()
        cls.spans = cls.agent.spans()

    @classmethod
    def make_image(cls):
        """A root with a C program, the libraries that it needs, and a Go program."""
        image = cls.directory / "image"
        for folder in ("tmp", "etc"):
            (image / folder).mkdir(parents=True)
        run("gcc", "-w", "-o", image / "c", PEERS / "client_openssl.c", "-lssl", "-lcrypto")
        libraries = re.findall(r"(/\S+) \(0x", run("ldd", image / "c"))
        cls.library = next(library for library in libraries if "libssl" in library)
        for library in libraries:
            place = image / library.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            run("cp", "-L", library, place)
        build_go_peer(image / "go", CGO_ENABLED="0")
        run("cp", cls.directory / "ca.pem", image / "ca.pem")
        return image

    @classmethod
    def ask_all(cls, box, script, programs):
        for program in programs:
            root = cls.directory / f"{box}-{program}"
            root.mkdir()
            paths = [f"/{cls.prefix}/{box}/{program}/{i}" for i in range(REQUESTS)]
            command = {"c": ["/c", "/ca.pem", "127.0.0.1", cls.port, *paths],
                       "go": ["/go", "get"] + [f"https://127.0.0.1:{cls.port}{p}" for p in paths]}
            said = run("unshare", "--mount", "sh", "-c", script, "sh", cls.image, root,
                       *command[program], env={**os.environ, "SSL_CERT_FILE": "/ca.pem"})
            cls.good[f"{box}/{program}"] = int(said)

    def paths_of(self, name, kind):
        start = f"/{self.prefix}/{name}/"
        return sorted(s.path for s in self.spans if s.kind == kind and s.path.startswith(start))

    def test_every_request_is_one_client_and_one_server_span(self):
        self.assertEqual(self.good, dict.fromkeys(self.good, REQUESTS))
        for name in self.good:
            for kind in (e2e.KIND_CLIENT, e2e.KIND_SERVER):
                with self.subTest(f"{name}, kind {kind}"):
                    self.assertEqual(self.paths_of(name, kind),
                                     [f"/{self.prefix}/{name}/{i}" for i in range(REQUESTS)])

    def test_a_file_of_one_image_gets_its_probes_once(self):
        probed = re.findall(r"functions of \w+ in (\S+)", self.agent.errors())
        self.assertEqual(probed.count("/go"), 1)
        self.assertEqual(probed.count(self.library), 2)  # the private copy of it, and the image's


if __name__ == "__main__":
    e2e.main()
