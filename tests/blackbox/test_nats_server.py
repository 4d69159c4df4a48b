"""The NATS server stops and comes back (delivery.md section 8.6)."""
import signal
import time
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST
from support.waiting import wait_until


@every_store
class NatsServerRestart(StreamdCase):
    own_setup = True

    def setUp(self):
        super().setUp()
        self.nats = self.start_nats()
        self.server = self.start_server(nats=self.nats)
        self.me = self.client("me")

    def restart_nats(self, number):
        self.nats.end(number)
        self.server.wait_log("has been disconnected")
        self.nats.start()
        self.server.wait_log("reconnected to NATS Server")
        self.me.nats.reconnect()

    def test_clients_and_subscriptions_carry_on(self):
        """Killed and stopped; what was there is there"""
        subscription = self.me.subscribe("foo", durable="d")
        self.me.publish("foo", b"1")
        subscription.wait(1)
        self.restart_nats(signal.SIGKILL)
        self.assertEqual(self.me.ping(), "")
        self.me.publish("foo", b"2")
        got = subscription.wait(2)
        self.assertEqual([m.sequence for m in got[:2]], [1, 2])
        self.assertTrue(self.server.running())

    def test_a_redelivery_is_not_heaped_up_meanwhile(self):
        """E145, delivery.md 8.6: rounds that fall into the outage are not
        sent in a heap afterwards"""
        subscription = self.me.subscribe("foo", manual=True, ack_wait=1)
        self.me.publish("foo", b"1")
        subscription.wait(1)
        self.nats.end(signal.SIGINT)
        self.server.wait_log("has been disconnected")
        pass_seconds(2.5)
        self.nats.start()
        self.server.wait_log("reconnected to NATS Server")
        self.me.nats.reconnect()
        seen = len(subscription.messages)
        again = subscription.wait(seen + 1)
        subscription.ack(1)
        self.settle(self.me)
        self.assertLessEqual(len(subscription.messages) - seen, 2)
        self.assertEqual({m.sequence for m in again}, {1})

    def test_publishes_are_not_lost_once_acked(self):
        """What was acked before the outage is stored"""
        guids = {self.me.publish_async("foo", str(n).encode()): n
                 for n in range(500)}
        self.me.wait_acks(list(guids)[:100])
        self.nats.end(signal.SIGKILL)
        acked = {guids[guid] for guid in self.me.acked()}
        self.server.wait_log("has been disconnected")
        self.nats.start()
        self.server.wait_log("reconnected to NATS Server")
        self.me.nats.reconnect()
        subscription = self.me.subscribe("foo", start=FIRST)
        subscription.wait_for(
            lambda messages: acked <= {int(m.data) for m in messages},
            "everything that was acked")


def pass_seconds(seconds):
    """The outage must outlast rounds of redelivery: time itself is the
    condition."""
    end = time.monotonic() + seconds
    wait_until(lambda: time.monotonic() > end, "time passed")


if __name__ == "__main__":
    unittest.main()
