"""Redelivery of what was not acked in time (delivery.md sections 7, 8)."""
import time
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST
from support.waiting import wait_until

SECOND = 10**9


def redelivered(messages, sequence):
    return [m for m in messages if m.sequence == sequence and m.redelivered]


@every_store
class Redelivery(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def test_each_message_has_its_own_ack_wait(self):
        """E136: redeliveries come not before a whole ack wait, and not
        later than the next"""
        arrived = {}
        subscription = self.me.subscribe(
            "foo", manual=True, ack_wait=1,
            on_message=lambda s, m: arrived.setdefault(
                m.sequence, []).append(time.monotonic()))
        self.me.publish("foo", b"1")
        half = time.monotonic() + 0.5
        wait_until(lambda: time.monotonic() > half, "half an ack wait")
        self.me.publish("foo", b"2")
        subscription.wait_redelivery(1, 2)
        subscription.wait_redelivery(2, 2)
        for times in arrived.values():
            for before, after in zip(times[:2], times[1:3]):
                self.assertGreater(after - before, 0.5)
                self.assertLess(after - before, 1.7)

    def test_what_the_limits_dropped_does_not_come_again(self):
        """E138"""
        self.server.end()
        self.server = self.start_server("-mm", "3", nats=self.server.nats)
        self.me = self.client("me")
        subscription = self.me.subscribe("foo", manual=True, ack_wait=1)
        self.me.publish("foo", b"1", b"2", b"3", b"4")
        subscription.wait(4)
        subscription.wait_redelivery(4, 2)
        again = [m.sequence for m in subscription.messages[4:]]
        self.assertEqual(again[:6], [2, 3, 4, 2, 3, 4])

    def test_only_to_the_subscription_that_did_not_ack(self):
        """E139"""
        silent = self.me.subscribe("foo", manual=True, ack_wait=1)
        acking = self.me.subscribe("foo")
        self.me.publish("foo", b"1")
        silent.wait_redelivery(1)
        later = self.me.subscribe("foo", start=FIRST)
        silent.wait_redelivery(1, 2)
        for subscription in (acking, later):
            message, = subscription.messages
            self.assertFalse(message.redelivered)
            self.assertEqual(message.redelivery_count, 0)

    def test_redeliveries_are_counted(self):
        """E141, first half"""
        subscription = self.me.subscribe("foo", manual=True, ack_wait=1)
        self.me.publish("foo", b"1")
        got = subscription.wait(4)
        self.assertEqual([m.redelivery_count for m in got[:4]], [0, 1, 2, 3])
        self.assertEqual([m.redelivered for m in got[:4]],
                         [False, True, True, True])

    def test_the_count_of_a_group_goes_on_over_its_members(self):
        """E142"""
        members = [self.me.subscribe("foo", manual=True, group="g",
                                     ack_wait=1) for _ in "12"]
        self.me.publish("foo", b"1")
        wait_until(lambda: sum(len(m.messages) for m in members) >= 5,
                   "four redeliveries")
        got = sorted(m.redelivery_count for member in members
                     for m in list(member.messages))
        self.assertEqual(got[:5], [0, 1, 2, 3, 4])

    def test_a_new_ack_wait_counts_from_the_resume_on(self):
        """E230"""
        durable = self.me.subscribe("foo", manual=True, durable="d",
                                    ack_wait=3600)
        self.me.publish("foo", b"1")
        durable.wait(1)
        self.me.close_subscription(durable)
        again = self.me.subscribe("foo", manual=True, durable="d",
                                  ack_wait=1)
        self.me.publish("foo", b"2")
        again.wait_redelivery(2)

    def test_redeliveries_go_to_the_same_inbox_with_the_same_content(self):
        """delivery.md 8.3"""
        subscription = self.me.subscribe("foo", manual=True, ack_wait=1)
        self.me.publish("foo", b"content")
        first, again = subscription.wait(2)[:2]
        for name in ("sequence", "channel", "data", "timestamp", "reply"):
            self.assertEqual(getattr(first, name), getattr(again, name))


class AfterRestart(StreamdCase):
    store = "file"

    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def test_the_count_starts_again(self):
        """E141, second half; E140"""
        subscription = self.me.subscribe("foo", manual=True, ack_wait=1)
        self.me.publish("foo", b"1")
        seen = len(subscription.wait(3))
        self.restart_server()
        later = subscription.wait(seen + 2)[seen:]
        counts = [m.redelivery_count for m in later]
        self.assertIn(1, counts)
        self.assertEqual(counts[counts.index(1):][:2], [1, 2])
        fresh = self.me.subscribe("foo", start=FIRST)
        self.assertFalse(fresh.wait(1)[0].redelivered)

    def test_one_redelivery_to_each_subscription(self):
        """E148"""
        subscriptions = [self.me.subscribe("foo", manual=True, ack_wait=1)
                         for _ in "12"]
        self.me.publish("foo", b"1")
        for subscription in subscriptions:
            subscription.wait(1)
        self.restart_server()
        for subscription in subscriptions:
            subscription.wait_redelivery(1)
            subscription.ack(1)
        self.me.publish("foo", b"2")
        for subscription in subscriptions:
            subscription.wait_redelivery(2)
            self.assertEqual(len(redelivered(subscription.messages, 1)), 1)

    def test_a_younger_message_waits_for_the_rest_of_its_ack_wait(self):
        """E151: pending and young comes later, old comes at once"""
        young = self.me.subscribe("young", manual=True, ack_wait=3600)
        self.me.publish("young", b"1")
        young.wait(1)
        old = self.me.subscribe("old", manual=True, ack_wait=1)
        self.me.publish("old", b"1")
        old.wait(1)
        self.restart_server()
        old.wait_redelivery(1)
        self.settle(self.me)
        self.assertEqual(len(young.messages), 1)


if __name__ == "__main__":
    unittest.main()
