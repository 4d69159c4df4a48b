"""Pings of clients and heartbeats of the server (protocol.md section 8,
delivery.md section 15)."""
import unittest

from support.case import StreamdCase
from support.stan import INVALID_PUBLISH, FIRST
from support.waiting import wait_until

GONE = "client has been replaced or is no longer registered"


class Ping(StreamdCase):
    def test_a_known_connection_gets_an_empty_reply(self):
        """E30"""
        self.assertEqual(self.client("me").ping(), "")

    def test_an_unknown_connection_gets_an_error(self):
        """E31"""
        self.assertEqual(self.client("me").ping(b"wrongconnID"), GONE)

    def test_a_replaced_client_learns_it(self):
        """E33"""
        first = self.client("me")
        first.answers_heartbeats = False
        self.client("me")
        self.assertEqual(first.ping(), GONE)
        self.assertRefused(INVALID_PUBLISH, first.publish, "foo", b"")

    def test_a_closed_client_is_unknown(self):
        """protocol.md 7: closing removes the connection ID"""
        first = self.client("me")
        other = self.client("other")
        first.close()
        self.assertEqual(other.ping(first.conn_id), GONE)


class Heartbeats(StreamdCase):
    flags = ("-hbi", "100ms", "-hbt", "1s", "-hbf", "3")

    def test_a_live_client_is_asked_and_kept(self):
        """E212, first half"""
        me = self.client("me")
        wait_until(lambda: me.heartbeats >= 10, "ten heartbeats")
        self.assertEqual(me.ping(), "")

    def test_a_silent_client_is_closed(self):
        """E212: closed at the failure after the fail count"""
        me = self.client("me")
        watcher = self.client("watcher")
        me.answers_heartbeats = False
        self.server.wait_log("[Client:me] Timed out on heartbeats")
        self.assertEqual(me.heartbeats, 4)
        wait_until(lambda: watcher.ping(me.conn_id) == GONE, "closed")

    def test_a_client_cut_off_is_closed_and_its_subscriptions_with_it(self):
        """E212: its durable can be resumed by the next of its name"""
        me = self.client("me")
        me.subscribe("foo", durable="dur", start=FIRST).wait(0)
        self.cut(me)
        watcher = self.client("watcher")
        wait_until(lambda: watcher.ping(me.conn_id) == GONE, "closed")
        watcher.publish("foo", b"1")
        again = self.client("me").subscribe("foo", durable="dur")
        self.assertEqual([m.data for m in again.wait(1)], [b"1"])

    def test_an_outstanding_heartbeat_blocks_nothing(self):
        """E213"""
        self.server.end()
        self.server = self.start_server("-hbt", "20s", nats=self.server.nats)
        me = self.client("me")
        me.answers_heartbeats = False
        wait_until(lambda: me.heartbeats == 1, "a heartbeat")
        subscription = me.subscribe("foo")
        me.publish("foo", b"1")
        subscription.wait(1)
        me.close_subscription(subscription)
        self.assertEqual(me.ping(), "")

    def test_an_answer_forgives_the_failures_before(self):
        """delivery.md 15: any answer sets the count to 0"""
        me = self.client("me")
        me.answers_heartbeats = lambda count: count % 4 == 0
        wait_until(lambda: me.heartbeats >= 8, "twice three failures")
        self.assertEqual(me.ping(), "")

    def test_a_dead_client_is_closed_after_a_restart(self):
        """E214"""
        self.server.end()
        self.server = self.start_server(nats=self.server.nats, store="file")
        me = self.client("me")
        watcher = self.client("watcher")
        self.cut(me)
        self.restart_server()
        wait_until(lambda: watcher.ping(me.conn_id) == GONE, "closed")
        self.assertEqual(watcher.ping(), "")


class FailedHeartbeats(StreamdCase):
    """The client is asked every 100 ms, fails, and is kept."""

    flags = ("-hbi", "100ms", "-hbt", "100ms", "-hbf", "1000")

    def setUp(self):
        super().setUp()
        self.me = self.client("me")
        self.other = self.client("other")

    def fail(self):
        self.me.answers_heartbeats = False
        seen = self.me.heartbeats
        wait_until(lambda: self.me.heartbeats >= seen + 3, "failures")

    def test_a_plain_subscription_gets_no_redelivery_meanwhile(self):
        """E146: while others of the same ack wait get theirs"""
        mine = self.me.subscribe("foo", manual=True, ack_wait=1)
        others = self.other.subscribe("foo", manual=True, ack_wait=1)
        self.fail()
        self.other.publish("foo", b"1")
        others.wait_redelivery(1, 2)
        self.assertEqual(len(mine.wait(1)), 1)
        self.me.answers_heartbeats = True
        mine.wait_redelivery(1)

    def test_a_group_gives_its_messages_to_a_live_member(self):
        """E147: new ones and redeliveries"""
        mine = self.me.subscribe("foo", manual=True, group="g", ack_wait=1)
        self.other.publish("foo", b"1")
        mine.wait(1)
        self.fail()
        live = self.other.subscribe("foo", group="g", ack_wait=1)
        live.wait_redelivery(1)
        self.other.publish_numbers("foo", 2, 10)
        live.wait(10)
        self.assertEqual(mine.sequences(), [1])


class PingOfAFailingClient(StreamdCase):
    flags = ("-hbi", "5s", "-hbt", "100ms", "-hbf", "100")

    def test_it_brings_a_heartbeat_at_once(self):
        """E32: within milliseconds, far below the interval"""
        me = self.client("me")
        me.answers_heartbeats = False
        wait_until(lambda: me.heartbeats == 1, "a heartbeat")

        def pinged_in_vain():
            """Until the time-out has made it a failure, pings bring none."""
            self.assertEqual(me.ping(), "")
            return me.heartbeats > 1
        wait_until(pinged_in_vain, "a heartbeat before its time", 4)


if __name__ == "__main__":
    unittest.main()
