"""Client libraries as they are on the wire (support/library.py): each test
with the habits of stan.go, stan.py and stan.java (protocol.md 17)."""
import signal
import sys
import time
import unittest

from support.case import StreamdCase
from support.library import (PING_FAILURE, PROFILES, LibraryClient, Timeout)
from support.stan import FIRST, INVALID_PUBLISH, LAST_RECEIVED, REGISTERED
from support.stan import SEQUENCE, StanError
from support.waiting import wait_until

GONE = "client has been replaced or is no longer registered"


def every_profile(case):
    """Makes of a test class one for each library."""
    module = sys.modules[case.__module__]
    for profile in PROFILES:
        name = f"{case.__name__}_{profile.name.replace('.', '_')}"
        body = {"profile": profile, "__module__": case.__module__}
        setattr(module, name, type(name, (case,), body))


class HabitsCase(StreamdCase):
    profile = None

    def library(self, client_id="me", server=None, **options):
        server = server or self.server
        client = LibraryClient(self.profile, server.port, server.cluster,
                               client_id, **options)
        self.addCleanup(client.vanish)
        return client


class Life(HabitsCase):
    def test_connect_publish_subscribe_close(self):
        """E21, E30: the answer has all a library needs"""
        me = self.library()
        self.assertEqual(me.response[10], 1)
        for number in (1, 2, 3, 4, 6, 7):
            self.assertIn(self.server.cluster.encode(), me.response[number])
        self.assertEqual((me.response[8], me.response[9]), (5, 3))
        subscription = me.subscribe("foo")
        guids = [me.publish_async("foo", b"%d" % n) for n in range(1, 101)]
        self.assertEqual({me.wait_ack(guid) for guid in guids}, {""})
        got = subscription.wait(100)
        self.assertEqual([m.sequence for m in got], list(range(1, 101)))
        self.assertEqual([m.data for m in got],
                         [b"%d" % n for n in range(1, 101)])
        self.assertFalse(any(m.redelivered for m in got))
        subscription.unsubscribe()
        me.publish("foo", b"101")
        self.assertEqual(len(subscription.messages), 100)
        me.close()
        self.library().close()  # the id is free at once

    def test_start_positions(self):
        """E101 to E108, as each library asks for them"""
        me = self.library()
        me.publish("foo", b"1")
        me.publish("foo", b"2")
        third = me.subscribe("foo", start=FIRST).wait(2)[1].timestamp / 1e9
        time.sleep(0.05)
        me.publish("foo", b"3")
        asked = {
            (3,): me.subscribe("foo", start=LAST_RECEIVED),
            (2, 3): me.subscribe("foo", start=SEQUENCE, sequence=2),
            (1, 2, 3): me.subscribe("foo", start=FIRST),
            (): me.subscribe("foo"),
        }
        by_time = me.subscribe("foo", since=third + 0.02)
        me.publish("foo", b"4")
        for sequences, subscription in asked.items():
            wait_until(lambda s=subscription: s.messages and
                       s.messages[-1].sequence == 4, "the fourth")
            self.assertEqual(subscription.sequences(), [*sequences, 4])
        by_time.wait(2)
        self.assertEqual(by_time.sequences(), [3, 4])

    def test_manual_acks_and_redelivery(self):
        """E136, E141"""
        me = self.library()
        subscription = me.subscribe("foo", manual=True, ack_wait=1)
        me.publish("foo", b"1")
        me.publish("foo", b"2")
        subscription.wait(2)
        subscription.ack(1)
        again = subscription.wait(3)[2]
        self.assertEqual((again.sequence, again.redelivered,
                          again.redelivery_count), (2, True, 1))
        subscription.ack(2)

    def test_max_in_flight(self):
        """E117"""
        me = self.library()
        subscription = me.subscribe("foo", manual=True, max_in_flight=2)
        other = me.subscribe("foo")
        for number in range(5):
            me.publish("foo", b"%d" % number)
        other.wait(5)
        self.assertEqual(subscription.sequences(), [1, 2])
        for sequence in range(1, 6):
            subscription.wait(sequence)
            subscription.ack(sequence)

    def test_durables_are_resumed_and_unsubscribed(self):
        """E129, E152, E155; E66: the durable name in the request changes
        nothing"""
        me = self.library()
        durable = me.subscribe("foo", durable="dur", manual=True)
        with self.assertRaisesRegex(StanError, "duplicate durable"):
            me.subscribe("foo", durable="dur")
        me.publish("foo", b"1")
        me.publish("foo", b"2")
        durable.wait(2)
        durable.ack(1)
        first_inbox = durable.ack_inbox
        durable.close()
        me.publish("foo", b"3")
        me.close()
        me = self.library()
        durable = me.subscribe("foo", durable="dur", start=FIRST)
        durable.wait(2)
        self.assertEqual([(m.sequence, m.redelivered)
                          for m in durable.messages], [(2, True), (3, False)])
        self.assertNotEqual(durable.ack_inbox, first_inbox)
        durable.unsubscribe()
        fresh = me.subscribe("foo", durable="dur", start=FIRST)
        fresh.wait(3)
        self.assertEqual(fresh.sequences(), [1, 2, 3])

    def test_queue_groups(self):
        """E169, E170, with and without durable"""
        me = self.library()
        for durable in ("", "dur"):
            channel = "foo" + durable
            members = [me.subscribe(channel, group="g", durable=durable)
                       for _ in range(3)]
            for number in range(30):
                me.publish(channel, b"%d" % number)
            wait_until(lambda m=members: sum(len(s.messages) for s in m) == 30,
                       "all thirty, each once")
            self.assertEqual(
                sorted(n for s in members for n in s.sequences()),
                list(range(1, 31)))
            members[0].unsubscribe()
            members[1].close()
            me.publish(channel, b"last")
            wait_until(lambda m=members: 31 in m[2].sequences(), "the last")

    def test_errors_are_passed_on(self):
        """protocol.md 13"""
        me = self.library()
        with self.assertRaisesRegex(StanError, INVALID_PUBLISH):
            me.publish("foo*", b"")
        with self.assertRaisesRegex(StanError, "stan: invalid subject"):
            me.subscribe("foo.*")
        subscription = me.subscribe("foo")
        subscription.unsubscribe()
        subscription.sid = me.nats.subscribe("again", print)
        with self.assertRaisesRegex(StanError, "stan: invalid subscription"):
            subscription.unsubscribe()
        other = self.library("other")
        other.client_id = "nobody"
        with self.assertRaisesRegex(StanError, "unknown"):
            other.close()


class Liveness(HabitsCase):
    flags = ("-hbi", "200ms", "-hbt", "300ms", "-hbf", "2")

    def test_pings_and_heartbeats_keep_a_client(self):
        """E212, E30"""
        me = self.library(ping_interval=1)
        wait_until(lambda: me.heartbeats >= 8 and me.pongs >= 2,
                   "heartbeats and pongs")
        self.assertIsNone(me.lost)
        me.publish("foo", b"still here")

    def test_a_second_client_of_the_same_id_is_refused(self):
        """E17"""
        me = self.library()
        with self.assertRaisesRegex(StanError, REGISTERED):
            self.library()
        me.publish("foo", b"undisturbed")

    def test_a_replaced_client_is_told_by_its_next_ping(self):
        """E33, E34: its call-back for a lost connection says so"""
        me = self.library(ping_interval=1)
        me.answers_heartbeats = False
        second = self.library(timeout=5)
        wait_until(lambda: me.lost, "the connection is lost")
        self.assertEqual(me.lost, GONE)
        with self.assertRaisesRegex(StanError, INVALID_PUBLISH):
            me.publish("foo", b"")
        second.publish("foo", b"mine now")

    def test_a_client_that_was_cut_off_is_told_after_it_reconnects(self):
        """E18, E33: replaced while its NATS connection was away"""
        me = self.library(ping_interval=1, ping_max_out=20)
        subscription = me.subscribe("foo", durable="dur")
        me.nats.close()
        second = self.library(timeout=5)
        me.nats.reconnect()
        wait_until(lambda: me.lost, "the connection is lost")
        self.assertEqual(me.lost, GONE)
        second.publish("foo", b"1")
        again = second.subscribe("foo", durable="dur")
        again.wait(1)
        self.assertEqual(subscription.messages, [])

    def test_a_client_that_answers_no_heartbeats_is_told(self):
        """E212, then E31"""
        me = self.library(ping_interval=1)
        me.answers_heartbeats = False
        wait_until(lambda: me.lost, "the connection is lost")
        self.assertEqual(me.lost, GONE)


class Restarts(HabitsCase):
    store = "file"

    def test_a_restart_goes_unnoticed(self):
        """protocol.md 2.3: kill -9 and start: no call-back, all goes on; what
        got no ack is sent again and may be there twice, what got one is there
        once"""
        me = self.library(ping_interval=1, ping_max_out=30)
        plain = me.subscribe("foo")
        durable = me.subscribe("foo", durable="dur", manual=True, ack_wait=1)
        for number in range(10):
            me.publish("foo", b"%d" % number)
        durable.wait(10)
        for sequence in range(1, 11, 2):
            durable.ack(sequence)
        pongs = me.pongs
        for _ in range(2):
            self.server.kill()
            lost = me.publish_async("foo", b"nobody there")
            self.assertIsNone(me.wait_ack(lost, 0.3))
            self.server.start()
            me.publish("foo", b"after")
        wait_until(lambda: me.pongs > pongs and me.pings_out == 0, "a pong")
        self.assertIsNone(me.lost)
        wait_until(lambda: {11, 12} <= set(plain.sequences()), "both")
        wait_until(lambda: all(
            any(m.sequence == s and m.redelivered for m in durable.messages)
            for s in range(2, 11, 2)), "what was not acked came again")
        me.close()

    def test_a_server_that_stays_away_is_a_lost_connection(self):
        """The library gives up by itself; its id is free afterwards"""
        me = self.library(ping_interval=1, ping_max_out=1)
        self.server.kill()
        wait_until(lambda: me.lost, "the connection is lost")
        self.assertEqual(me.lost, PING_FAILURE)
        me.nats.close()
        self.server.start()
        self.library(timeout=5).publish("foo", b"1")

    def test_a_timed_out_subscribe_leaves_nothing_active(self):
        """protocol.md 17: the close names the delivery inbox and asks for no
        answer (E63, E65); it comes right behind the request"""
        if not self.profile.closes_after_timeout:
            self.skipTest("stan.py sends nothing then")
        me = self.library(timeout=0.5)
        me.publish("foo", b"1")
        self.server.send(signal.SIGSTOP)
        with self.assertRaises(Timeout):
            me.subscribe("foo", durable="dur", start=FIRST)
        with self.assertRaises(Timeout):
            me.subscribe("bar", start=FIRST)
        self.server.send(signal.SIGCONT)
        me.timeout = 5
        again = me.subscribe("foo", durable="dur", start=FIRST)
        again.wait(1)

    def test_a_timed_out_connect_is_tried_again(self):
        """protocol.md 17: with a new heartbeat inbox, while the first try
        may have been registered"""
        self.server.send(signal.SIGSTOP)
        with self.assertRaises(Timeout):
            self.library(timeout=0.5)
        self.server.send(signal.SIGCONT)
        self.library(timeout=5).publish("foo", b"1")


class MemoryRestart(HabitsCase):
    def test_a_forgetful_server_is_a_lost_connection(self):
        """E26"""
        me = self.library(ping_interval=1, ping_max_out=30)
        self.server.kill()
        self.server.start()
        wait_until(lambda: me.lost, "the connection is lost")
        self.assertEqual(me.lost, GONE)
        with self.assertRaisesRegex(StanError, INVALID_PUBLISH):
            me.publish("foo", b"")


for each in (Life, Liveness, Restarts, MemoryRestart):
    every_profile(each)
    del globals()[each.__name__]
del each, HabitsCase

if __name__ == "__main__":
    unittest.main()
