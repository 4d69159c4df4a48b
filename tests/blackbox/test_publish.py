"""Publishing (protocol.md section 9)."""
import unittest

from support.case import StreamdCase, every_store
from support.protobuf import decode, encode, text
from support.stan import FIRST, INVALID_PUBLISH, StanError, pub_msg

CLASH = ('rejecting channel "%s" because channel "%s" alreay exists '
         "(different cases not allowed)")


@every_store
class Publish(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def answer(self, message, subject="foo"):
        reply = self.me.nats.request(f"{self.me.publish_prefix}.{subject}",
                                     message)
        fields = decode(reply.data)
        return text(fields, 1), text(fields, 2)

    def test_a_guid_is_asked_for(self):
        """E35"""
        message = pub_msg("me", "", "foo", b"data", self.me.conn_id)
        self.assertEqual(self.answer(message), ("", INVALID_PUBLISH))

    def test_bad_channel_names_are_refused(self):
        """E36"""
        for channel in ("foo*.bar", "foo.bar*", "foo.*", "foo.>", "foo..bar",
                        ".foo", "foo.", ".", "..", "foo/bar", "", "*", ">"):
            with self.subTest(channel):
                message = pub_msg("me", "g", channel, b"", self.me.conn_id)
                self.assertEqual(self.answer(message),
                                 ("g", INVALID_PUBLISH))

    def test_long_and_odd_channel_names_are_taken(self):
        """E37; blanks and other bytes are allowed, too"""
        for channel in (".".join(["token"] * 101), "with blank", "smörgås",
                        "_STAN.pub", "$SYS.x", "UPPER.lower"):
            with self.subTest(channel):
                message = pub_msg("me", "g", channel, b"", self.me.conn_id)
                self.assertEqual(self.answer(message), ("g", ""))

    def test_a_known_connection_id_is_enough(self):
        """E38"""
        for client_id in ("", "somebody-else"):
            message = pub_msg(client_id, "g", "foo", b"", self.me.conn_id)
            self.assertEqual(self.answer(message), ("g", ""))

    def test_an_unknown_connection_id_is_refused(self):
        """E39"""
        message = pub_msg("me", "g", "foo", b"", b"unknown")
        self.assertEqual(self.answer(message), ("g", INVALID_PUBLISH))

    def test_an_old_client_publishes_without_connection_id(self):
        """E40"""
        self.client("old", conn_id=b"", protocol=0)
        with_id = pub_msg("old", "g", "foo", b"", b"some")
        self.assertEqual(self.answer(with_id), ("g", INVALID_PUBLISH))
        without = pub_msg("old", "g", "foo", b"")
        self.assertEqual(self.answer(without), ("g", ""))
        unknown = pub_msg("unknown", "g", "foo", b"")
        self.assertEqual(self.answer(unknown), ("g", INVALID_PUBLISH))

    def test_the_channel_is_the_one_named_in_the_message(self):
        """E41"""
        message = pub_msg("me", "g", "bar", b"data", self.me.conn_id)
        self.assertEqual(self.answer(message, "foo"), ("g", ""))
        self.assertStored("bar", [b"data"])
        self.assertStored("foo", [])

    def test_a_publish_without_reply_subject_is_stored(self):
        """E42"""
        message = pub_msg("me", "g", "foo", b"silent", self.me.conn_id)
        self.me.nats.publish(self.me.publish_prefix + ".foo", message)
        self.me.publish("foo", b"answered")
        self.assertStored("foo", [b"silent", b"answered"])

    def test_a_long_guid_comes_back_whole(self):
        """E43"""
        guid = "0123456789" * 1000
        message = pub_msg("me", guid, "foo", b"", self.me.conn_id)
        self.assertEqual(self.answer(message), (guid, ""))

    def test_names_that_differ_in_case_only_cannot_coexist(self):
        """E46"""
        self.me.publish("Foo", b"1")
        self.assertRefused(CLASH % ("foo", "Foo"), self.me.publish, "foo",
                           b"x")
        self.me.publish("Foo", b"2")
        for channel in ("foo", "FoO"):
            self.assertRefused(CLASH % (channel, "Foo"), self.me.subscribe,
                               channel)
        self.assertStored("Foo", [b"1", b"2"])
        if self.store == "file":
            self.restart_server()
            self.assertRefused(CLASH % ("FOO", "Foo"), self.me.publish,
                               "FOO", b"x")

    def test_equal_guids_are_two_messages(self):
        """E47"""
        message = pub_msg("me", "g", "foo", b"data", self.me.conn_id)
        self.assertEqual(self.answer(message), ("g", ""))
        self.assertEqual(self.answer(message), ("g", ""))
        self.assertStored("foo", [b"data", b"data"])

    def test_reply_is_delivered_and_sha256_has_no_effect(self):
        """E48"""
        message = encode((1, "me"), (2, "g"), (3, "foo"), (4, "reply.to"),
                         (5, b"data"), (6, self.me.conn_id),
                         (10, b"no hash at all"))
        self.assertEqual(self.answer(message), ("g", ""))
        delivery, = self.me.subscribe("foo", start=FIRST).wait(1)
        self.assertEqual((delivery.reply, delivery.data, delivery.crc32),
                         ("reply.to", b"data", 0))

    def test_a_delivery_carries_sequence_channel_and_time(self):
        """protocol.md 3, MsgProto"""
        self.me.publish("foo", b"one", b"")
        subscription = self.me.subscribe("foo", start=FIRST)
        one, two = subscription.wait(2)
        self.assertEqual((one.sequence, one.channel, one.data, one.reply),
                         (1, b"foo", b"one", ""))
        self.assertEqual((two.sequence, two.data), (2, b""))
        self.assertFalse(one.redelivered or one.redelivery_count)
        self.assertLessEqual(one.timestamp, two.timestamp)
        self.assertGreater(one.timestamp, 1_600_000_000 * 10**9)

    def test_many_at_once_are_all_acked_and_kept_in_order(self):
        """E44, with more than one batch"""
        self.me.publish_numbers("foo", 1, 3000)
        subscription = self.me.subscribe("foo", start=FIRST,
                                         max_in_flight=10000)
        got = subscription.wait(3000)
        self.assertEqual([m.sequence for m in got], list(range(1, 3001)))
        self.assertEqual([int(m.data) for m in got], list(range(1, 3001)))

    def test_large_messages_are_kept_whole(self):
        """protocol.md 15: up to NATS's max_payload"""
        payloads = [bytes([n]) * 1_000_000 for n in range(3)]
        self.me.publish("foo", *payloads)
        self.assertStored("foo", payloads)

    def test_a_channel_made_by_many_at_once_is_one(self):
        """E219"""
        clients = [self.client(f"c{n}") for n in range(10)]
        guids = [client.publish_async("new", b"") for client in clients]
        for client, guid in zip(clients, guids):
            self.assertEqual(client.wait_acks([guid]), [])
        got = self.me.subscribe("new", start=FIRST).wait(10)
        self.assertEqual([m.sequence for m in got], list(range(1, 11)))
        self.assertEqual(self.server.log().count(
            'Channel "new" has been created'), 1)

    def test_acks_of_one_publisher_come_in_order(self):
        """protocol.md 9: in receive order"""
        order = []
        self.me.nats.subscribe("acks.here", lambda m: order.append(
            int(text(decode(m.data), 1))))
        for guid in range(1, 501):
            message = pub_msg("me", str(guid), f"ch{guid % 7}", b"",
                              self.me.conn_id)
            self.me.nats.publish(self.me.publish_prefix + ".x", message,
                                 "acks.here")
        self.me.publish("last", b"")
        self.assertEqual(order, list(range(1, 501)))

    def test_a_delivery_precedes_the_ack_of_its_publish(self):
        """E83: both on one connection"""
        order = []
        self.me.subscribe("foo", inbox="both.ways",
                          on_message=lambda s, m: order.append("message"))
        self.me.nats.subscribe("ack.here", lambda m: order.append("ack"))
        for number in range(20):
            self.me.nats.publish(
                self.me.publish_prefix + ".foo",
                pub_msg("me", str(number), "foo", b"", self.me.conn_id),
                "ack.here")
            self.me.publish("other", b"")
        self.assertEqual(order, ["message", "ack"] * 20)


@every_store
class FullServer(StreamdCase):
    flags = ("-mc", "1")

    def test_a_publish_to_one_channel_too_many_is_refused(self):
        """E45, E193"""
        me = self.client("me")
        me.publish("foo", b"1")
        self.assertRefused("too many channels", me.publish, "bar", b"1")
        self.assertRefused("too many channels", me.subscribe, "bar")
        me.publish("foo", b"2")
        if self.store == "file":
            self.restart_server()
            self.assertRefused("too many channels", me.publish, "bar", b"1")
        with self.assertRaises(StanError):
            me.subscribe("bar")


if __name__ == "__main__":
    unittest.main()
