# SPDX-License-Identifier: Apache-2.0
"""A real Kafka broker (KRaft, one node) for the tests, on ports of its own; scripts/get-kafka fetches
its jars once, outside the checkout. kcat, another client than the agent's, reads topics back."""
import pathlib
import re
import shutil
import subprocess
import tempfile

import flowtrace_e2e as e2e

CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg"
USER, PASSWORD = "alice", "alice-secret"
SCRAM_USER, SCRAM_PASSWORD = "bob", "bob-secret"

PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listeners=CONTROLLER://127.0.0.1:{controller},{listeners}
advertised.listeners={listeners}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,\
SASL_PLAINTEXT:SASL_PLAINTEXT,SSL:SSL,SASL_SSL:SASL_SSL
log.dirs={directory}/data
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
num.partitions=4
"""

SECURITY = """\
sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256
listener.name.sasl_plaintext.plain.sasl.jaas.config={plain}
listener.name.sasl_ssl.plain.sasl.jaas.config={plain}
listener.name.sasl_plaintext.scram-sha-256.sasl.jaas.config={scram}
listener.name.sasl_ssl.scram-sha-256.sasl.jaas.config={scram}
ssl.keystore.type=PEM
ssl.keystore.location={directory}/all.pem
ssl.truststore.type=PEM
ssl.truststore.location={certificates}/ca.pem
ssl.client.auth=requested
"""
MODULES = "org.apache.kafka.common.security"
PLAIN = f'{MODULES}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";'
SCRAM = f"{MODULES}.scram.ScramLoginModule required;"


class Kafka(e2e.Program):
    """With certificates (tests/make-certificates) it listens for TLS and SASL, too. Its data stays
    in the directory, so that start() after stop() goes on where it was. `more`: further lines of its
    properties."""

    def __init__(self, directory, certificates=None, version="4.4.0", more=""):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="kafka-", dir=directory))
        self.jars = self.get(version)
        names = ["PLAINTEXT"]
        if certificates:
            names += ["SASL_PLAINTEXT", "SSL", "SASL_SSL"]
        controller, *ports = e2e.free_ports(1 + len(names))
        self.ports = dict(zip(names, ports))
        properties = PROPERTIES.format(
            controller=controller, directory=self.directory,
            listeners=",".join(f"{n}://127.0.0.1:{p}" for n, p in self.ports.items()))
        properties += more
        if certificates:
            self.join_pem(certificates)
            properties += SECURITY.format(plain=PLAIN, scram=SCRAM, directory=self.directory,
                                          certificates=certificates)
        self.config = self.directory / "server.properties"
        self.config.write_text(properties)
        self.format(certificates)
        self.start()

    @staticmethod
    def get(version):
        got = subprocess.run([e2e.ROOT / "scripts" / "get-kafka", version], capture_output=True,
                             text=True, check=False)
        if got.returncode:
            raise AssertionError(f"Kafka could not be fetched: {got.stderr}")
        return got.stdout.splitlines()[-1]

    def java(self, *arguments):
        return ["java", "-Xms128m", "-Xmx384m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
                "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "-cp", f"{self.jars}/*",
                *map(str, arguments)]

    def join_pem(self, certificates):
        parts = [certificates / name for name in ("server.key", "server.pem", "ca.pem")]
        (self.directory / "all.pem").write_text("".join(p.read_text() for p in parts))

    def format(self, scram):
        user = ["--add-scram", f"SCRAM-SHA-256=[name={SCRAM_USER},password={SCRAM_PASSWORD}]"]
        done = subprocess.run(
            self.java("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", self.config,
                      *(user if scram else ["--ignore-formatted"])),
            capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"Kafka's storage was not formatted: {done.stdout}{done.stderr}")

    def start(self):
        super().__init__(self.directory, "broker", self.java("kafka.Kafka", self.config))
        for port in self.ports.values():
            self.wait_port(port, 60)

    def stop(self, seconds=30):
        """Without ceremony: a broker that stops in an orderly way takes ten seconds for it."""
        self.process.kill()
        return self.process.wait(seconds)

    def brokers(self, listener="PLAINTEXT"):
        return f"127.0.0.1:{self.ports[listener]}"

    def messages(self, topic):
        """(key, value) of all messages of a topic, as kcat reads them; [] where there is none."""
        read = subprocess.run(
            [shutil.which("kcat"), "-b", self.brokers(), "-C", "-t", topic, "-e", "-q", "-o",
             "beginning", "-f", "%K %S %k%s\n"], capture_output=True, check=False)
        if b"Unknown topic" in read.stderr:
            return []
        if read.returncode:
            raise AssertionError(f"kcat: {read.stderr.decode()}")
        return list(self.split(read.stdout))

    @staticmethod
    def split(data):
        at = 0
        while head := re.compile(rb"(-?\d+) (\d+) ").match(data, at):
            key = max(int(head[1]), 0)
            value = head.end() + key
            end = value + int(head[2])
            yield data[head.end():value].decode(), data[value:end]
            at = end + 1
        if at != len(data):
            raise AssertionError(f"kcat's output is not understood at {at} of {len(data)}")
