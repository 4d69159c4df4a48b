"""The debug lines about subscriptions, which tools read (delivery.md section
19)."""
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST, LAST_RECEIVED, SEQUENCE


@every_store
class SubscriptionLog(StreamdCase):
    flags = ("-SD",)

    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def assertLine(self, action, subscription, what="", number=1, start=""):
        line = (f"[DBG] STREAM: [Client:me] {action} subscription, "
                f"subject=foo, inbox={subscription.inbox},{what} "
                f"subid={number}{start}\n")
        self.assertIn(line, self.server.log())

    def test_plain(self):
        """E220"""
        subscription = self.me.subscribe("foo")
        self.me.unsubscribe(subscription)
        self.assertLine("Started new", subscription,
                        start=", sending new-only, seq=1")
        self.assertLine("Removed", subscription)

    def test_durable(self):
        """E220"""
        first = self.me.subscribe("foo", durable="d", start=FIRST)
        self.me.close_subscription(first)
        second = self.me.subscribe("foo", durable="d")
        self.me.unsubscribe(second)
        what = " durable=d,"
        self.assertLine("Started new durable", first, what,
                        start=", sending from beginning, seq=1")
        self.assertLine("Suspended durable", first, what)
        self.assertLine("Resumed durable", second, what)
        self.assertLine("Removed durable", second, what)

    def test_queue(self):
        """E220"""
        self.me.publish("foo", b"1", b"2")
        first = self.me.subscribe("foo", group="g", start=LAST_RECEIVED)
        second = self.me.subscribe("foo", group="g")
        self.me.unsubscribe(first)
        self.me.close_subscription(second)
        what = " queue=g,"
        self.assertLine("Started new queue", first, what,
                        start=", sending last message, seq=2")
        self.assertLine("Added member to queue", second, what, 2)
        self.assertLine("Removed member from queue", first, what)
        self.assertLine("Removed queue", second, what, 2)

    def test_durable_queue(self):
        """E220, E109"""
        options = {"group": "g", "durable": "d"}
        first = self.me.subscribe("foo", start=SEQUENCE, sequence=10,
                                  **options)
        second = self.me.subscribe("foo", **options)
        self.me.close_subscription(first)
        self.me.close_subscription(second)
        third = self.me.subscribe("foo", **options)
        self.me.unsubscribe(third)
        what = " queue=d:g,"
        self.assertLine(
            "Started new durable queue", first, what,
            start=", sending from sequence, asked_seq=10 actual_seq=1")
        self.assertLine("Added member to durable queue", second, what, 2)
        self.assertLine("Removed member from durable queue", first, what)
        self.assertLine("Suspended durable queue", second, what, 2)
        self.assertLine("Resumed durable queue", third, what, 2)
        self.assertLine("Removed durable queue", third, what, 2)


if __name__ == "__main__":
    unittest.main()
