"""The disk of a serving streamd refuses calls, or is full: publishers get an
error with a text, nothing of it is stored or delivered, the process stays up
and takes publishes again when the fault is gone."""
import errno
import os
import subprocess
import unittest

from fault.controlled import ControlledCase
from support.stan import FIRST
from support.waiting import wait_until


class DiskCase(ControlledCase):
    def setUp(self):
        super().setUp()
        self.good = []  # payloads that were acked
        self.start_controlled()
        self.begin("me")

    def begin(self, client_id):
        self.me = self.client(client_id)
        self.subscription = self.me.subscribe("foo", durable="d")

    def publish(self, text):
        self.me.publish("foo", text)
        self.good.append(text)

    def refused(self, text):
        """The error a publish gets."""
        errors = self.me.wait_acks([self.me.publish_async("foo", text)])
        self.assertEqual(len(errors), 1, "acked although the disk failed")
        self.assertNotEqual(errors[0], "")
        return errors[0]

    def recovers(self):
        """The server takes a publish again, soon, and only what was acked is
        there: before and after kill -9."""
        wait_until(lambda: not self.me.wait_acks(
            [self.me.publish_async("foo", b"probe")]), "publishes are taken")
        self.good.append(b"probe")
        self.publish(b"last")
        self.check()
        self.restart_server()
        self.check()

    def check(self):
        got = self.subscription.wait_for(
            lambda messages: {m.sequence for m in messages} >= set(
                range(1, len(self.good) + 1)), "all that was acked")
        by_sequence = {m.sequence: m.data for m in got}
        self.assertEqual([by_sequence[s] for s in sorted(by_sequence)],
                         self.good)
        probe = self.me.subscribe("foo", start=FIRST)
        stored = probe.wait(len(self.good))
        self.assertEqual([m.data for m in stored], self.good)
        self.settle(self.me)
        self.assertEqual(len(probe.messages), len(self.good))
        self.me.unsubscribe(probe)


class FailingDisk(DiskCase):
    def test_syncs_fail(self):
        for number in (errno.EIO, errno.ENOSPC):
            self.publish(b"before")
            self.control.set(sync=number)
            for _ in range(3):
                self.assertIn(os.strerror(number), self.refused(b"lost"))
            self.control.set()
            self.recovers()

    def test_writes_fail(self):
        for number in (errno.EIO, errno.ENOSPC):
            self.publish(b"before")
            self.control.set(write=number)
            for _ in range(3):
                self.assertIn(os.strerror(number), self.refused(b"lost"))
            self.control.set()
            self.recovers()

    def test_files_cannot_be_created_while_it_mends_itself(self):
        self.publish(b"before")
        self.control.set(sync=errno.EIO)
        self.refused(b"lost")
        self.control.set(create=errno.EMFILE)
        self.refused(b"lost")
        self.control.set()
        self.recovers()

    def test_pipelined_publishes_are_acked_or_refused_one_by_one(self):
        texts = {}
        for number in range(600):
            if number == 200:
                self.me.wait_acks(list(texts)[:50])
                self.control.set(sync=errno.EIO)
            text = b"%d" % number
            texts[self.me.publish_async("foo", text)] = text
        self.me.wait_acks(texts)
        self.control.set()
        acked = self.me.acked()
        self.assertGreater(len(acked), 0)
        self.assertLess(len(acked), len(texts))
        self.good = [text for guid, text in texts.items() if guid in acked]
        self.recovers()

    def test_a_stop_with_a_broken_disk_ends_and_keeps_what_was_acked(self):
        self.publish(b"before")
        self.control.set(sync=errno.EIO)
        self.refused(b"lost")
        self.server.end()
        self.control.set()
        self.server.start()
        self.recovers_from_stop()

    def recovers_from_stop(self):
        """What failed last may have reached the log: the disk took its undoing
        neither. It was not acked, so either is right."""
        probe = self.me.subscribe("foo", start=FIRST)
        self.me.publish("foo", b"end")
        got = probe.wait_for(lambda m: m and m[-1].data == b"end", "end")
        self.assertIn([m.data for m in got],
                      ([b"before", b"end"], [b"before", b"lost", b"end"]))


class Unsynced(DiskCase):
    """-file_sync=false: an ack does not wait for the disk."""

    flags = ("-file_sync=false", "-file_auto_sync=50ms")

    def test_acks_do_not_wait_for_the_disk_but_it_gets_all(self):
        self.assertIn("[WRN] STREAM: Messages are acked before they are on "
                      "the disk (sync: false): a power cut loses those of the "
                      "last 50ms\n", self.server.log())
        self.publish(b"before")
        self.control.set(sync=errno.EIO)
        self.publish(b"not on the disk")
        self.server.wait_log("Unable to sync the store, will be tried again: "
                             f"sync a segment: {os.strerror(errno.EIO)}")
        self.publish(b"nor is this")
        self.control.set()
        self.publish(b"after")
        self.check()
        self.restart_server()  # by kill -9
        self.check()
        self.server.end()  # in good order
        self.server.start()
        self.check()


class FullDisk(DiskCase):
    """A file system that is really full."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small file system")
        super().setUp()
        self.server.end()
        self.place = os.path.join(self.server.directory, "store")
        if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "none",
                           self.place], capture_output=True).returncode != 0:
            self.skipTest("no right to mount a small file system")
        self.addCleanup(subprocess.run, ["umount", "-l", self.place])
        self.server.start()
        self.begin("another")

    def test_a_full_disk(self):
        big = b"x" * 50000
        for _ in range(200):
            errors = self.me.wait_acks([self.me.publish_async("foo", big)])
            if errors:
                break
            self.good.append(big)
        self.assertIn(os.strerror(errno.ENOSPC), errors[0])
        self.assertGreater(len(self.good), 10)
        self.refused(big)
        self.assertEqual(self.me.ping(), "")
        subprocess.run(["mount", "-o", "remount,size=64m", self.place],
                       check=True)
        self.recovers()


if __name__ == "__main__":
    unittest.main()
