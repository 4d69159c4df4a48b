"""Which subscribe requests are refused, and with which of several reasons
(protocol.md section 10)."""
import unittest

from support.case import StreamdCase, every_store
from support.protobuf import decode, text
from support.stan import (FIRST, UNKNOWN_CLIENT, StanError,
                          subscription_request)

COLON = ("stan: durable name of a durable queue subscriber can't contain the "
         "character ':'")
DUPLICATE = "stan: duplicate durable registration"
ACK_WAIT = "stan: invalid ack wait time, should be >= 1s"
MAX_IN_FLIGHT = "stan: invalid MaxInflight, should be >= 1"


@every_store
class SubscribeErrors(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def error(self, client_id="me", channel="foo", **options):
        request = subscription_request(client_id, channel, "inbox", **options)
        reply = self.me.nats.request(self.me.subscribe_subject, request)
        return text(decode(reply.data), 3)

    def test_a_client_id_is_asked_for_first(self):
        """E51"""
        self.assertEqual(self.error("", "", ack_wait=0, max_in_flight=0),
                         "stan: clientID missing")

    def test_then_an_ack_wait_of_a_second_or_more(self):
        """E52, before any look-up of the client"""
        for ack_wait in (0, -1, -2**31):
            self.assertEqual(self.error("unknown", ack_wait=ack_wait,
                                        max_in_flight=0), ACK_WAIT)

    def test_then_a_max_in_flight_of_one_or_more(self):
        """E53"""
        for max_in_flight in (0, -1):
            self.assertEqual(self.error("unknown", ack_wait=1, start=9,
                                        max_in_flight=max_in_flight),
                             MAX_IN_FLIGHT)

    def test_then_a_known_start_position(self):
        """E54"""
        for start in (-1, 5, 2**31 - 1):
            self.assertEqual(self.error("unknown", "bad*", start=start),
                             "stan: invalid start position")

    def test_then_a_literal_channel_name(self):
        """E55"""
        for channel in ("foo*.bar", "foo.bar*", "foo.>.*", "", ".", "a..b",
                        "a/b"):
            self.assertEqual(self.error("unknown", channel),
                             "stan: invalid subject")

    def test_then_a_known_client(self):
        """E57; no client is made by it"""
        self.assertEqual(self.error("unknown"), UNKNOWN_CLIENT)
        self.client("unknown")

    def test_a_durable_queue_name_holds_no_colon(self):
        """E56, E168: and the channel exists from then on: another case of its
        name is refused"""
        self.assertEqual(self.error(group="group", durable="dur:name"), COLON)
        with self.assertRaisesRegex(StanError, "exists"):
            self.me.publish("FOO", b"")

    def test_a_plain_durable_name_may_hold_a_colon(self):
        """E59"""
        self.me.publish("foo", b"1")
        durable = self.me.subscribe("foo", durable="dur:name", start=FIRST)
        durable.wait(1)

    def test_an_active_durable_is_refused(self):
        """E152"""
        self.me.subscribe("foo", durable="dur")
        self.assertEqual(self.error(durable="dur"), DUPLICATE)

    def test_an_offline_durable_does_not_make_its_client_known(self):
        """E58"""
        other = self.client("other")
        other.close_subscription(other.subscribe("foo", durable="dur"))
        other.close()
        self.assertEqual(self.error("other", durable="dur"), UNKNOWN_CLIENT)

    def test_a_request_without_reply_subject_is_carried_out(self):
        """protocol.md 1: a missing reply subject is never an error"""
        got = []
        self.me.nats.subscribe("silent.inbox", got.append)
        self.me.nats.publish(
            self.me.subscribe_subject,
            subscription_request("me", "foo", "silent.inbox"))
        self.settle(self.me)
        self.me.publish("foo", b"1")
        self.settle(self.me)
        self.assertEqual(len(got), 1)


if __name__ == "__main__":
    unittest.main()
