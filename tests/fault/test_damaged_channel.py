"""A channel damaged on disk is named and kept from harm; the others serve."""
import glob
import os
import signal
import unittest

from support.case import StreamdCase
from support.stan import FIRST, StanError

COUNT = 300
TEXT = "channel is damaged, see the server's log"


class DamagedChannel(StreamdCase):
    store = "file"

    def fill(self):
        me = self.client("me")
        self.payloads = {channel: [
            f"{channel}-{number}-".encode() * 20 for number in range(COUNT)]
            for channel in ("good", "other", "bad")}
        for channel, payloads in self.payloads.items():
            guids = [me.publish_async(channel, data) for data in payloads]
            self.assertEqual(me.wait_acks(guids), [])
        me.subscribe("bad", durable="d").client.nats.close()
        self.server.end()

    def segments(self):
        return glob.glob(os.path.join(self.server.directory, "store",
                                      "nss.ldb", "*.seg"))

    def flip(self, words):
        """One bit of the stored words."""
        for path in self.segments():
            with open(path, "r+b") as file:
                at = file.read().find(words)
                if at >= 0:
                    file.seek(at)
                    file.write(bytes([words[0] ^ 1]))
                    return path, at
        self.fail(f"{words} is in no segment")

    def put_back(self, path, at, words):
        with open(path, "r+b") as file:
            file.seek(at)
            file.write(words[:1])

    def test_it_is_named_refused_and_untouched_and_the_others_serve(self):
        self.fill()
        words = b"bad-299-" * 20
        where = self.flip(words)
        self.server.start()
        self.server.wait_log('Channel "bad" (messages 1 to 300) is damaged')
        me = self.client("again")
        for name in ("bad", "BAD"):
            self.assertRefused(TEXT, me.publish, name, b"x")
            self.assertRefused(TEXT, me.subscribe, name)
            self.assertRefused(TEXT, me.subscribe, name, durable="d")
        for channel in ("good", "other"):
            self.assertStored(channel, self.payloads[channel])
            me.publish(channel, b"more")
        self.server.end(signal.SIGTERM)
        self.put_back(*where, words)  # as from a backup
        self.server.start()
        self.assertStored("bad", self.payloads["bad"])

    def test_damage_among_the_messages_stops_at_them(self):
        """What is before it is delivered, nothing behind it; nothing is left
        out without a word"""
        self.fill()
        self.flip(b"bad-150-" * 20)
        self.server.start()
        me = self.client("again")
        got = me.subscribe("bad", start=FIRST, max_in_flight=1000)
        self.server.wait_log('"bad"')
        self.server.wait_log("message 151 is damaged")
        self.assertStored("good", self.payloads["good"])
        numbers = got.sequences()
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)))
        self.assertLess(len(numbers), 151)

    def test_damage_of_the_index_alone_is_named_too(self):
        """The newest record of a channel in LevelDB's log: the witness"""
        self.fill()
        log = glob.glob(os.path.join(self.server.directory, "store",
                                     "nss.ldb", "*.log"))[0]
        with open(log, "r+b") as file:
            file.seek(-20, os.SEEK_END)
            file.write(b"X")
        self.server.launch()
        self.assertNotEqual(self.server.wait(), 0)
        self.server.wait_log("has changed since the store was closed")

    def test_damage_of_what_all_share_refuses_the_start(self):
        self.fill()
        directory = os.path.join(self.server.directory, "store", "nss.ldb")
        with open(os.path.join(directory, "CURRENT"), "r+b") as file:
            file.write(b"X")
        self.server.launch()
        self.assertNotEqual(self.server.wait(), 0)
        self.server.wait_log("CURRENT has changed since the store was closed")


if __name__ == "__main__":
    unittest.main()
