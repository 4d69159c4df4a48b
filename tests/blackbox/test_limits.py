"""Limits (delivery.md section 14)."""
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST
from support.waiting import wait_until

FULL = "too many subscriptions per channel"


@every_store
class MaxSubscriptions(StreamdCase):
    flags = ("-msu", "1")
    kinds = ({}, {"durable": "d"}, {"group": "g"},
             {"durable": "d", "group": "g"})

    def test_one_too_many_of_any_kind_is_refused(self):
        """E194"""
        me = self.client("me")
        first = me.subscribe("foo")
        for options in self.kinds:
            self.assertRefused(FULL, me.subscribe, "foo", **options)
        me.subscribe("bar")
        me.publish("foo", b"1")
        first.wait(1)
        me.unsubscribe(first)
        me.subscribe("foo")

    def test_an_offline_durable_counts_and_can_be_resumed(self):
        """delivery.md 9"""
        for number, options in enumerate(self.kinds[1::2]):
            me = self.client(f"me{number}")
            channel = f"ch{number}"
            me.close_subscription(me.subscribe(channel, **options))
            self.assertRefused(FULL, me.subscribe, channel)
            me.unsubscribe(me.subscribe(channel, **options))
            me.subscribe(channel)


class Lowered(StreamdCase):
    store = "file"

    def test_recovered_subscriptions_stay(self):
        """E195"""
        me = self.client("me")
        subscriptions = [me.subscribe("foo") for _ in range(5)]
        self.restart_server("-msu", "2")
        me.publish("foo", b"1")
        for subscription in subscriptions:
            subscription.wait(1)
        self.assertRefused(FULL, me.subscribe, "foo")

    def test_recovered_channels_stay(self):
        """delivery.md 13"""
        me = self.client("me")
        for number in range(5):
            me.publish(f"ch{number}", b"1")
        self.restart_server("-mc", "2")
        for number in range(5):
            me.publish(f"ch{number}", b"2")
            self.assertStored(f"ch{number}", [b"1", b"2"])
        self.assertRefused("too many channels", me.publish, "new", b"1")

    def test_lower_limits_are_applied_to_what_is_there(self):
        """E201: count"""
        me = self.client("me")
        me.publish_numbers("foo", 1, 10)
        self.restart_server("-mm", "4")
        got = me.subscribe("foo", start=FIRST).wait(4)
        self.assertEqual([m.sequence for m in got], [7, 8, 9, 10])

    def test_a_lower_age_is_applied_to_what_is_there(self):
        """E201: age; sequences go on"""
        me = self.client("me")
        me.publish_numbers("foo", 1, 10)
        self.restart_server("-ma", "500ms")
        wait_until(lambda: self.is_empty(me, "foo"), "expired")
        me.publish("foo", b"11")
        subscription = me.subscribe("foo", start=FIRST)
        self.assertEqual(subscription.wait(1)[0].sequence, 11)


@every_store
class MaxMessages(StreamdCase):
    flags = ("-mm", "10")

    def test_the_oldest_make_room(self):
        """E196"""
        me = self.client("me")
        me.publish_numbers("foo", 1, 20)
        self.assertStored_numbers(me, 11, 20)
        if self.store == "file":
            self.restart_server()
            self.assertStored_numbers(me, 11, 20)

    def assertStored_numbers(self, client, first, last):
        subscription = client.subscribe("foo", start=FIRST)
        got = subscription.wait(last - first + 1)
        self.assertEqual([int(m.data) for m in got],
                         list(range(first, last + 1)))
        client.unsubscribe(subscription)


@every_store
class MaxBytes(StreamdCase):
    flags = ("-mb", "2KB")

    def test_the_oldest_make_room_and_the_newest_stays(self):
        """E196, E197"""
        me = self.client("me")
        me.publish("foo", *([b"x" * 500] * 10))
        subscription = me.subscribe("foo", start=FIRST)
        first = subscription.wait(1)[0].sequence
        self.assertIn(first, (8, 9))  # 3 of these fit, 2 with an overhead
        subscription.wait(10 - first + 1)
        me.publish("foo", b"x" * 5000)
        subscription.wait_sequence(11)
        alone = me.subscribe("foo", start=FIRST)
        self.assertEqual(alone.wait(1)[0].sequence, 11)


@every_store
class MaxAge(StreamdCase):
    flags = ("-ma", "1s")

    def test_old_messages_go_and_sequences_go_on(self):
        """E200, delivery.md 14.3: all may expire"""
        me = self.client("me")
        me.publish_numbers("foo", 1, 5)
        wait_until(lambda: self.is_empty(me, "foo"), "expired")
        me.publish("foo", b"6")
        got = me.subscribe("foo", start=FIRST).wait(1)
        self.assertEqual(got[0].sequence, 6)
        if self.store == "file":
            wait_until(lambda: self.is_empty(me, "foo"), "expired")
            self.restart_server()
            me.publish("foo", b"7")
            got = me.subscribe("foo", start=FIRST).wait(1)
            self.assertEqual(got[-1].sequence, 7)


@every_store
class MaxInactivity(StreamdCase):
    flags = ("-mi", "500ms")

    def test_an_idle_channel_is_deleted(self):
        """E204, E205, E206: not while somebody subscribes; then its sequences
        start anew"""
        me = self.client("me")
        kept = me.subscribe("kept")
        me.publish("kept", b"1")
        me.publish("idle", b"1")
        self.server.wait_log('Channel "idle" has been deleted')
        me.publish("idle", b"again")
        got = me.subscribe("idle", start=FIRST).wait(1)
        self.assertEqual([(m.sequence, m.data) for m in got],
                         [(1, b"again")])
        me.publish("kept", b"2")
        self.assertEqual([m.sequence for m in kept.wait(2)], [1, 2])
        me.unsubscribe(kept)
        self.server.wait_log('Channel "kept" has been deleted')

    def test_an_offline_durable_does_not_keep_a_channel(self):
        """E206"""
        me = self.client("me")
        me.publish("foo", b"1")
        durable = me.subscribe("foo", durable="d", start=FIRST)
        durable.wait(1)
        me.close_subscription(durable)
        self.server.wait_log('Channel "foo" has been deleted')
        me.publish("foo", b"new")
        again = me.subscribe("foo", durable="d", start=FIRST)
        self.assertEqual(again.wait(1)[0].data, b"new")

    def test_a_client_that_closes_frees_its_channels(self):
        """E210"""
        worker = self.client("worker")
        worker.subscribe("foo")
        worker.close()
        self.server.wait_log('Channel "foo" has been deleted')


class InactivityAfterRestart(StreamdCase):
    store = "file"
    flags = ("-mi", "1s")

    def test_a_recovered_channel_is_deleted_after_a_full_period(self):
        """E208"""
        me = self.client("me")
        me.publish("foo", b"1")
        self.restart_server()
        self.server.wait_log('Channel "foo" has been deleted')
        self.restart_server()
        me.publish("foo", b"new")
        got = me.subscribe("foo", start=FIRST).wait(1)
        self.assertEqual(got[0].sequence, 1)


if __name__ == "__main__":
    unittest.main()
