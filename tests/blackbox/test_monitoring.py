"""What monitoring counts while clients work (monitoring.md)."""
import json
import unittest
import urllib.request

from support.case import StreamdCase, every_store
from support.processes import free_port
from support.stan import FIRST


@every_store
class Monitoring(StreamdCase):
    own_setup = True

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.server = self.start_server("-m", str(self.port),
                                        nats=self.shared_nats())
        self.me = self.client("me")

    def get(self, path):
        url = f"http://127.0.0.1:{self.port}/streaming/{path}"
        with urllib.request.urlopen(url, timeout=30) as answer:
            return json.load(answer)

    def subscriptions(self):
        return self.get("serverz")["subscriptions"]

    def test_subscriptions_are_counted(self):
        """E231, M13"""
        counts = []

        def step(function, *arguments, **options):
            result = function(*arguments, **options)
            counts.append(self.subscriptions())
            return result
        subscribe, close = self.me.subscribe, self.me.close_subscription
        durable = step(subscribe, "foo", durable="d")
        members = [step(subscribe, "foo", durable="d", group="g")
                   for _ in "12"]
        for member in members:
            step(close, member)
        step(close, durable)
        step(close, step(subscribe, "foo"))
        members = [step(subscribe, "foo", group="g") for _ in "12"]
        for member in members:
            step(close, member)
        self.assertEqual(counts, [1, 2, 3, 2, 2, 2, 3, 2, 3, 4, 3, 2])

    def test_a_durable_is_counted_until_it_is_unsubscribed(self):
        """E218, E221, M12"""
        durable = self.me.subscribe("foo", durable="d")
        self.assertEqual((self.subscriptions(), self.offline()), (1, False))
        self.me.close_subscription(durable)
        self.assertEqual((self.subscriptions(), self.offline()), (1, True))
        if self.store == "file":
            self.restart_server()
            self.assertEqual((self.subscriptions(), self.offline()),
                             (1, True))
        durable = self.me.subscribe("foo", durable="d")
        self.assertEqual((self.subscriptions(), self.offline()), (1, False))
        self.me.unsubscribe(durable)
        self.assertEqual(self.subscriptions(), 0)

    def offline(self):
        durable, = self.get("channelsz?channel=foo&subs=1")["subscriptions"]
        self.assertEqual(durable["client_id"], "me")
        self.assertTrue(durable["is_durable"])
        return durable["is_offline"]

    def test_messages_in_and_out_are_counted(self):
        """E83, M14: deliveries are counted before the ack leaves"""
        silent = self.me.subscribe("foo", manual=True, ack_wait=1)
        self.me.subscribe("foo")
        self.me.publish_numbers("foo", 1, 5)
        shown = self.get("serverz")
        self.assertEqual((shown["in_msgs"], shown["out_msgs"]), (5, 10))
        for sequence in range(1, 6):
            silent.wait_redelivery(sequence)
        silent.ack(1, 2, 3, 4, 5)
        shown = self.get("serverz")
        self.assertEqual(shown["in_msgs"], 5)
        self.assertGreaterEqual(shown["out_msgs"], 15)
        self.assertEqual(shown["total_msgs"], 5)

    def test_a_channel_shows_what_it_holds(self):
        """monitoring.md 8; acks and stalls"""
        self.me.publish_numbers("foo", 1, 10)
        subscription = self.me.subscribe("foo", manual=True, start=FIRST,
                                         max_in_flight=4)
        subscription.wait(4)
        channel = self.get("channelsz?channel=foo&subs=1")
        self.assertEqual([channel[key] for key in
                          ("msgs", "first_seq", "last_seq", "subs_count")],
                         [10, 1, 10, 1])
        shown, = channel["subscriptions"]
        self.assertEqual([shown[key] for key in
                          ("last_sent", "pending_count", "is_stalled",
                           "max_inflight", "ack_wait", "ack_inbox")],
                         [4, 4, True, 4, 30, subscription.ack_inbox])
        subscription.ack(1, 2, 3, 4)
        subscription.wait(8)
        shown, = self.get("channelsz?channel=foo&subs=1")["subscriptions"]
        self.assertEqual((shown["last_sent"], shown["pending_count"]),
                         (8, 4))

    def test_clients_come_and_go(self):
        """M2, M8"""
        other = self.client("other")
        shown = self.get("clientsz")
        self.assertEqual([c["id"] for c in shown["clients"]],
                         ["me", "other"])
        other.close()
        self.assertEqual(self.get("clientsz")["total"], 1)


if __name__ == "__main__":
    unittest.main()
