"""What is sent in order is done in order (protocol.md section 12)."""
import unittest

from support.case import StreamdCase, every_store
from support.nats import unique
from support.protobuf import decode, text
from support.stan import (FIRST, close_request, pub_msg,
                          subscription_request, unsubscribe_request)
from support.waiting import wait_until

ROUNDS = 20


@every_store
class Ordering(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def test_the_subscribe_reply_precedes_the_first_message(self):
        """E60: reply inbox and delivery inbox are one subject, a publish
        follows the request at once; each kind, new and resumed"""
        for kind in ({}, {"durable": "d"}, {"group": "g"},
                     {"group": "g2", "durable": "d"}):
            for life in ("new", "resumed"):
                with self.subTest(kind=kind, life=life):
                    self.assertReplyFirst(kind)

    def assertReplyFirst(self, kind):
        inbox = unique("_BOTH")
        got = []
        sid = self.me.nats.subscribe(inbox, lambda m: got.append(m.data))
        self.me.nats.publish(
            self.me.subscribe_subject,
            subscription_request("me", "foo", inbox, start=FIRST, **kind),
            inbox)
        self.me.publish("foo", b"x")
        self.settle(self.me)
        self.me.nats.unsubscribe(sid)
        reply = decode(got[0])
        self.assertEqual(list(reply), [2], "a SubscriptionResponse")
        self.assertGreater(len(got), 1)
        self.me.nats.request(self.me.sub_close_subject, unsubscribe_request(
            "me", "foo", text(reply, 2)))

    def test_publishes_before_a_close_are_stored(self):
        """E67"""
        publisher = self.client("publisher")
        for number in range(1000):
            publisher.publish_async("foo", str(number).encode())
        publisher.close()
        subscription = self.me.subscribe("foo", start=FIRST)
        self.assertEqual([int(m.data) for m in subscription.wait(1000)],
                         list(range(1000)))

    def test_acks_before_an_end_are_applied(self):
        """E68, E70: ten acks, then at once each kind of end; on resume only
        what was not acked comes again"""
        ends = {
            "sub close": lambda c, s: [self.ended(c.sub_close_subject, c, s)],
            "close": lambda c, s: [(c.close_subject,
                                    close_request(c.client_id))],
            "sub close, close": lambda c, s: [
                self.ended(c.sub_close_subject, c, s),
                (c.close_subject, close_request(c.client_id))]}
        for name, requests in ends.items():
            for number in range(ROUNDS):
                with self.subTest(name, round=number):
                    self.assertAcksApplied(requests, name != "sub close")

    @staticmethod
    def ended(subject, client, subscription):
        return subject, unsubscribe_request(
            client.client_id, subscription.channel, subscription.ack_inbox)

    def assertAcksApplied(self, requests, closed):
        channel = unique("ch")
        client = self.client("worker")
        client.publish_numbers(channel, 1, 10)
        ends = []

        def on_message(subscription, message):
            if message.sequence == 11:
                ends.append([client.nats.request_async(*request) for request
                             in requests(client, subscription)])
        subscription = client.subscribe(channel, manual=True, durable="d",
                                        start=FIRST, on_message=on_message)
        subscription.wait(10)
        subscription.ack(*range(1, 11))
        client.publish(channel, b"11")
        for wait in wait_until(lambda: ends, "message 11")[0]:
            self.assertEqual(wait().data, b"")
        if closed:
            client.nats.close()
            client = self.client("worker")
        again = client.subscribe(channel, durable="d")
        first, = again.wait(1)
        self.assertEqual((first.sequence, first.redelivered), (11, True))
        client.close()

    def test_an_unsubscribe_after_acks_leaves_nothing(self):
        """E68: unsubscribe in the tenth call-back"""
        for _ in range(ROUNDS):
            channel = unique("ch")
            self.me.publish_numbers(channel, 1, 10)
            subscription = self.me.subscribe(channel, durable="d",
                                             start=FIRST)
            subscription.wait(10)
            self.me.unsubscribe(subscription)
            self.me.publish(channel, b"11")
            again = self.me.subscribe(channel, durable="d")
            self.me.publish(channel, b"12")
            self.assertEqual([m.sequence for m in again.wait(1)], [12])

    def test_a_close_inside_the_tenth_callback_leaves_the_tenth_unacked(self):
        """E69"""
        worker = self.client("worker")
        worker.publish_numbers("foo", 1, 12)
        closed = []

        def on_message(subscription, message):
            if message.sequence < 10:
                subscription.ack(message.sequence)
            elif message.sequence == 10:
                closed.append(worker.nats.request_async(
                    worker.close_subject, close_request("worker")))
        worker.subscribe("foo", manual=True, durable="d", start=FIRST,
                         max_in_flight=1, on_message=on_message).wait(10)
        wait = wait_until(lambda: closed, "message 10")[0]
        self.assertEqual(wait().data, b"")
        worker.nats.close()
        again = self.client("worker").subscribe("foo", durable="d")
        got = again.wait(3)
        self.assertEqual([(m.sequence, m.redelivered) for m in got],
                         [(10, True), (11, False), (12, False)])

    def test_new_only_starts_exactly_at_the_subscribe(self):
        """E71"""
        self.me.publish_numbers("foo", 1, 50)
        subscription = self.me.subscribe("foo")
        self.me.publish_numbers("foo", 51, 100)
        self.assertEqual([m.sequence for m in subscription.wait(50)],
                         list(range(51, 101)))

    def test_one_publisher_s_messages_keep_their_order_in_each_channel(self):
        """delivery.md 17"""
        for number in range(1, 301):
            for channel in ("a", "b", "c"):
                last = self.me.publish_async(channel, str(number).encode())
        self.assertEqual(self.me.wait_acks([last]), [])
        for channel in ("a", "b", "c"):
            got = self.me.subscribe(channel, start=FIRST).wait(300)
            self.assertEqual([int(m.data) for m in got],
                             list(range(1, 301)))

    def test_a_publish_before_its_client_s_close_is_acked(self):
        """protocol.md 12, B1"""
        for number in range(ROUNDS):
            client = self.client("short-lived")
            got = []
            client.nats.subscribe("late.ack", got.append)
            client.nats.publish(
                client.publish_prefix + ".foo",
                pub_msg("short-lived", "g", "foo", b"", client.conn_id),
                "late.ack")
            client.nats.request(client.close_subject,
                                close_request("short-lived"))
            self.me.publish("foo", b"")
            client.nats.flush()
            self.assertEqual([decode(m.data) for m in got], [{1: b"g"}])
            client.nats.close()


if __name__ == "__main__":
    unittest.main()
