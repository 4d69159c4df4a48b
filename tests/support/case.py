"""The base of the black-box tests."""
import signal
import sys
import unittest

from support.nats import NatsConnection, unique
from support.processes import NatsServer, Streamd
from support.stan import FIRST, Client, StanError
from support.waiting import wait_until

STORES = ("memory", "file")


def every_store(case):
    """Makes of a test class one for each kind of store."""
    module = sys.modules[case.__module__]
    for store in STORES:
        name = f"{case.__name__}_{store}"
        body = {"store": store, "__module__": case.__module__}
        setattr(module, name, type(name, (case,), body))


class StreamdCase(unittest.TestCase):
    """A fresh server, with a cluster ID of its own, for each test; all tests
    of a process share one nats-server. Set flags, or own_setup and call
    start_server(), where a test needs other servers."""

    store = "memory"
    flags = ()
    own_setup = False
    _shared_nats = None

    @classmethod
    def shared_nats(cls):
        if StreamdCase._shared_nats is None:
            StreamdCase._shared_nats = NatsServer()
            unittest.addModuleCleanup(StreamdCase._end_shared_nats)
        return StreamdCase._shared_nats

    @staticmethod
    def _end_shared_nats():
        StreamdCase._shared_nats.end(signal.SIGINT)
        StreamdCase._shared_nats.forget()
        StreamdCase._shared_nats = None

    def run(self, result=None):
        """As ever, and the servers' logs behind a failure."""
        self._processes = []
        before = len(result.failures) + len(result.errors)
        super().run(result)
        if len(result.failures) + len(result.errors) > before:
            for process in self._processes:
                log = process.log()[-20000:]
                print(f"--- log of {type(process).__name__} in {self.id()}\n"
                      f"{log}---", file=sys.stderr)
        for process in self._processes:
            process.forget()
        return result

    def setUp(self):
        if not self.own_setup:
            self.server = self.start_server(nats=self.shared_nats())

    def start_nats(self, *flags):
        nats = NatsServer(*flags)
        self._processes.append(nats)
        return nats

    def new_server(self, *flags, cluster=None, store=None, **options):
        cluster = cluster or unique("t").replace(".", "-")
        server = Streamd(cluster, *self.flags, *flags,
                         store=store or self.store, **options)
        self._processes.append(server)
        self.addCleanup(self._end_well, server)
        return server

    def start_server(self, *flags, **options):
        return self.new_server(*flags, **options).start()

    def _end_well(self, server):
        """A server still there at the end of a test must end as it should; a
        sanitizer that found something shows here."""
        if server.running():
            self.assertEqual(server.end(), 143, "exit status after SIGTERM")

    def restart_server(self, *flags, number=signal.SIGKILL):
        """On the same store, with the flags if any are given. (A memory store
        forgets.) What the server had sent is noted as sent by then: that is
        stored just behind the sending, and a kill right between the two is the
        affair of tests/fault."""
        self.client(unique("settler").replace(".", "-")).close()
        if flags:
            self.server.flags = [*self.flags, *flags]
        self.server.restart(number)

    def connection(self, server=None, login=None):
        nats = NatsConnection((server or self.server).port, login=login)
        self.addCleanup(nats.close)
        return nats

    def client(self, client_id="me", server=None, login=None, **options):
        server = server or self.server
        return Client(self.connection(server, login), server.cluster,
                      client_id, **options)

    def cut(self, client):
        """The client vanishes without a word, and NATS has noticed."""
        client.nats.close()
        other = self.connection()
        wait_until(lambda: not other.is_heard(client.heartbeat_inbox),
                   "nobody listens for heartbeats")

    def connect_error(self, client_id, **options):
        """The text with which a connect is refused."""
        with self.assertRaises(StanError) as caught:
            self.client(client_id, **options)
        return str(caught.exception)

    def assertRefused(self, text, function, *arguments, **options):
        """function(...) fails with exactly the server's text."""
        with self.assertRaises(StanError) as caught:
            function(*arguments, **options)
        self.assertEqual(str(caught.exception), text)

    def assertStored(self, channel, payloads, server=None):
        """The channel holds exactly these payloads, in this order."""
        reader = self.client(unique("reader").replace(".", "-"), server)
        subscription = reader.subscribe(channel, start=FIRST)
        subscription.wait(len(payloads))
        end = reader.publish_async(channel, b"end of test")
        reader.wait_acks([end])
        subscription.wait(len(payloads) + 1)
        got = [message.data for message in subscription.messages[:-1]]
        self.assertEqual(got, list(payloads))
        reader.close()

    def is_empty(self, client, channel):
        """Whether a new subscription finds nothing in the channel."""
        probe = client.subscribe(channel, start=FIRST)
        self.settle(client)
        client.unsubscribe(probe)
        return not probe.messages

    def settle(self, client):
        """Returns when all the server had sent this client has arrived: a
        publish is delivered after what was due before it."""
        marker = client.subscribe("settle")
        client.publish("settle", b"")
        marker.wait(1)
        client.unsubscribe(marker)
