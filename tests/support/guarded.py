"""A nats-server that not everybody may enter, with an open one beside it."""
import os
import shutil
import signal
import tempfile
import unittest

from support.case import StreamdCase
from support.certificates import Authority
from support.processes import NatsServer, free_port
from support.waiting import wait_until


class Pair:
    """Two nats-servers of one NATS cluster: `open` is for the clients of the
    tests, `guarded`, with a configuration of the test's, is for streamd."""

    def __init__(self, configuration, directory=None):
        self.own = directory is None
        self.directory = directory or tempfile.mkdtemp(prefix="streamd-test-")
        route = free_port()
        self.open = NatsServer(
            "-c", self.write("open.conf", self.cluster(route, "")))
        self.guarded = NatsServer(
            "-c", self.write("guarded.conf", configuration + self.cluster(
                free_port(), f'routes: ["nats://127.0.0.1:{route}"]')))

    @staticmethod
    def cluster(port, more):
        return ('\ncluster { name: "pair", listen: "127.0.0.1:%d", '
                "no_advertise: true, %s }\n" % (port, more))

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def forget(self):
        self.guarded.forget()
        self.open.forget()
        if self.own:
            shutil.rmtree(self.directory, ignore_errors=True)


class GuardedCase(StreamdCase):
    """A Pair for each test, started with start_pair()."""

    own_setup = True

    def setUp(self):
        super().setUp()
        self.directory = tempfile.mkdtemp(prefix="streamd-test-")
        self.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)

    def start_pair(self, configuration):
        self.pair = Pair(configuration, self.directory)
        self._processes += [self.pair.guarded, self.pair.open]
        return self.pair

    def write(self, name, text):
        path = os.path.join(self.directory, name)
        with open(path, "w") as file:
            file.write(text)
        return path

    def attach(self, *flags, **options):
        """Streamd on the guarded one, heard on the open one."""
        self.server = self.new_server(
            "-ns", self.pair.guarded.url, *flags, nats=self.pair.open,
            **options).start()
        self.wait_heard()
        return self.server

    def wait_heard(self):
        nats = self.connection()
        wait_until(lambda: nats.is_heard("_STAN.discover."
                                         + self.server.cluster),
                   "streamd is heard beyond its nats-server")

    def refusal(self, *flags):
        """The last line of a streamd that must not start."""
        server = self.new_server("-ns", self.pair.guarded.url, *flags,
                                 nats=self.pair.open)
        server.launch()
        self.assertEqual(server.wait(), 1)
        lines = [line for line in server.log().splitlines()
                 if "[FTL]" in line]
        self.assertEqual(len(lines), 1, server.log())
        return lines[0]


class OverTls(StreamdCase):
    """In front of a test class: the same with streamd behind TLS."""

    _pair = None

    @classmethod
    def shared_nats(cls):
        if OverTls._pair is None:
            directory = tempfile.mkdtemp(prefix="streamd-test-")
            ca = Authority(directory)
            ca.sign("server")
            ca.sign("client", "DNS:client")
            OverTls._pair = Pair(
                f'tls {{ cert_file: "{ca.path("server")}", '
                f'key_file: "{ca.key_path("server")}", '
                f'ca_file: "{ca.path("ca")}", verify: true }}', directory)
            OverTls._pair.own = True
            OverTls._ca = ca
            unittest.addModuleCleanup(OverTls._end_pair)
        return OverTls._pair.open

    @staticmethod
    def _end_pair():
        OverTls._pair.guarded.end(signal.SIGINT)
        OverTls._pair.forget()
        OverTls._pair = None

    def new_server(self, *flags, **options):
        self.shared_nats()
        ca = OverTls._ca
        server = super().new_server(
            *flags, "-ns", OverTls._pair.guarded.url,
            "-tls_client_cacert", ca.path("ca"),
            "-tls_client_cert", ca.path("client"),
            "-tls_client_key", ca.key_path("client"), **options)
        start = server.start

        def start_and_be_heard():
            start()
            nats = self.connection(server)
            wait_until(lambda: nats.is_heard("_STAN.discover."
                                             + server.cluster),
                       "streamd is heard beyond its nats-server")
            return server
        server.start = start_and_be_heard
        return server
