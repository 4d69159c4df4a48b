"""Max in flight and stalls (delivery.md section 5.5)."""
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST


@every_store
class MaxInFlight(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def test_so_many_come_and_acks_bring_the_rest(self):
        """E117"""
        self.me.publish_numbers("foo", 1, 101)
        subscription = self.me.subscribe("foo", manual=True, start=FIRST,
                                         max_in_flight=10)
        subscription.wait(10)
        self.settle(self.me)
        self.assertEqual(subscription.sequences(), list(range(1, 11)))
        while len(subscription.messages) < 101:
            seen = len(subscription.messages)
            subscription.ack(*subscription.sequences()[seen - 10:seen])
            subscription.wait(min(seen + 10, 101))
        self.assertEqual(subscription.sequences(), list(range(1, 102)))

    def test_one_in_flight_waits_for_the_ack(self):
        """E118, E125: plain and durable; not flagged"""
        for options in ({}, {"durable": "d"}):
            channel = "ch" + "".join(options)
            self.me.publish_numbers(channel, 1, 4)
            subscription = self.me.subscribe(channel, manual=True,
                                             start=FIRST, max_in_flight=1,
                                             **options)
            for count in range(1, 5):
                got = subscription.wait(count)
                self.settle(self.me)
                self.assertEqual(subscription.sequences(),
                                 list(range(1, count + 1)))
                self.assertFalse(got[-1].redelivered)
                subscription.ack(count)

    def test_two_members_of_one_in_flight_take_two(self):
        """E118, queue: the third waits"""
        members = [self.me.subscribe("foo", manual=True, group="g",
                                     max_in_flight=1) for _ in "12"]
        self.me.publish_numbers("foo", 1, 3)
        got = [member.wait(1)[0] for member in members]
        self.settle(self.me)
        self.assertEqual(sorted(m.sequence for m in got), [1, 2])
        self.assertEqual([len(member.messages) for member in members], [1, 1])
        members[1].ack(got[1].sequence)
        self.assertEqual(members[1].wait(2)[1].sequence, 3)

    def test_a_stalled_subscription_gets_its_message_again(self):
        """E120: plain, durable, queue"""
        self.me.publish("foo", b"1", b"2")
        subscriptions = [
            self.me.subscribe("foo", manual=True, start=FIRST, ack_wait=1,
                              max_in_flight=1, **options)
            for options in ({}, {"durable": "d"}, {"group": "g"})]
        for subscription in subscriptions:
            again = subscription.wait_redelivery(1)
            self.assertEqual({m.sequence for m in again}, {1})
        for subscription in subscriptions:
            subscription.ack(1)
            subscription.wait_sequence(2)

    def test_a_durable_closed_half_way_gets_all_the_rest(self):
        """E123"""
        self.me.publish_numbers("foo", 1, 210)
        worker = self.client("worker")
        durable = worker.subscribe("foo", durable="d", start=FIRST,
                                   max_in_flight=100)
        durable.wait(10)
        worker.close()
        again = self.client("worker").subscribe("foo", durable="d",
                                                max_in_flight=100)
        everything = set(range(1, 211))
        again.wait_for(lambda messages: everything <= set(
            durable.sequences()) | {m.sequence for m in messages},
            "all 210")

    def test_a_durable_resumed_at_its_limit_has_its_timer_running(self):
        """E124"""
        self.me.publish("foo", b"1", b"2")
        options = {"manual": True, "durable": "d", "start": FIRST,
                   "max_in_flight": 1, "ack_wait": 1}
        durable = self.me.subscribe("foo", **options)
        durable.wait(1)
        self.me.close_subscription(durable)
        again = self.me.subscribe("foo", **options)
        self.assertEqual([m.redelivery_count
                          for m in again.wait_redelivery(1, 2)[:2]], [1, 2])

    def test_max_in_flight_raised_on_resume(self):
        """E228"""
        self.me.publish_numbers("foo", 1, 20)
        durable = self.me.subscribe("foo", manual=True, durable="d",
                                    start=FIRST, max_in_flight=1)
        durable.wait(1)
        self.me.close_subscription(durable)
        again = self.me.subscribe("foo", manual=True, durable="d",
                                  max_in_flight=10)
        got = again.wait(10)
        self.settle(self.me)
        self.assertEqual(again.sequences(), list(range(1, 11)))
        self.assertEqual([m.redelivered for m in got], [True] + [False] * 9)

    def test_max_in_flight_lowered_on_resume(self):
        """E229"""
        self.me.publish_numbers("foo", 1, 60)
        durable = self.me.subscribe("foo", manual=True, durable="d",
                                    start=FIRST, max_in_flight=50)
        durable.wait(50)
        self.me.close_subscription(durable)
        again = self.me.subscribe("foo", manual=True, durable="d",
                                  max_in_flight=1)
        again.wait(50)
        again.ack(*range(1, 50))
        self.settle(self.me)
        self.assertEqual(again.sequences(), list(range(1, 51)))
        again.ack(50)
        self.assertFalse(again.wait(51)[50].redelivered)


class AfterRestart(StreamdCase):
    store = "file"

    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def test_the_rest_arrives_without_a_new_publish(self):
        """E121"""
        self.me.publish_numbers("foo", 1, 10)
        subscription = self.me.subscribe("foo", manual=True, start=FIRST,
                                         max_in_flight=2)
        subscription.wait(2)
        self.restart_server()
        subscription.ack(1, 2)
        for sequence in range(3, 11):
            subscription.wait_sequence(sequence)
            subscription.ack(sequence)

    def test_below_max_in_flight_is_not_stalled(self):
        """E122"""
        subscription = self.me.subscribe("foo", manual=True, max_in_flight=2)
        self.me.publish("foo", b"1")
        subscription.wait(1)
        self.restart_server()
        self.me.publish("foo", b"2")
        subscription.wait_sequence(2)

    def test_a_stalled_one_gets_its_message_again(self):
        """E120 after a restart"""
        self.me.publish("foo", b"1", b"2")
        subscriptions = [
            self.me.subscribe("foo", manual=True, start=FIRST, ack_wait=1,
                              max_in_flight=1, **options)
            for options in ({}, {"durable": "d"}, {"group": "g"})]
        for subscription in subscriptions:
            subscription.wait(1)
        self.restart_server()
        for subscription in subscriptions:
            again = subscription.wait_redelivery(1)
            self.assertEqual({m.sequence for m in again}, {1})


if __name__ == "__main__":
    unittest.main()
