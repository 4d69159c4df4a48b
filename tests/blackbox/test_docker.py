"""What can be proven of docker/ without an engine: the scripts do as they
should, package lists agree with ./dev and with what is linked, the files load,
and the flags in them exist."""
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from support.case import StreamdCase
from support.processes import free_port

ROOT = pathlib.Path(__file__).parents[2]
DOCKER = ROOT / "docker"


def load_yaml(path):
    """By the yaml package of Debian or of node, whichever is there."""
    import yaml
    return list(yaml.safe_load_all(path.read_text()))


class Scripts(StreamdCase):
    own_setup = True

    def entry(self, *arguments):
        directory = tempfile.mkdtemp(prefix="streamd-test-")
        self.addCleanup(shutil.rmtree, directory)
        program = os.path.join(directory, "nats-streaming-server")
        with open(program, "w") as file:
            file.write('#!/bin/sh\necho server "$@"\n')
        os.chmod(program, 0o755)
        return subprocess.run(
            [DOCKER / "docker-entrypoint.sh", *arguments],
            env={"PATH": directory + ":" + os.environ["PATH"]},
            stdout=subprocess.PIPE, text=True, check=True).stdout.strip()

    def test_flags_and_nothing_are_for_the_server(self):
        self.assertEqual(self.entry(), "server")
        self.assertEqual(self.entry("-m", "8222", "a b"), "server -m 8222 a b")
        self.assertEqual(self.entry("--cid=x"), "server --cid=x")

    def test_anything_else_is_a_command(self):
        self.assertEqual(self.entry("nats-streaming-server", "-m", "1"),
                         "server -m 1")
        self.assertEqual(self.entry("echo", "-n", "x"), "x")

    def healthy(self, process="/nonexistent", port=""):
        return subprocess.run(
            [DOCKER / "docker-healthcheck"], stderr=subprocess.DEVNULL,
            env={**os.environ, "MONITOR_PORT": port, "PROCESS": process}
        ).returncode == 0

    def process(self, *words):
        """A folder like /proc/1 of a process with that command line."""
        directory = tempfile.mkdtemp(prefix="streamd-test-")
        self.addCleanup(shutil.rmtree, directory)
        with open(os.path.join(directory, "cmdline"), "wb") as file:
            file.write(b"".join(w.encode() + b"\0" for w in words))
        return directory

    def test_health_is_that_the_server_answers(self):
        port = str(free_port())
        self.assertFalse(self.healthy(port=port))
        server = self.start_server("-m", port)
        self.assertTrue(self.healthy(port=port))
        for flags in (("-m", port), ("--m", port), (f"-m={port}",),
                      ("-cid", "x", f"--http_port={port}")):
            self.assertTrue(self.healthy(self.process("streamd", *flags)))
        server.end()
        self.assertFalse(self.healthy(self.process("streamd", "-m", port)))

    def test_without_monitoring_nothing_can_be_asked(self):
        self.assertTrue(self.healthy(self.process("streamd", "-cid", "x")))


def words_between(text, start, end):
    return set(text.split(start, 1)[1].split(end, 1)[0].replace(
        "\\\n", " ").split())


class Packages(unittest.TestCase):
    NOT_TO_BUILD = {"clang", "clang-format", "clang-tidy", "libclang-rt-dev",
                    "nats-server", "libcmocka-dev"}

    def setUp(self):
        text = (DOCKER / "Dockerfile").read_text()
        _, first, second = text.split("\nFROM ")
        start = "--no-install-recommends"
        self.build = words_between(first, start, "\nWORKDIR")
        self.run_time = words_between(second, start, "&&")

    def test_those_to_build_are_those_of_dev(self):
        dev = words_between((ROOT / "dev").read_text(), 'PACKAGES="', '"')
        self.assertEqual(self.build, dev - self.NOT_TO_BUILD)

    @unittest.skipUnless(shutil.which("dpkg-query"), "no Debian")
    def test_those_to_run_are_those_linked(self):
        dynamic = subprocess.run(["readelf", "-d", os.environ["STREAMD"]],
                                 stdout=subprocess.PIPE, text=True,
                                 check=True).stdout
        libraries = [
            library for library in re.findall(r"NEEDED.*\[(.*)\]", dynamic)
            if not re.match(r"lib(c|m|asan|ubsan|tsan|gcc_s)\.", library)]
        owners = subprocess.run(
            ["dpkg-query", "-S", *(f"*/{name}" for name in libraries)],
            text=True, stdout=subprocess.PIPE, check=True).stdout
        for library in libraries:
            names = {line.split(":")[0] for line in owners.splitlines()
                     if line.endswith("/" + library)}
            self.assertTrue(names & self.run_time, f"{library}: {names}")

    def test_no_image_is_named_but_of_debian_and_nats(self):
        names = set()
        for path in DOCKER.iterdir():
            names |= set(re.findall(r"^(?:FROM|\s*image:) *(\S+)",
                                    path.read_text(), re.MULTILINE))
        self.assertEqual(names, {"debian:12-slim", "nats:2-alpine", "nats:2",
                                 "streamd"})


class Manifests(StreamdCase):
    own_setup = True

    def run_briefly(self, arguments):
        """The server takes these arguments, apart from where NATS and the
        directory are."""
        directory = tempfile.mkdtemp(prefix="streamd-test-")
        self.addCleanup(shutil.rmtree, directory)
        server = self.new_server(
            *arguments, "-ns", self.shared_nats().url, "-dir", directory,
            "-m", str(free_port()), nats=self.shared_nats())
        server.start()
        server.end()

    def test_compose(self):
        try:
            compose, = load_yaml(DOCKER / "docker-compose.yml")
        except ImportError:
            self.skipTest("python has no yaml")
        service = compose["services"]["streamd"]
        self.assertTrue((DOCKER / service["build"]["context"] /
                         service["build"]["dockerfile"]).is_file())
        self.run_briefly(service["command"])

    def test_kubernetes(self):
        try:
            config, _, stateful = load_yaml(DOCKER / "kubernetes.yaml")
        except ImportError:
            self.skipTest("python has no yaml")
        self.assertEqual(
            stateful["spec"]["selector"]["matchLabels"],
            stateful["spec"]["template"]["metadata"]["labels"])
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as file:
            file.write(config["data"]["stan.conf"])
            file.flush()
            self.run_briefly(["-sc", file.name])

    def test_unit(self):
        unit = (DOCKER / "streamd.service").read_text()
        for line in ("Type=notify", "SuccessExitStatus=143",
                     "KillMode=mixed"):
            self.assertIn("\n" + line + "\n", unit)


if __name__ == "__main__":
    unittest.main()
