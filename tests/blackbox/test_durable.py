"""Durable subscriptions (delivery.md section 9)."""
import signal
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST

DUPLICATE = "stan: duplicate durable registration"


@every_store
class Durable(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def durable(self, client=None, **options):
        options = {"durable": "d", "start": FIRST, **options}
        return (client or self.me).subscribe("foo", **options)

    def test_it_is_active_once(self):
        """E152"""
        self.durable()
        self.assertRefused(DUPLICATE, self.durable)

    def test_a_name_belongs_to_its_channel(self):
        """E153"""
        self.durable()
        self.me.subscribe("bar", durable="d")

    def test_a_name_belongs_to_its_client(self):
        """E163"""
        self.me.publish("foo", b"1")
        for client in (self.me, self.client("other")):
            self.durable(client).wait(1)

    def test_client_channel_and_name_do_not_run_together(self):
        """delivery.md 9: a structured key, no joined text"""
        a = self.client("a")
        a_foo = self.client("a-foo")
        a.subscribe("foo", durable="foo-d")
        a_foo.subscribe("foo", durable="d")
        a.subscribe("foo-foo", durable="d")

    def test_it_is_resumed_again_and_again(self):
        """E154"""
        for life in range(1, 5):
            worker = self.client("worker")
            durable = self.durable(worker)
            self.me.publish("foo", str(life).encode())
            durable.wait(1)
            self.settle(worker)
            self.assertEqual(durable.sequences(), [life])
            worker.close()
            if life == 3 and self.store == "file":
                self.restart_server()

    def test_unsubscribe_removes_it_and_close_keeps_it(self):
        """E155; for a durable queue group, too"""
        for options in ({}, {"group": "g"}):
            with self.subTest(options):
                self.me.publish("foo", b"x")
                durable = self.durable(**options)
                durable.wait(1)
                self.me.unsubscribe(durable)
                durable = self.durable(**options)
                self.assertEqual(durable.wait(1)[0].sequence, 1)
                self.settle(self.me)
                last = durable.messages[-1].sequence
                self.me.close_subscription(durable)
                self.me.publish("foo", b"x")
                durable = self.durable(**options)
                self.assertEqual(durable.wait(1)[0].sequence, last + 1)
                self.me.unsubscribe(durable)
                durable = self.durable(**options)
                self.assertEqual(durable.wait(1)[0].sequence, 1)
                self.me.unsubscribe(durable)

    def test_unacked_messages_come_before_new_ones(self):
        """E159, while another client keeps publishing"""
        self.me.publish_numbers("foo", 1, 50)
        worker = self.client("worker")
        self.durable(worker, manual=True).wait(50)
        worker.close()
        guids = [self.me.publish_async("foo", b"x") for _ in range(200)]
        durable = self.durable(self.client("worker"))
        guids += [self.me.publish_async("foo", b"x") for _ in range(200)]
        self.assertEqual(self.me.wait_acks(guids), [])
        got = durable.wait(450)
        self.assertEqual([m.sequence for m in got], list(range(1, 451)))
        self.assertEqual([m.redelivered for m in got],
                         [True] * 50 + [False] * 400)

    def test_an_unacked_message_comes_once_on_resume(self):
        """E160"""
        self.me.publish("foo", b"1")
        worker = self.client("worker")
        self.durable(worker, manual=True).wait(1)
        worker.close()
        worker = self.client("worker")
        durable = self.durable(worker)
        durable.wait(1)
        self.settle(worker)
        self.assertEqual([(m.sequence, m.redelivered, m.redelivery_count)
                          for m in durable.messages], [(1, True, 1)])

    def test_redeliveries_on_resume_are_in_order_of_sequence(self):
        """delivery.md 8.5"""
        self.me.publish_numbers("foo", 1, 20)
        worker = self.client("worker")
        durable = self.durable(worker, manual=True)
        durable.wait(20)
        durable.ack(*range(1, 20, 2))
        worker.close()
        got = self.durable(self.client("worker"), max_in_flight=1).wait(10)
        self.assertEqual([m.sequence for m in got], list(range(2, 21, 2)))

    def test_a_client_that_is_replaced_leaves_its_durable(self):
        """delivery.md 9: replaced counts as closed"""
        worker = self.client("worker")
        self.durable(worker).wait(0)
        self.cut(worker)
        self.me.publish("foo", b"1")
        self.durable(self.client("worker")).wait(1)


@every_store
class Limited(StreamdCase):
    flags = ("-mm", "3")

    def test_messages_dropped_while_offline_are_skipped(self):
        """E161"""
        me = self.client("me")
        durable = me.subscribe("foo", durable="d")
        me.publish("foo", b"1")
        durable.wait(1)
        me.close_subscription(durable)
        me.publish_numbers("foo", 2, 5)
        again = me.subscribe("foo", durable="d")
        self.assertEqual([m.sequence for m in again.wait(3)], [3, 4, 5])


@every_store
class Replace(StreamdCase):
    flags = ("-replace_durable",)

    def test_the_second_takes_over(self):
        """E162"""
        me = self.client("me")
        first = me.subscribe("foo", durable="d")
        second = me.subscribe("foo", durable="d")
        me.publish("foo", b"1")
        second.wait(1)
        self.settle(me)
        self.assertEqual(first.messages, [])
        self.assertEqual(len(second.messages), 1)
        self.assertRefused("stan: invalid subscription",
                           me.close_subscription, first)
        me.close_subscription(second)


class AfterRestart(StreamdCase):
    store = "file"

    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def test_one_closed_by_a_live_client_is_offline(self):
        """E156, E157"""
        durable = self.me.subscribe("foo", manual=True, durable="d",
                                    ack_wait=1)
        self.me.publish("foo", b"1")
        durable.wait(1)
        self.me.close_subscription(durable)
        self.restart_server()
        self.me.publish("foo", b"2")
        again = self.me.subscribe("foo", durable="d")
        got = again.wait(2)
        self.assertEqual([(m.sequence, m.redelivered) for m in got],
                         [(1, True), (2, False)])
        self.assertEqual(len(durable.messages), 1)
        self.assertRefused(DUPLICATE, self.me.subscribe, "foo", durable="d")

    def test_one_whose_client_closed_is_offline(self):
        """E157"""
        worker = self.client("worker")
        durable = worker.subscribe("foo", durable="d")
        got = []
        self.me.nats.subscribe(durable.inbox, got.append)
        worker.close()
        self.restart_server()
        self.me.publish("foo", b"1")
        self.settle(self.me)
        self.assertEqual(got, [])
        self.client("worker").subscribe("foo", durable="d").wait(1)

    def test_one_whose_client_stayed_goes_on_by_itself(self):
        """E158"""
        for number in (signal.SIGKILL, signal.SIGTERM):
            durable = self.me.subscribe("foo", durable="d")
            self.me.close_subscription(durable)
            durable = self.me.subscribe("foo", durable="d")
            self.restart_server(number=number)
            self.me.publish("foo", b"x")
            durable.wait(1)
            self.settle(self.me)
            self.assertEqual(len(durable.messages), 1)
            self.me.close_subscription(durable)

    def test_an_unsubscribe_that_was_answered_holds(self):
        """delivery.md 16, guarantee 2"""
        self.me.publish("foo", b"1")
        durable = self.me.subscribe("foo", durable="d", start=FIRST)
        durable.wait(1)
        self.me.unsubscribe(durable)
        self.restart_server()
        self.me.subscribe("foo", durable="d", start=FIRST).wait(1)

    def test_a_subscribe_that_was_answered_holds(self):
        """delivery.md 16, guarantee 2"""
        for number in range(10):
            self.me.subscribe(f"ch{number}", durable="d")
        self.restart_server()
        for number in range(10):
            self.assertRefused(DUPLICATE, self.me.subscribe, f"ch{number}",
                               durable="d")


if __name__ == "__main__":
    unittest.main()
