"""Queue groups, durable and not (delivery.md section 10)."""
import signal
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST
from support.waiting import wait_until


def everything(members):
    """All that any member got."""
    return [m for member in members for m in list(member.messages)]


@every_store
class QueueGroup(StreamdCase):
    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def member(self, client=None, **options):
        options = {"group": "g", "start": FIRST, **options}
        return (client or self.me).subscribe("foo", **options)

    def wait_all(self, members, sequences):
        wait_until(lambda: set(sequences) <=
                   {m.sequence for m in everything(members)},
                   f"{len(sequences)} messages over {len(members)} members")

    def test_one_member_gets_everything(self):
        """E165"""
        self.me.publish_numbers("foo", 1, 100)
        got = self.member(max_in_flight=5).wait(100)
        self.assertEqual([m.sequence for m in got], list(range(1, 101)))

    def test_each_message_goes_to_one_member(self):
        """E179, delivery.md 17: and in order at each"""
        members = [self.member(self.client(f"c{n}")) for n in range(4)]
        for first in range(1, 10001, 1000):
            self.me.publish_numbers("foo", first, first + 999)
        self.wait_all(members, range(1, 10001))
        self.settle(self.me)
        self.assertEqual(sorted(m.sequence for m in everything(members)),
                         list(range(1, 10001)))
        for member in members:
            sequences = member.sequences()
            self.assertEqual(sequences, sorted(sequences))
            self.assertTrue(sequences, "a member got nothing")

    def test_equal_load_gives_round_robin(self):
        """delivery.md 10.2"""
        members = [self.member(manual=True) for _ in "123"]
        self.me.publish_numbers("foo", 1, 9)
        self.wait_all(members, range(1, 10))
        self.assertEqual([len(m.messages) for m in members], [3, 3, 3])

    def test_a_group_ends_with_its_last_member(self):
        """E166: by unsubscribe, sub close and connection close"""
        self.me.publish("foo", b"1")
        for end in ("unsubscribe", "close_subscription", "close"):
            worker = self.client("worker")
            member = self.member(worker)
            self.assertEqual(member.wait(1)[0].sequence, 1, end)
            if end != "close":
                getattr(worker, end)(member)
            worker.close()

    def test_a_durable_group_outlives_its_members(self):
        """E167: and its last unsubscribe removes it"""
        worker = self.client("worker")
        member = self.member(worker, durable="d")
        self.me.publish("foo", b"1")
        member.wait(1)
        worker.close()
        self.me.publish("foo", b"2")
        other = self.client("other")
        member = self.member(other, durable="d")
        self.assertEqual(member.wait(1)[0].sequence, 2)
        other.unsubscribe(member)
        self.assertEqual(self.member(durable="d").wait(2)[0].sequence, 1)

    def test_a_member_s_unsubscribe_removes_only_the_member(self):
        """E155, delivery.md 10: the durable group lives on with the rest"""
        stays = self.member(durable="d")
        leaves = self.member(durable="d")
        self.me.publish("foo", b"1", b"2")
        self.wait_all([stays, leaves], [1, 2])
        self.settle(self.me)
        self.me.unsubscribe(leaves)
        self.me.close_subscription(stays)
        self.me.publish("foo", b"3")
        again = self.member(durable="d")
        again.wait_sequence(3)
        self.assertNotIn(False, [m.redelivered for m in again.messages
                                 if m.sequence < 3])

    def test_durable_and_plain_groups_of_one_name_are_two(self):
        """E169"""
        worker = self.client("worker")
        plain = self.member(worker)
        durable = self.member(worker, durable="d")
        self.me.publish("foo", b"1")
        plain.wait(1)
        durable.wait(1)
        self.settle(worker)
        worker.close()
        self.me.publish("foo", b"2")
        self.assertEqual(self.member(durable="d").wait(1)[0].sequence, 2)
        self.assertEqual(self.member().wait(1)[0].sequence, 1)

    def test_a_leaving_member_s_messages_go_to_the_others(self):
        """E170, E171: by unsubscribe; soon, not after its ack wait"""
        leaves = self.member(manual=True, ack_wait=3600)
        self.me.publish("foo", b"1")
        leaves.wait(1)
        stays = self.member(manual=True, ack_wait=3600)
        self.me.unsubscribe(leaves)
        again, = stays.wait(1, timeout=5)
        self.assertEqual((again.sequence, again.redelivered), (1, True))

    def test_a_leaving_member_s_messages_reach_a_full_one(self):
        """E172: the receiver is at max in flight 1, with a lower or a higher
        sequence of its own"""
        for full_first in (True, False):
            with self.subTest(full_first=full_first):
                self.leave_to_a_full_member(full_first)

    def leave_to_a_full_member(self, full_first):
        channel = f"full{full_first}"
        options = {"group": "g", "manual": True, "max_in_flight": 1,
                   "ack_wait": 3600}
        first = self.me.subscribe(channel, **options)
        self.me.publish(channel, b"1")
        first.wait(1)
        second = self.me.subscribe(channel, **options)
        self.me.publish(channel, b"2")
        second.wait(1)
        stays, leaves, moved = ((first, second, 2) if full_first
                                else (second, first, 1))
        self.me.close_subscription(leaves)
        again = stays.wait(2, timeout=5)[1]
        self.assertEqual((again.sequence, again.redelivered), (moved, True))
        self.me.unsubscribe(stays)

    def test_a_stalled_member_does_not_stall_the_group(self):
        """E177"""
        stalled = self.member(manual=True, max_in_flight=1)
        self.me.publish("foo", b"1")
        stalled.wait(1)
        live = self.member()
        self.me.publish_numbers("foo", 2, 6)
        self.assertEqual([m.sequence for m in live.wait(5)],
                         [2, 3, 4, 5, 6])

    def test_a_new_member_unstalls_the_group(self):
        """E178: and it stalls again at that one's limit"""
        first = self.member(manual=True, max_in_flight=1)
        self.me.publish_numbers("foo", 1, 10)
        first.wait(1)
        second = self.member(manual=True, max_in_flight=3)
        second.wait(3)
        self.settle(self.me)
        self.assertEqual((first.sequences(), second.sequences()),
                         ([1], [2, 3, 4]))
        second.ack(3)
        self.assertEqual(second.wait(4)[3].sequence, 5)

    def test_a_stalled_member_leaves_and_the_other_gets_all(self):
        """E181"""
        self.me.publish_numbers("foo", 1, 1000)
        stalled = self.member(manual=True, max_in_flight=5)
        stalled.wait(5)
        live = self.member(max_in_flight=50)
        self.me.close_subscription(stalled)
        self.wait_all([live], range(1, 1001))

    def test_the_messages_of_a_closing_member_are_all_redelivered(self):
        """E185: 100 unacked"""
        closing = self.client("closing")
        unacked = self.member(closing, durable="d", manual=True)
        self.me.publish_numbers("foo", 1, 100)
        unacked.wait(100)
        live = self.member(durable="d")
        closing.close()
        got = live.wait(100)
        self.assertEqual({m.sequence for m in got}, set(range(1, 101)))
        self.assertTrue(all(m.redelivered for m in got))

    def test_members_that_crash_come_back(self):
        """E186: all 20 arrive soon although the ack wait is a minute"""
        crashed = [self.client("a"), self.client("b")]
        members = [self.member(client, durable="d", manual=True,
                               max_in_flight=1, ack_wait=60)
                   for client in crashed]
        self.me.publish("foo", b"1", b"2")
        for member, client in zip(members, crashed):
            member.wait(1)
            self.cut(client)
        self.me.publish_numbers("foo", 3, 20)
        members = [self.member(self.client(name), durable="d",
                               max_in_flight=1, ack_wait=60)
                   for name in ("a", "b")]
        self.wait_all(members, range(1, 21))

    def test_a_rejoined_durable_group_gets_its_pending_first(self):
        """E184 without the restart, delivery.md 10.6"""
        worker = self.client("worker")
        self.member(worker, durable="d", manual=True)
        self.me.publish("foo", b"1")
        self.settle(worker)
        worker.close()
        self.me.publish("foo", b"2")
        got = self.member(durable="d").wait(2)
        self.assertEqual([(m.sequence, m.redelivered) for m in got],
                         [(1, True), (2, False)])

    def test_close_and_join_at_the_same_moment(self):
        """E183: both succeed, and nothing is sent twice or lost"""
        for number in range(20):
            leaving = self.client("leaving")
            leaver = self.member(leaving, durable="d")
            joining = self.client("joining")
            wait_close = leaving.nats.request_async(
                leaving.close_subject, b"\x0a\x07leaving")
            joiner = self.member(joining, durable="d")
            self.assertEqual(wait_close().data, b"")
            leaving.nats.close()
            self.me.publish("foo", b"x")
            joiner.wait_sequence(number + 1)
            self.assertEqual(leaver.messages, [])
            self.settle(joining)
            joining.close()

    def test_a_dead_member_s_messages_go_to_a_live_one(self):
        """delivery.md 8.4: redelivery picks the member with the least"""
        dead = self.member(self.client("dead"), manual=True, ack_wait=1)
        self.me.publish("foo", b"1")
        dead.wait(1)
        live = self.member(ack_wait=1)
        live.wait_redelivery(1)


@every_store
class Limited(StreamdCase):
    flags = ("-mm", "3")

    def test_a_new_member_skips_what_was_dropped(self):
        """E187"""
        me = self.client("me")
        stalled = me.subscribe("foo", group="g", manual=True,
                               max_in_flight=1, ack_wait=3600)
        me.publish("foo", b"1")
        stalled.wait(1)
        me.publish_numbers("foo", 2, 5)
        member = me.subscribe("foo", group="g")
        self.assertEqual([m.sequence for m in member.wait(3)], [3, 4, 5])


class AfterRestart(StreamdCase):
    store = "file"

    def setUp(self):
        super().setUp()
        self.me = self.client("me")

    def member(self, client=None, **options):
        options = {"group": "g", "start": FIRST, **options}
        return (client or self.me).subscribe("foo", **options)

    def test_the_group_s_position_outlives_the_member_that_held_it(self):
        """E173"""
        for number in (signal.SIGKILL, signal.SIGTERM):
            channel = f"ch{int(number)}"
            options = {"group": "g", "manual": True, "max_in_flight": 1}
            first = self.me.subscribe(channel, **options)
            second = self.me.subscribe(channel, **options)
            self.me.publish(channel, b"1", b"2")
            first.wait(1)
            last, = second.wait(1)
            second.ack(last.sequence)
            self.me.unsubscribe(second)
            self.restart_server(number=number)
            self.me.publish(channel, b"3")
            third = self.me.subscribe(channel, group="g")
            self.assertEqual(third.wait(1)[0].sequence, 3)

    def test_an_empty_durable_group_is_kept(self):
        """E174"""
        workers = [self.client(name) for name in ("a", "b")]
        members = [self.member(worker, durable="d") for worker in workers]
        self.me.publish("foo", b"1", b"2")
        wait_until(lambda: len(everything(members)) == 2, "both")
        for worker in workers:
            self.settle(worker)
        workers[1].close()
        workers[0].close()
        self.restart_server()
        self.me.publish("foo", b"3")
        self.assertEqual(
            self.member(durable="d").wait_sequence(3)[-1].sequence, 3)

    def test_pending_of_an_empty_durable_group_comes_first(self):
        """E184"""
        worker = self.client("worker")
        self.member(worker, durable="d", manual=True)
        self.me.publish("foo", b"1")
        self.settle(worker)
        worker.close()
        self.restart_server()
        self.me.publish("foo", b"2")
        got = self.member(durable="d").wait(2)
        self.assertEqual([(m.sequence, m.redelivered) for m in got],
                         [(1, True), (2, False)])

    def test_members_go_on_by_themselves(self):
        """E217, E178 after a restart"""
        members = [self.member(self.client(name), durable="d")
                   for name in ("a", "b")]
        self.restart_server()
        self.me.publish_numbers("foo", 1, 100)
        wait_until(lambda: len(everything(members)) >= 100, "100 messages")
        self.settle(self.me)
        self.assertEqual(sorted(m.sequence for m in everything(members)),
                         list(range(1, 101)))

    def test_a_moved_message_is_pending_at_its_new_member_only(self):
        """E149, E150"""
        first = self.member(manual=True, ack_wait=1)
        self.me.publish("foo", b"1")
        first.wait(1)
        second = self.member(manual=True, ack_wait=3600)
        second.wait_redelivery(1)
        before = len(first.messages)
        self.restart_server()
        self.me.publish("foo", b"2")
        wait_until(lambda: any(m.sequence == 2
                               for m in everything([first, second])), "2")
        self.settle(self.me)
        self.assertEqual([m.sequence for m in first.messages[before:]
                          if m.sequence == 1], [])


if __name__ == "__main__":
    unittest.main()
