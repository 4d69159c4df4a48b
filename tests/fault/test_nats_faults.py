"""The NATS server or streamd stops, hangs, or the clock jumps, under load
(delivery.md sections 8.6 and 16); tests/blackbox/test_nats_server.py has the
plain cases."""
import random
import signal
import threading
import time
import unittest

from fault.controlled import ControlledCase
from support.case import StreamdCase, every_store
from support.stan import FIRST
from support.waiting import wait_until


def pass_seconds(seconds):
    """Time itself is the fault."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, "time passed")


class Load:
    """Publishes numbers until it is told to stop; outages are no reason."""

    def __init__(self, client, channel):
        self.client = client
        self.channel = channel
        self.count = 0
        self._guids = {}
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        while not self._stop.is_set():
            guid = f"load{self.count}"
            self._guids[guid] = self.count
            self.count += 1
            try:
                self.client.publish_async(
                    self.channel, b"%d" % self._guids[guid], guid)
                self._stop.wait(0.0005)
            except OSError:
                self._stop.wait(0.01)  # until the test has reconnected it

    def stop(self):
        self._stop.set()
        self._thread.join()

    def acked(self):
        return {self._guids[guid] for guid in self.client.acked()
                if guid in self._guids}


class NatsCase(StreamdCase):
    own_setup = True
    flags = ("-hbi", "1s", "-hbt", "1s", "-hbf", "2")

    def setUp(self):
        super().setUp()
        self.nats = self.start_nats()
        self.server = self.start_server(nats=self.nats)
        self.clients = [self.client(f"client{number}") for number in range(3)]
        self.publisher, *consumers = self.clients
        self.subscriptions = [
            consumers[0].subscribe("foo", ack_wait=1, max_in_flight=5000),
            consumers[0].subscribe("foo", durable="d", ack_wait=1,
                                   max_in_flight=5000)]
        self.group = [client.subscribe("foo", group="g", ack_wait=1,
                                       max_in_flight=5000)
                      for client in consumers]
        self.load = Load(self.publisher, "foo")
        self.addCleanup(self.load.stop)
        wait_until(lambda: len(self.load.acked()) > 100, "the load runs")

    def check(self):
        """Everything acked reached everybody, in order, and is stored."""
        self.load.stop()
        self.publisher.publish("foo", b"-1")
        probe = self.publisher.subscribe("foo", start=FIRST,
                                         max_in_flight=10000)
        stored = probe.wait_for(lambda m: m and m[-1].data == b"-1", "end")
        numbers = [int(message.data) for message in stored[:-1]]
        self.assertEqual(self.load.acked() - set(numbers), set())
        self.assertEqual(numbers, sorted(set(numbers)))
        sequences = {message.sequence for message in stored}
        self.assertEqual(sequences, set(range(1, len(stored) + 1)))
        for subscription in self.subscriptions:
            subscription.wait_for(
                lambda messages: {m.sequence for m in messages} >= sequences,
                "everything")
            new = [m.sequence for m in subscription.messages
                   if not m.redelivered]
            self.assertEqual(new, sorted(set(new)))
        wait_until(lambda: set(self.group[0].sequences())
                   | set(self.group[1].sequences()) >= sequences,
                   "everything in the group")
        for client in self.clients:
            self.assertEqual(client.ping(), "")


@every_store
class NatsFaults(NatsCase):
    def test_nats_hangs_for_some_seconds(self):
        """Longer than heartbeats are waited for: nobody is thrown out who
        could not answer"""
        self.nats.send(signal.SIGSTOP)
        pass_seconds(1.5)
        self.nats.send(signal.SIGCONT)
        self.check()

    def test_streamd_hangs_past_the_heartbeats(self):
        """A server that slept must not take its own sleep for the silence of
        its clients"""
        for _ in range(2):
            before = len(self.load.acked())
            self.server.send(signal.SIGSTOP)
            pass_seconds(4)
            self.server.send(signal.SIGCONT)
            wait_until(lambda: len(self.load.acked()) > before,
                       "acks come again")
        self.check()

    def test_nats_is_killed_again_and_again(self):
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        for number in range(1, 5):
            with self.subTest(seed=seed):
                self.nats.end(chance.choice((signal.SIGKILL, signal.SIGINT)))
                self.server.wait_log("has been disconnected", number)
                pass_seconds(chance.uniform(0, 0.5))
                self.nats.start()
                self.server.wait_log("reconnected to NATS Server", number)
                for client in self.clients:
                    client.nats.reconnect()
                pass_seconds(chance.uniform(0, 0.3))
        self.check()


class BothGone(NatsCase):
    store = "file"

    def test_streamd_is_killed_while_nats_is_gone(self):
        self.nats.end(signal.SIGKILL)
        self.server.wait_log("has been disconnected")
        self.server.kill()
        self.nats.start()
        for client in self.clients:
            client.nats.reconnect()
        self.server.start()
        wait_until(lambda: self.publisher.ping() == "", "served again")
        self.check()


class ClockSteps(ControlledCase):
    def setUp(self):
        super().setUp()
        self.start_controlled("-ma", "10m")
        self.me = self.client("me")

    def stamps(self, count):
        got = self.me.subscribe("foo", start=FIRST).wait(count)
        return [message.timestamp for message in got]

    def test_an_hour_back_timestamps_rise_and_nothing_waits_longer(self):
        self.me.publish("foo", b"1", b"2")
        self.control.set(clock=-3600)
        slow = self.me.subscribe("foo", manual=True, ack_wait=1)
        self.me.publish("foo", b"3")
        slow.wait_redelivery(3, 2)
        self.restart_server()
        self.me.publish("foo", b"4")
        stamps = self.stamps(4)
        self.assertEqual(stamps, sorted(set(stamps)))

    def test_an_hour_ahead_messages_age_and_clients_stay(self):
        self.me.publish("foo", b"1", b"2")
        self.control.set(clock=3600)
        self.restart_server()
        self.assertEqual(self.me.ping(), "")
        self.me.publish("foo", b"3")
        got = self.me.subscribe("foo", start=FIRST).wait(1)
        self.assertEqual([m.sequence for m in got], [3])
        self.control.set()
        self.me.publish("foo", b"4")
        stamps = self.stamps(2)
        self.assertEqual(stamps, sorted(set(stamps)))

    def test_an_hour_ahead_while_serving_messages_age(self):
        self.me.publish("foo", b"1")
        self.control.set(clock=3600)
        self.me.publish("foo", b"2")
        wait_until(lambda: self.first() == 2, "the first message expired")
        self.assertEqual(self.me.ping(), "")

    def first(self):
        probe = self.me.subscribe("foo", start=FIRST)
        sequence = probe.wait(1)[0].sequence
        self.me.unsubscribe(probe)
        return sequence


if __name__ == "__main__":
    unittest.main()
