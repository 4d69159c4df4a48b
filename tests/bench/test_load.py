"""The load generator verifies: content with what is right, not with what is
wrong. Not about time."""
import argparse
import os
import pathlib
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from contestants import Failed, options_of, run_load  # noqa: E402
from support.processes import NatsServer, Process, Streamd  # noqa: E402

CLUSTER = "bench-test"


class LoadCase(unittest.TestCase):
    """One nats-server; a test starts the servers it wants."""

    programs = None  # a pathlib.Path, from the command line

    def setUp(self):
        self.nats = NatsServer()
        self.addCleanup(self.nats.forget)

    def streamd(self, *flags, store="memory"):
        server = Streamd(CLUSTER, *flags, nats=self.nats, store=store)
        self.addCleanup(server.forget)
        server.start()

    def null_server(self):
        server = Process()
        self.addCleanup(server.forget)
        server.spawn([str(self.programs / "null_server"), str(self.nats.port),
                      CLUSTER])
        self.load("connect")

    def load(self, mode, **values):
        return run_load([self.programs / "stanload", mode, "--port",
                         self.nats.port, "--cluster", CLUSTER,
                         "--timeout", 20, *options_of(values)])

    def load_fails(self, mode, **values):
        """What it says of itself on standard output."""
        values.setdefault("timeout", 1)
        with self.assertRaises(Failed) as caught:
            self.load(mode, **values)
        return str(caught.exception)


class ContentTest(LoadCase):
    def all_modes(self):
        self.load("connect")
        self.load("publish", messages=5000)
        replay = self.load("replay", messages=5000, max_in_flight=100)
        self.assertEqual(replay["received"], 5000)
        self.load("publish", messages=50, window=1, channel="sync")
        self.load("publish", messages=2000, publishers=10, channels=20,
                  channel="many")
        live = self.load("live", messages=200, rate=2000, subscribers=4,
                         channel="live")
        self.assertEqual(live["deliveries"], 800)
        group = self.load("live", messages=2000, subscribers=4, group="g",
                          channel="group")
        self.assertEqual(group["deliveries"], 2000)
        plain = self.load("plain", messages=200, rate=2000)
        self.assertEqual(plain["received"], 200)

    def test_is_content_with_a_file_store(self):
        self.streamd(store="file")
        self.all_modes()

    def test_is_content_with_a_memory_store(self):
        self.streamd()
        self.all_modes()

    def test_is_content_with_the_null_server(self):
        self.null_server()
        self.all_modes()

    def test_counts_what_the_watched_process_used(self):
        self.streamd()
        answer = self.load("publish", messages=1000,
                           watch=f"nats={self.nats.pid}")
        self.assertGreater(answer["cpu_us"]["nats"], 0)
        self.assertGreater(answer["memory_kb"]["nats"], 0)


class DiscontentTest(LoadCase):
    def test_sees_that_nobody_answers(self):
        self.assertIn("no answer", self.load_fails("publish"))

    def test_sees_a_refused_message(self):
        self.streamd("-max_channels", "1")
        said = self.load_fails("publish", messages=10, channels=2)
        self.assertIn('"refused":5,', said)

    def test_sees_an_ack_too_many(self):
        self.null_server()
        self.null_server()
        said = self.load_fails("publish", messages=10)
        self.assertNotIn('"unexpected_acks":0', said)

    def test_sees_another_payload(self):
        self.streamd()
        self.load("publish", messages=10, size=64)
        said = self.load_fails("replay", messages=10, size=65)
        self.assertIn('"damaged":10,', said)

    def test_sees_that_messages_are_missing_at_the_end(self):
        self.streamd()
        self.load("publish", messages=10)
        said = self.load_fails("replay", messages=11)
        self.assertIn('"received":10,', said)

    def test_sees_that_messages_are_missing_at_the_front(self):
        self.streamd("-max_msgs", "10")
        self.load("publish", messages=15)
        said = self.load_fails("replay", messages=10)
        self.assertIn('"out_of_order":10,', said)

    def test_sees_a_message_delivered_twice(self):
        self.null_server()
        self.null_server()
        said = self.load_fails("live", messages=10, subscribers=2, group="g")
        self.assertNotIn('"repeated":0,', said)


class JetStreamTest(unittest.TestCase):
    def test_publishes_and_replays(self):
        nats = NatsServer("-js", "-sd", str(self.data))
        self.addCleanup(nats.forget)
        for mode in ("publish", "replay"):
            answer = run_load([LoadCase.programs / "jetstream_load", mode,
                               "memory", nats.port, 1000, 128, 100, ""])
            self.assertEqual(answer["wrong"], 0)

    data = None  # from the command line


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--streamd", required=True)
    parser.add_argument("--programs", type=pathlib.Path, required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    options, rest = parser.parse_known_args()
    os.environ["STREAMD"] = options.streamd
    LoadCase.programs = options.programs
    JetStreamTest.data = options.data / "test-jetstream"
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
