"""Where a subscription starts (delivery.md section 4)."""
import time
import unittest

from support.case import StreamdCase, every_store
from support.stan import (FIRST, LAST_RECEIVED, NEW_ONLY, SEQUENCE,
                          TIME_DELTA)
from support.waiting import wait_until

SECOND = 10**9


class StartCase(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def first(self, channel="foo", **options):
        """The first sequence of a new subscription, and its messages up to
        one published after it."""
        subscription = self.me.subscribe(channel, **options)
        self.me.publish(channel, b"after")
        subscription.wait_for(
            lambda messages: messages and messages[-1].data == b"after",
            "the message published last")
        self.me.unsubscribe(subscription)
        return subscription.sequences()[0]


@every_store
class EmptyChannel(StartCase):
    def test_any_position_starts_with_the_first_message(self):
        """E101, E102, E103, E109, E111"""
        for number, options in enumerate((
                {"start": NEW_ONLY}, {"start": LAST_RECEIVED},
                {"start": FIRST}, {"start": SEQUENCE, "sequence": 10},
                {"start": SEQUENCE, "sequence": 0},
                {"start": TIME_DELTA, "delta": SECOND},
                {"start": TIME_DELTA, "delta": -SECOND},
                {"start": TIME_DELTA, "delta": 2**63 - 1})):
            with self.subTest(options):
                self.assertEqual(self.first(f"ch{number}", **options), 1)

    def test_new_only_does_not_look_back(self):
        """E101: a second one gets nothing of what the first got"""
        first = self.me.subscribe("foo")
        self.me.publish("foo", b"1")
        first.wait(1)
        self.assertEqual(self.first(start=NEW_ONLY), 2)


@every_store
class FilledChannel(StartCase):
    flags = ("-mm", "10")

    def setUp(self):
        """Sequences 11 to 20."""
        super().setUp()
        self.me.publish_numbers("foo", 1, 20)

    def first_then_refill(self, **options):
        """first(), and the channel as it was before (by another name)."""
        self.channels = getattr(self, "channels", 0) + 1
        channel = f"foo{self.channels}"
        self.me.publish_numbers(channel, 1, 20)
        return self.first(channel, **options)

    def test_sequences_before_the_first_start_with_the_first(self):
        """E104, E110"""
        for sequence in (0, 1, 10, 11):
            self.assertEqual(self.first_then_refill(
                start=SEQUENCE, sequence=sequence), 11)

    def test_a_sequence_present_is_the_first(self):
        """E106"""
        for sequence in (14, 20):
            self.assertEqual(self.first_then_refill(
                start=SEQUENCE, sequence=sequence), sequence)

    def test_a_sequence_beyond_the_end_means_the_next(self):
        """E105"""
        for sequence in (21, 25, 10**9, 2**64 - 1):
            self.assertEqual(self.first_then_refill(
                start=SEQUENCE, sequence=sequence), 21)

    def test_last_first_and_new(self):
        """E102, E103"""
        self.assertEqual(self.first_then_refill(start=LAST_RECEIVED), 20)
        self.assertEqual(self.first_then_refill(start=FIRST), 11)
        self.assertEqual(self.first_then_refill(start=NEW_ONLY), 21)

    def test_times_before_the_first_and_after_the_last(self):
        """E111, E112, delivery.md 4"""
        for delta, expected in ((3600 * SECOND, 11), (2**63 - 1, 11),
                                (-SECOND, 21), (-2**63, 21)):
            with self.subTest(delta):
                self.assertEqual(self.first_then_refill(
                    start=TIME_DELTA, delta=delta), expected)

    def test_a_subscription_made_during_a_burst_misses_nothing(self):
        """E127: every message exactly once"""
        guids = [self.me.publish_async("burst", str(n).encode())
                 for n in range(500)]
        other = self.client("other")
        subscriptions = [other.subscribe("burst", start=FIRST)
                         for _ in range(5)]
        self.me.wait_acks(guids)
        self.me.publish("burst", b"end")
        for subscription in subscriptions:
            subscription.wait_for(lambda messages: messages and
                                  messages[-1].data == b"end", "the end")
            sequences = subscription.sequences()
            self.assertEqual(sequences,
                             list(range(sequences[0], 502)))

    def test_messages_come_in_order_without_gaps(self):
        """E103"""
        got = self.me.subscribe("foo", start=FIRST).wait(10)
        self.assertEqual([(m.sequence, int(m.data)) for m in got],
                         [(n, n) for n in range(11, 21)])

    def test_a_channel_is_the_same_after_a_restart(self):
        """E104, E105 on recovered messages"""
        if self.store == "memory":
            self.skipTest("forgets everything")
        self.restart_server()
        self.assertEqual(self.me.subscribe("foo", start=FIRST).wait(1)[0]
                         .sequence, 11)
        self.assertEqual(self.first(start=SEQUENCE, sequence=50), 21)


@every_store
class ByTime(StartCase):
    def test_a_time_between_two_groups_starts_with_the_second(self):
        """E107, E108"""
        self.me.publish_numbers("foo", 1, 5)
        early = self.me.subscribe("foo", start=FIRST).wait(5)[-1].timestamp
        # The clock itself is the condition: half a second after the fifth.
        wait_until(lambda: self.clock() > early + SECOND // 2, "time passed")
        boundary = early + SECOND // 4
        self.me.publish_numbers("foo", 6, 10)
        subscription = self.me.subscribe("foo", start=TIME_DELTA,
                                         delta=self.clock() - boundary)
        got = subscription.wait(5)
        self.assertEqual([m.sequence for m in got], [6, 7, 8, 9, 10])
        self.assertTrue(all(m.timestamp >= boundary for m in got))
        self.assertEqual(self.first(start=TIME_DELTA, delta=3600 * SECOND), 1)

    @staticmethod
    def clock():
        return time.time_ns()


@every_store
class Expired(StartCase):
    flags = ("-ma", "500ms")

    def test_when_all_has_expired_any_position_means_the_next(self):
        """E112, delivery.md 4: 11...20 all expired"""
        for number, options in enumerate((
                {"start": FIRST}, {"start": LAST_RECEIVED},
                {"start": NEW_ONLY}, {"start": SEQUENCE, "sequence": 1},
                {"start": SEQUENCE, "sequence": 3},
                {"start": TIME_DELTA, "delta": 3600 * SECOND})):
            with self.subTest(options):
                channel = f"ch{number}"
                self.me.publish_numbers(channel, 1, 5)
                wait_until(lambda: self.is_empty(self.me, channel),
                           "expired")
                self.assertEqual(self.first(channel, **options), 6)


@every_store
class Ignored(StartCase):
    def test_a_resumed_durable_continues_whatever_is_asked(self):
        """E114, E115"""
        for kind in ({"durable": "d"}, {"durable": "d", "group": "g"}):
            channel = "-".join(kind)
            self.me.publish_numbers(channel, 1, 100)
            durable = self.me.subscribe(channel, manual=True, start=FIRST,
                                        **kind)
            durable.wait(100)
            durable.ack(*range(1, 100))
            self.me.close_subscription(durable)
            for options in ({"start": SEQUENCE, "sequence": 95},
                            {"start": SEQUENCE, "sequence": 110},
                            {"start": TIME_DELTA, "delta": -3600 * SECOND}):
                with self.subTest(kind=kind, options=options):
                    durable = self.me.subscribe(channel, manual=True, **kind,
                                                **options)
                    again, = durable.wait(1)
                    self.assertEqual((again.sequence, again.redelivered),
                                     (100, True))
                    self.me.close_subscription(durable)
            durable = self.me.subscribe(channel, **kind)
            self.me.publish(channel, b"101")
            self.assertEqual([m.sequence for m in durable.wait(2)],
                             [100, 101])

    def test_further_members_of_a_group_continue_whatever_is_asked(self):
        """E116"""
        self.me.publish_numbers("foo", 1, 10)
        first = self.me.subscribe("foo", group="g", start=FIRST)
        first.wait(10)
        for options in ({"start": FIRST}, {"start": LAST_RECEIVED},
                        {"start": SEQUENCE, "sequence": 3},
                        {"start": SEQUENCE, "sequence": 300},
                        {"start": TIME_DELTA, "delta": -SECOND}):
            member = self.me.subscribe("foo", group="g", **options)
            self.settle(self.me)
            self.assertEqual(member.messages, [], options)


if __name__ == "__main__":
    unittest.main()
