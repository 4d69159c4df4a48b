"""What the server makes of payloads that are not what they should be
(protocol.md section 4)."""
import unittest

from support.case import StreamdCase
from support.protobuf import decode, encode, text
from support.stan import (INVALID_CLIENT_ID, INVALID_PUBLISH, UNKNOWN_CLIENT,
                          connect_request, pub_msg)


class Decoding(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")
        self.publish_subject = self.me.publish_prefix + ".foo"
        self.discovery = "_STAN.discover." + self.server.cluster

    def error(self, subject, data, field):
        fields = decode(self.me.nats.request(subject, data).data)
        return text(fields, field)

    def assertNoReply(self, subject, data):
        """Whatever the server answers arrives before the answer to a later
        request; nothing may."""
        wait = self.me.nats.request_async(subject, data)
        self.assertEqual(self.me.ping(), "")
        self.settle(self.me)
        self.assertIsNone(wait(timeout=0))

    def test_garbage_gets_the_error_of_its_subject(self):
        """E1 to E6"""
        for number, subject, field, expected in (
                ("E1", self.discovery, 5, "stan: invalid connection request"),
                ("E2", self.publish_subject, 2, INVALID_PUBLISH),
                ("E3", self.me.subscribe_subject, 3,
                 "stan: invalid subscription request"),
                ("E4", self.me.unsubscribe_subject, 3,
                 "stan: invalid unsubscribe request"),
                ("E5", self.me.sub_close_subject, 3,
                 "stan: invalid unsubscribe request"),
                ("E6", self.me.close_subject, 1,
                 "stan: invalid close request")):
            with self.subTest(number):
                self.assertEqual(self.error(subject, b"dummy", field),
                                 expected)

    def test_garbage_published_is_answered_without_a_guid(self):
        """E2"""
        reply = decode(self.me.nats.request(self.publish_subject,
                                            b"dummy").data)
        self.assertEqual(reply, {2: INVALID_PUBLISH.encode()})

    def test_an_empty_payload_is_a_message_of_defaults(self):
        """E7"""
        for subject, field, expected in (
                (self.discovery, 5, "stan: invalid connection request"),
                (self.publish_subject, 2, INVALID_PUBLISH),
                (self.me.subscribe_subject, 3, "stan: clientID missing"),
                (self.me.unsubscribe_subject, 3, "stan: unknown channel"),
                (self.me.sub_close_subject, 3, "stan: unknown channel"),
                (self.me.close_subject, 1, UNKNOWN_CLIENT)):
            with self.subTest(subject):
                self.assertEqual(self.error(subject, b"", field), expected)
        self.assertNoReply(self.me.ping_subject, b"")

    def test_a_control_message_on_a_publish_subject_is_ignored(self):
        """E8: MsgType 2 gets no reply and stores nothing"""
        self.assertNoReply(self.publish_subject, encode((1, 2), (2, "id")))
        self.assertStored("foo", [])

    def test_a_control_message_that_decodes_as_a_publish_is_refused(self):
        """E8: MsgType 0 is left out, so ServerID reads as the guid"""
        self.assertEqual(
            self.error(self.publish_subject, encode((2, "id")), 2),
            INVALID_PUBLISH)

    def test_the_guid_before_the_damage_is_echoed(self):
        """E9"""
        damaged = encode((1, "me"), (2, "g1")) + b"\x1a\x7f"
        reply = decode(self.me.nats.request(self.publish_subject,
                                            damaged).data)
        self.assertEqual(text(reply, 1), "g1")
        self.assertEqual(text(reply, 2), INVALID_PUBLISH)

    def test_a_channel_name_need_not_be_utf8(self):
        """E10"""
        message = encode((1, "me"), (2, "g"), (3, b"\xff\xfe"), (5, b"data"),
                         (6, self.me.conn_id))
        self.assertEqual(self.error(self.publish_subject, message, 2), "")
        request = encode((1, "me"), (2, b"\xff\xfe"), (4, "_SUB.utf8"),
                         (5, 10), (6, 30), (10, 4))
        subscription = self.me.subscribe("other", inbox="_SUB.utf8")
        self.assertEqual(
            self.error(self.me.subscribe_subject, request, 3), "")
        delivery, = subscription.wait(1)
        self.assertEqual((delivery.channel, delivery.data),
                         (b"\xff\xfe", b"data"))

    def test_an_unknown_field_is_skipped(self):
        """E11"""
        message = pub_msg("me", "g", "foo", b"data", self.me.conn_id)
        self.assertEqual(self.error(self.publish_subject,
                                    message + encode((50, "new")), 2), "")
        self.assertStored("foo", [b"data"])

    def test_a_nul_does_not_cut_a_client_id(self):
        """E12"""
        self.assertEqual(
            self.error(self.discovery, connect_request("ab\0c", "hb"), 5),
            INVALID_CLIENT_ID)

    def test_a_ping_without_a_connection_id_gets_no_reply(self):
        """E13"""
        self.assertNoReply(self.me.ping_subject, b"dummy")
        self.assertNoReply(self.me.ping_subject, b"")

    def test_damage_of_every_kind_is_refused(self):
        """protocol.md section 4: field number 0, end-group tag, wire types 6
        and 7, a varint of 11 bytes, truncation, a wrong wire type"""
        for damage in (b"\x00\x00", b"\x0c", b"\x0e", b"\x0f",
                       b"\x20" + b"\x80" * 10 + b"\x01", b"\x0a\x05ab",
                       b"\x0a", b"\x08\x01\xff", b"\x0a" + b"\xff" * 9 +
                       b"\x01"):
            with self.subTest(damage):
                self.assertEqual(
                    self.error(self.me.subscribe_subject, damage, 3),
                    "stan: invalid subscription request")


if __name__ == "__main__":
    unittest.main()
