"""Acks (protocol.md section 11, delivery.md section 6)."""
import signal
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST, ack
from support.waiting import wait_until


@every_store
class Acks(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def test_what_is_acked_does_not_come_again(self):
        """E129, E133: of two messages the one not acked comes again,
        and by then the acked one, older, would have come, too"""
        self.me.publish("foo", b"1", b"2")
        subscription = self.me.subscribe("foo", manual=True, start=FIRST,
                                         ack_wait=1)
        subscription.wait(2)
        subscription.ack(1, 1)
        got = subscription.wait_redelivery(2)
        self.assertEqual([m.sequence for m in got], [1, 2, 2])
        subscription.ack(2, 2, 1)

    def test_bad_acks_are_ignored(self):
        """E79, E80, E81, E82"""
        self.me.publish("foo", b"1")
        subscription = self.me.subscribe("foo", manual=True, start=FIRST,
                                         ack_wait=1)
        closed = self.me.subscribe("foo")
        self.me.close_subscription(closed)
        subscription.wait(1)
        publish = self.me.nats.publish
        publish(subscription.ack_inbox, ack("unknown", 1))
        publish(subscription.ack_inbox, ack("foo", 0))
        publish(subscription.ack_inbox, ack("foo", 2))
        publish(subscription.ack_inbox, ack("foo", 2**64 - 1))
        publish(subscription.ack_inbox, b"")
        publish(subscription.ack_inbox, b"dummy")
        publish(closed.ack_inbox, ack("foo", 1))
        subscription.wait_redelivery(1)  # nothing of this acked it
        self.assertRegex(self.server.log(), "Unable to process ack seq=1, "
                         'channel "?unknown"? not found')  # E79

    def test_a_resumed_durable_has_another_ack_inbox(self):
        """E129, and the old one is dead"""
        self.me.publish("foo", b"1", b"2")
        durable = self.me.subscribe("foo", manual=True, durable="d",
                                    start=FIRST, ack_wait=1)
        durable.wait(2)
        durable.ack(1)
        self.me.close_subscription(durable)
        again = self.me.subscribe("foo", manual=True, durable="d", ack_wait=1)
        self.assertNotEqual(again.ack_inbox, durable.ack_inbox)
        durable.ack(2)
        got = again.wait_redelivery(2, 2)
        self.assertEqual({m.sequence for m in got}, {2})

    def test_a_message_moved_in_a_group_can_be_acked_at_its_old_member(self):
        """E131, delivery.md 6 step 2"""
        first = self.me.subscribe("foo", manual=True, group="g", ack_wait=1,
                                  max_in_flight=1)
        self.me.publish("foo", b"1")
        first.wait(1)
        second = self.me.subscribe("foo", manual=True, group="g", ack_wait=1,
                                   max_in_flight=1)
        # It moves to the member with the least pending: the second.
        second.wait_redelivery(1)
        first.ack(1)
        self.settle(self.me)
        # Both are free again: two more messages go out, and when these have
        # come again the first one has not.
        self.me.publish("foo", b"2", b"3")
        for sequence in (2, 3):
            self.wait_redelivered(sequence, first, second)
        seen = first.sequences() + second.sequences()
        self.assertEqual(seen.count(1), 2)

    def wait_redelivered(self, sequence, *members):
        wait_until(lambda: any(m.sequence == sequence and m.redelivered
                               for member in members
                               for m in list(member.messages)),
                   f"{sequence} again")


class AfterRestart(StreamdCase):
    store = "file"

    def test_the_ack_inbox_of_before_still_works(self):
        """E135"""
        me = self.client("me")
        me.publish("foo", b"1", b"2")
        subscription = me.subscribe("foo", manual=True, start=FIRST,
                                    ack_wait=1)
        subscription.wait(2)
        self.restart_server()
        subscription.wait_redelivery(1)
        subscription.wait_redelivery(2)
        subscription.ack(1)
        count = subscription.sequences().count(1)
        subscription.wait_redelivery(2, 3)
        self.assertLessEqual(subscription.sequences().count(1), count + 1)

    def test_acks_are_kept(self):
        """What was acked before a clean stop is not sent again"""
        me = self.client("me")
        me.publish_numbers("foo", 1, 10)
        durable = me.subscribe("foo", manual=True, start=FIRST, durable="d",
                               ack_wait=1)
        durable.wait(10)
        durable.ack(*range(1, 10))
        self.settle(me)
        seen = len(durable.messages)
        self.restart_server(number=signal.SIGTERM)
        durable.wait_redelivery(10, 2)
        self.assertEqual(set(durable.sequences()[seen:]), {10})


if __name__ == "__main__":
    unittest.main()
