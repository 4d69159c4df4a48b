"""What kill -9 and a restart leave (delivery.md sections 13, 16)."""
import random
import signal
import time
import unittest

from support.case import StreamdCase
from support.stan import FIRST
from support.waiting import wait_until


class KillNine(StreamdCase):
    store = "file"

    def test_every_acked_message_is_there_in_order(self):
        """delivery.md 16, guarantee 1: killed in the middle of a stream of
        publishes, again and again"""
        seed = random.randrange(1 << 30)
        chance = random.Random(seed)
        acked = []
        number = 0
        for life in range(4):
            me = self.client(f"me{life}")
            numbers = {}
            stop_at = time.monotonic() + chance.uniform(0.1, 0.4)
            while time.monotonic() < stop_at:
                for _ in range(20):
                    number += 1
                    guid = me.publish_async("foo", str(number).encode())
                    numbers[guid] = number
                me.nats.flush()
            self.restart_server()
            me.nats.flush()
            acked += [numbers[guid] for guid in me.acked()]
        self.assertGreater(len(acked), 100, f"seed {seed}")
        self.check(set(acked), seed)

    def check(self, acked, seed):
        reader = self.client("reader")
        subscription = reader.subscribe("foo", start=FIRST,
                                        max_in_flight=10000)
        reader.publish("foo", b"0")
        got = subscription.wait_for(
            lambda messages: messages and messages[-1].data == b"0", "end")
        numbers = [int(m.data) for m in got[:-1]]
        missing = acked - set(numbers)
        self.assertEqual(missing, set(), f"seed {seed}")
        self.assertEqual(numbers, sorted(numbers), f"seed {seed}")
        self.assertEqual([m.sequence for m in got],
                         list(range(1, len(got) + 1)), f"seed {seed}")

    def test_sequence_time_and_payload_are_kept(self):
        """delivery.md 16, guarantee 1"""
        me = self.client("me")
        me.publish("foo", b"", b"\0\xff" * 1000, b"text")
        before = me.subscribe("foo", start=FIRST).wait(3)
        self.restart_server()
        after = self.client("other").subscribe("foo", start=FIRST).wait(3)
        for one, other in zip(before, after):
            for name in ("sequence", "data", "timestamp", "channel"):
                self.assertEqual(getattr(one, name), getattr(other, name))
        me.publish("foo", b"next")
        last = me.subscribe("foo", start=FIRST).wait(4)[-1]
        self.assertEqual(last.sequence, 4)
        self.assertGreaterEqual(last.timestamp, before[-1].timestamp)

    def test_unacked_messages_come_again(self):
        """delivery.md 16, guarantee 4: no unacked message is skipped"""
        me = self.client("me")
        durable = me.subscribe("foo", manual=True, durable="d", ack_wait=1)
        me.publish_numbers("foo", 1, 100)
        durable.wait(100)
        durable.ack(*range(1, 101, 2))
        self.settle(me)
        seen = len(durable.messages)
        self.restart_server()
        durable.wait_for(
            lambda messages: set(range(2, 101, 2)) <= {
                m.sequence for m in messages[seen:]}, "the even ones")

    def test_clients_that_stayed_carry_on(self):
        """protocol.md 2.3, E217: plain, durable and queue; nothing twice"""
        me = self.client("me")
        subscriptions = [me.subscribe("foo"),
                         me.subscribe("foo", durable="d"),
                         me.subscribe("foo", group="g"),
                         me.subscribe("foo", group="g", durable="d")]
        me.publish_numbers("foo", 1, 10)
        for subscription in subscriptions:
            subscription.wait(10)
        self.settle(me)
        for number in (signal.SIGTERM, signal.SIGINT):
            seen = [len(s.messages) for s in subscriptions]
            self.restart_server(number=number)
            self.assertEqual(me.ping(), "")
            me.publish_numbers("foo", 11, 20)
            for subscription, count in zip(subscriptions, seen):
                new = subscription.wait(count + 10)[count:]
                self.assertFalse(any(m.redelivered for m in new))
            self.settle(me)
            self.assertEqual([len(s.messages) for s in subscriptions],
                             [count + 10 for count in seen])

    def test_plain_subscriptions_end_with_their_client(self):
        """E215"""
        worker = self.client("worker")
        inbox = worker.subscribe("foo").inbox
        me = self.client("me")
        got = []
        me.nats.subscribe(inbox, got.append)
        worker.close()
        self.restart_server()
        me.publish("foo", b"1")
        self.settle(me)
        self.assertEqual(got, [])

    def test_killed_while_it_starts_it_starts_again(self):
        """delivery.md 16: a recovery that was cut short changes nothing"""
        me = self.client("me")
        me.publish_numbers("foo", 1, 500)
        self.server.kill()
        for _ in range(5):
            before = len(self.server.log())
            self.server.launch()
            wait_until(lambda: len(self.server.log()) > before, "first line")
            self.server.kill()
        self.server.start()
        self.assertStored("foo", [str(n).encode() for n in range(1, 501)])

    def test_many_channels_and_subscriptions_come_back(self):
        """delivery.md 13"""
        me = self.client("me")
        subscriptions = [me.subscribe(f"ch{n}", durable="d")
                         for n in range(50)]
        for number in range(50):
            me.publish(f"ch{number}", b"before")
        for subscription in subscriptions:
            subscription.wait(1)
        self.settle(me)
        self.restart_server(number=signal.SIGTERM)
        self.server.wait_log("Recovered")
        for number in range(50):
            me.publish(f"ch{number}", b"after")
        for subscription in subscriptions:
            subscription.wait_for(lambda messages: messages[-1].data ==
                                  b"after", "the next message")


if __name__ == "__main__":
    unittest.main()
