"""Unsubscribe and subscription close (protocol.md section 10)."""
import unittest

from support.case import StreamdCase, every_store
from support.protobuf import decode, encode, text
from support.stan import FIRST, UNKNOWN_CLIENT, unsubscribe_request

INVALID = "stan: invalid subscription"


@every_store
class Unsubscribe(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")
        self.other = self.client("other")
        self.subscription = self.me.subscribe("foo")

    def error(self, subject, *arguments):
        reply = self.me.nats.request(subject,
                                     unsubscribe_request(*arguments))
        return text(decode(reply.data), 3)

    def assertGone(self):
        seen = len(self.subscription.messages)
        self.me.publish("foo", b"x")
        self.settle(self.me)
        self.assertEqual(len(self.subscription.messages), seen)

    def test_only_the_right_request_removes_a_subscription(self):
        """E61, E62; for both requests"""
        inbox = self.subscription.ack_inbox
        for subject in (self.me.unsubscribe_subject,
                        self.me.sub_close_subject):
            with self.subTest(subject):
                self.assertEqual(self.error(subject, "", "", ""),
                                 "stan: unknown channel")
                self.assertEqual(self.error(subject, "me", "bar", inbox),
                                 "stan: unknown channel")
                self.assertEqual(self.error(subject, "me", "foo", "wrong"),
                                 INVALID)
                self.assertEqual(self.error(subject, "other", "foo", inbox),
                                 UNKNOWN_CLIENT)
                self.assertEqual(self.error(subject, "nobody", "foo", inbox),
                                 UNKNOWN_CLIENT)
        self.me.publish("foo", b"1")
        self.subscription.wait(1)
        self.me.unsubscribe(self.subscription)
        self.assertGone()
        self.assertRefused(INVALID, self.me.unsubscribe, self.subscription)

    def test_success_is_an_empty_reply(self):
        """protocol.md 3"""
        second = self.me.subscribe("foo")
        for subject, subscription in (
                (self.me.unsubscribe_subject, self.subscription),
                (self.me.sub_close_subject, second)):
            reply = self.me.nats.request(subject, unsubscribe_request(
                "me", "foo", subscription.ack_inbox))
            self.assertEqual(reply.data, b"")

    def test_the_delivery_inbox_will_do(self):
        """E63"""
        self.assertEqual(self.error(self.me.sub_close_subject, "me", "foo",
                                    self.subscription.inbox), "")
        self.assertGone()

    def test_a_close_without_reply_subject_is_carried_out(self):
        """E65"""
        self.me.nats.publish(
            self.me.sub_close_subject,
            unsubscribe_request("me", "foo", self.subscription.ack_inbox))
        self.settle(self.me)
        self.assertGone()

    def test_an_offline_durable_is_not_removed_by_its_name(self):
        """E66"""
        self.me.publish("foo", b"1")
        durable = self.me.subscribe("foo", durable="dur", start=FIRST)
        durable.wait(1)
        self.me.close_subscription(durable)
        request = unsubscribe_request("me", "foo", durable.ack_inbox)
        reply = self.me.nats.request(self.me.unsubscribe_subject,
                                     request + encode((4, "dur")))
        self.assertEqual(text(decode(reply.data), 3), INVALID)
        self.me.publish("foo", b"2")
        again = self.me.subscribe("foo", durable="dur", start=FIRST)
        again.wait_sequence(2)

    def test_a_client_that_closed_has_no_subscriptions(self):
        """delivery.md 12"""
        subscription = self.other.subscribe("foo")
        self.other.close()
        self.me.publish("foo", b"1")
        self.subscription.wait(1)
        self.assertEqual(subscription.messages, [])
        self.assertEqual(self.error(self.me.unsubscribe_subject, "other",
                                    "foo", subscription.ack_inbox), INVALID)

    def test_an_unknown_client_cannot_be_closed(self):
        """protocol.md 12"""
        for client_id in ("nobody", ""):
            reply = self.me.nats.request(self.me.close_subject,
                                         encode((1, client_id)))
            self.assertEqual(text(decode(reply.data), 1), UNKNOWN_CLIENT)


if __name__ == "__main__":
    unittest.main()
