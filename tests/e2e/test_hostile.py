#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile, truncated and garbage bytes on traced connections: the agent lives, its memory stays
flat, its accounts close, and the other connections are traced as if nothing were."""
import random
import socket
import threading
import time

import flowtrace_e2e as e2e

ROUNDS = 400
MEMORY_GROWTH_KIB = 24 * 1024


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def attacks(rng):
    """Byte strings that begin like messages and go wrong."""
    noise = rng.randbytes(rng.randrange(1, 3000))
    head = b"GET /" + bytes(rng.choices(b"abc/%?&=\x00\xff", k=200)) + b" HTTP/1.1\r\n"
    yield noise
    yield head[:rng.randrange(len(head))]
    yield head + b"Content-Length: 99999999999999999999\r\n\r\n"
    yield head + b"Content-Length: -1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n" + noise
    yield head + b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n" + noise
    yield head + b"X: " + b"y" * 60000
    yield head + b"\r\n".join(b"H%d: v" % i for i in range(5000))
    yield b"GET / HTTP/1.1\r\n\r\n" * 300
    yield b"HTTP/1.1 200 OK\r\n\r\n" + noise
    yield b"HTTP/1.1 999 \r\nContent-Length: 5\r\n\r\n" + noise
    yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + noise
    yield b"\r\n" * 5000
    yield b"traceparent: 00-" + noise


class Hostile(e2e.Case):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.flow = cls.keep(e2e.Flow(cls.directory))
        agent = cls.keep(e2e.Agent(cls.directory, exports=["none",
                                                           f"file:{cls.directory}/agent.jsonl"])
                         .wait_ready())
        cls.listener = socket.create_server(("127.0.0.1", 0))
        sink = threading.Thread(target=cls.answer_with_the_same, daemon=True)
        sink.start()
        cls.attack(60)
        time.sleep(0.5)
        cls.before = resident_kib(agent.process.pid)
        shopper = cls.keep(e2e.start_shopper(cls.directory, cls.flow.port, "--requests", "100"))
        cls.attack(ROUNDS)
        shopper.wait()
        cls.truth = e2e.answers_of(shopper)
        time.sleep(0.5)
        cls.after = resident_kib(agent.process.pid)
        cls.listener.close()
        cls.status = agent.stop()
        cls.totals, cls.spans = agent.totals(), agent.spans()

    @classmethod
    def answer_with_the_same(cls):
        """Both directions of a connection carry the attack."""
        while True:
            try:
                peer, _ = cls.listener.accept()
            except OSError:
                return
            with peer:
                try:
                    peer.settimeout(0.2)
                    peer.send(peer.recv(65536))
                except OSError:
                    pass

    @classmethod
    def attack(cls, rounds):
        rng = random.Random(4711)
        for i in range(rounds):
            for n, data in enumerate(attacks(rng)):
                if (i + n) % 13:
                    continue
                port = cls.flow.port if i % 2 else cls.listener.getsockname()[1]
                with socket.create_connection(("127.0.0.1", port)) as s:
                    try:
                        while data:
                            cut = rng.randrange(1, 4000)
                            s.send(data[:cut])
                            data = data[cut:]
                        s.settimeout(0.02)
                        s.recv(4096)
                    except OSError:
                        pass

    def test_the_agent_lives_and_ends_with_status_0(self):
        self.assertEqual(self.status, 0)

    def test_its_memory_stays_flat(self):
        print(f"{self.before} KiB, then {self.after} KiB ... ", end="")
        self.assertLess(self.after - self.before, MEMORY_GROWTH_KIB)

    def test_the_accounts_close(self):
        used = e2e.sum_of(self.totals, "Operations used") + e2e.sum_of(self.totals,
                                                                       "Operations lost")
        self.assertEqual(self.totals["operations"], used, self.totals)
        exchanges = (e2e.sum_of(self.totals, "Exchanges used") +
                     e2e.sum_of(self.totals, "Exchanges lost"))
        self.assertEqual(self.totals["exchanges"], exchanges, self.totals)

    def test_the_other_connections_are_traced_as_before(self):
        self.assertEqual(len(self.truth), 100)
        for name in self.truth:
            kinds = sorted(s.kind for s in self.spans if s.id == name)
            self.assertEqual(kinds, [e2e.KIND_SERVER] * 3 + [e2e.KIND_CLIENT] * 3, name)


if __name__ == "__main__":
    e2e.main()
