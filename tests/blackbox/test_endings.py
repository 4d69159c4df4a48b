"""What meets the end of a client or of the server half-way."""
import signal
import unittest

from support.case import StreamdCase
from support.protobuf import decode
from support.stan import (FIRST, INVALID_PUBLISH, close_request,
                          subscription_request)
from support.nats import unique
from support.protobuf import text
from support.waiting import wait_until

UNKNOWN_CLIENT = "stan: unknown clientID"


class Endings(StreamdCase):
    def test_a_client_that_was_cut_off_and_replaced_cannot_publish(self):
        """E34"""
        first = self.client("me")
        self.cut(first)
        self.client("me")
        first.nats.reconnect()
        self.assertRefused(INVALID_PUBLISH, first.publish, "foo", b"late")

    def test_a_subscribe_that_races_with_a_close_knows_one_error_only(self):
        """E64, E224: it succeeds, or the client is unknown"""
        for attempt in range(20):
            client_id = f"racer-{attempt}"
            client = self.client(client_id)
            waits = []
            for number in range(8):
                if number == 4:
                    client.nats.publish(client.close_subject,
                                        close_request(client_id))
                waits.append(client.nats.request_async(
                    client.subscribe_subject,
                    subscription_request(client_id, f"race.{number}",
                                         unique("_SUB"))))
            for wait in waits:
                fields = decode(wait().data)
                self.assertIn(text(fields, 3), ("", UNKNOWN_CLIENT))

    def test_an_empty_payload_is_no_empty_message(self):
        """E49: what a subscriber gets holds sequence, channel and time"""
        me = self.client("me")
        sizes = []
        inbox = unique("_RAW")
        me.nats.subscribe(inbox, lambda message: sizes.append(
            len(message.data)))
        me.nats.request(me.subscribe_subject, subscription_request(
            "me", "foo", inbox, start=FIRST))
        me.publish("foo", b"")
        wait_until(lambda: sizes, "the message")
        self.assertGreater(sizes[0], len("foo"))


class Shutdown(StreamdCase):
    def test_a_second_signal_changes_nothing(self):
        """E78"""
        me = self.client("me")
        me.publish_numbers("foo", 1, 100)
        self.server.send(signal.SIGTERM)
        try:
            self.server.send(signal.SIGTERM)
        except ProcessLookupError:
            pass  # it was faster
        self.assertEqual(self.server.wait(), 143)


if __name__ == "__main__":
    unittest.main()
