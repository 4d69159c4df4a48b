"""Connects, client IDs and their replacement (protocol.md section 7)."""
import signal
import threading
import time
import unittest

from support.case import StreamdCase, every_store
from support.nats import unique
from support.protobuf import decode, signed32, text
from support.stan import (INVALID_CLIENT_ID, INVALID_PUBLISH, REGISTERED,
                          StanError, connect_request)
from support.waiting import wait_until

GONE = "client has been replaced or is no longer registered"
PROBE = 0.5  # seconds the server waits for the holder of an ID


class Connect(StreamdCase):
    def test_client_ids_with_other_characters_are_refused(self):
        """E14"""
        for client_id in ("", "id with spaces", "id:with:columns",
                          "id,with,commas", "id.with.dots", "!@#$%^&*()",
                          "newline\n"):
            with self.subTest(client_id):
                self.assertEqual(self.connect_error(client_id),
                                 INVALID_CLIENT_ID)

    def test_client_ids_of_letters_digits_dash_and_underscore_are_taken(self):
        """E15"""
        for client_id in ("id", "id_with_underscores", "id-with-hypens",
                          "x" * 1000, "0"):
            with self.subTest(client_id):
                self.client(client_id)

    def test_a_heartbeat_inbox_is_asked_for_before_the_id_is_looked_at(self):
        """E16"""
        nats = self.connection()
        for client_id in ("good", "not good"):
            reply = nats.request("_STAN.discover." + self.server.cluster,
                                 connect_request(client_id, ""))
            self.assertEqual(decode(reply.data),
                             {5: b"stan: invalid connection request"})

    def test_an_id_in_use_is_refused(self):
        """E17"""
        first = self.client("me")
        self.assertEqual(self.connect_error("me"), REGISTERED)
        self.assertEqual(first.ping(), "")
        first.publish("foo", b"still here")

    def test_a_client_that_is_gone_is_replaced(self):
        """E18, E20 (no responders: well below the probe time-out), E33"""
        first = self.client("me")
        self.cut(first)
        started = time.monotonic()
        second = self.client("me")
        self.assertLess(time.monotonic() - started, PROBE * 0.8)
        self.assertEqual(second.ping(), "")
        self.assertIn("replaced", second.ping(first.conn_id))
        self.assertEqual(self.connect_error("me"), REGISTERED)

    def test_a_client_that_does_not_answer_is_replaced_after_the_probe(self):
        """E20, second half: somebody listens but nobody answers"""
        first = self.client("me")
        first.answers_heartbeats = False
        started = time.monotonic()
        self.client("me")
        took = time.monotonic() - started
        self.assertGreater(took, PROBE * 0.9)
        self.assertIn("replaced", first.ping())

    def test_ten_clients_are_replaced_side_by_side(self):
        """E18: in under 5 s"""
        for number in range(10):
            self.cut(self.client(f"c{number}"))
        started = time.monotonic()
        failures = []

        def connect(number):
            try:
                self.client(f"c{number}")
            except (StanError, AssertionError) as error:
                failures.append(error)
        threads = [threading.Thread(target=connect, args=[n])
                   for n in range(10)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        self.assertLess(time.monotonic() - started, 5)

    def test_a_running_probe_delays_nobody_else(self):
        """E19"""
        holder = self.client("x")
        holder.answers_heartbeats = False
        nats = self.connection()
        discovery = "_STAN.discover." + self.server.cluster
        order = []

        def ask(name, client_id):
            inbox = unique("_REPLY")
            nats.subscribe(inbox, lambda m: order.append((name, decode(
                m.data).get(5, b"").decode())))
            nats.publish(discovery, connect_request(
                client_id, unique("_HB"), 1, unique("c").encode()), inbox)
        ask("first x", "x")
        ask("second x", "x")
        ask("y", "y")
        self.client("last").publish("foo", b"")  # answered meanwhile, too
        wait_until(lambda: len(order) == 3, "three answers")
        self.assertEqual(order, [("second x", REGISTERED), ("y", ""),
                                 ("first x", "")])

    def test_a_probe_answer_may_hold_anything(self):
        """E29"""
        answers = iter((b"", b"anything", b"\xff" * 100))
        me = self.client("me")
        me.answers_heartbeats = False
        me.nats.subscribe(me.heartbeat_inbox,
                          lambda m: me.nats.publish(m.reply, next(answers)))
        for _ in range(3):
            self.assertEqual(self.connect_error("me"), REGISTERED)

    def test_the_reply_tells_subjects_and_ping_settings(self):
        """E21"""
        cluster = self.server.cluster
        reply = self.client("me", ping_interval=1, ping_max_out=3).reply
        self.assertEqual(
            {number: text(reply, number) for number in (1, 2, 3, 4, 6, 7)},
            {1: "_STAN.pub." + cluster, 2: "_STAN.sub." + cluster,
             3: "_STAN.unsub." + cluster, 4: "_STAN.close." + cluster,
             6: "_STAN.subclose." + cluster,
             7: f"_STAN.discover.{cluster}.pings"})
        self.assertEqual([reply.get(n) for n in (8, 9, 10, 100)],
                         [1, 3, 1, None])

    def test_an_old_client_is_told_nothing_of_pings(self):
        """E22"""
        reply = self.client("me", protocol=0, conn_id=b"").reply
        self.assertEqual([reply.get(n) for n in (7, 8, 9, 10)],
                         [None, None, None, 1])

    def test_negative_ping_values_are_echoed(self):
        """E23"""
        reply = self.client("me", ping_interval=-5, ping_max_out=-1).reply
        self.assertEqual((signed32(reply, 8), signed32(reply, 9)), (-5, -1))


@every_store
class AfterRestart(StreamdCase):
    def test_a_client_is_known_after_a_restart_if_the_store_lasts(self):
        """E24, E25 (file), E26 (memory)"""
        for number in (signal.SIGKILL, signal.SIGTERM):
            me = self.client("me" + str(int(number)))
            me.publish("foo", b"before")
            self.restart_server(number=number)
            if self.store == "file":
                self.assertEqual(me.ping(), "")
                me.publish("foo", b"after")
                self.assertEqual(self.connect_error(me.client_id), REGISTERED)
            else:
                self.assertEqual(me.ping(), GONE)
                self.assertRefused(INVALID_PUBLISH, me.publish, "foo", b"x")

    def test_a_closed_client_is_not_known_after_a_restart(self):
        """delivery.md 16, guarantee 3"""
        if self.store == "memory":
            self.skipTest("forgets everything")
        me = self.client("me")
        me.close()
        other = self.client("other")
        self.restart_server()
        self.assertEqual(other.ping(me.conn_id), GONE)


if __name__ == "__main__":
    unittest.main()
