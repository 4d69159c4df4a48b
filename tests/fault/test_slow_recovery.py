"""A recovery that takes its time, as of a big store: systemd is told how far it
is and waits, nobody is told that the server is ready, and it can be stopped."""
import re
import signal
import unittest

from fault.controlled import ControlledCase
from support.processes import READY
from support.systemd import Systemd

CHANNELS = 40


class SlowRecovery(ControlledCase):
    def setUp(self):
        super().setUp()
        self.systemd = Systemd()
        self.addCleanup(self.systemd.close)
        self.start_controlled(environment={**self.systemd.environment(),
                                           "WATCHDOG_USEC": "300000"})
        self.systemd.told("READY=1")
        me = self.client("me")
        for number in range(CHANNELS):
            me.wait_acks([me.publish_async(f"foo.{number}", b"x")
                          for _ in range(3)])
        me.close()
        self.server.end(signal.SIGINT)
        self.systemd.told("STOPPING=1")
        self.control.set(read_us=60000)

    def slow_start(self):
        """The numbers of channels and messages it tells, up to and with the
        one at which more than one channel is there."""
        self.server.launch()
        numbers = [(0, 0)]
        while numbers[-1][0] < 2:
            message = self.systemd.told("STATUS=STARTING: recovering")[-1]
            self.assertEqual(message[0], "EXTEND_TIMEOUT_USEC=600000000")
            found = re.search(r"(\d+) channels with (\d+) messages so far",
                              message[1])
            if found:
                numbers.append((int(found[1]), int(found[2])))
        return numbers

    def test_systemd_is_told_how_far_it_is(self):
        """cli-config.md 14"""
        numbers = self.slow_start()
        self.assertEqual(self.server.log().count(READY), 1)  # of before
        self.assertEqual(numbers, sorted(numbers))
        before = self.systemd.told("READY=1", "STATUS=STANDALONE")[:-1]
        self.assertIn(["WATCHDOG=1"], before)
        for channels, messages in numbers + [
                (int(c), int(m)) for c, m in re.findall(
                    r"(\d+) channels with (\d+) m", str(before))]:
            self.assertEqual(messages, 3 * channels)
        self.assertEqual(self.server.log().count(READY), 2)
        self.assertIn(f"Recovered {CHANNELS} channel(s)", self.server.log())

    def test_it_ends_when_told_and_loses_nothing(self):
        self.slow_start()
        self.assertEqual(self.server.end(), 143)
        self.assertNotIn(f"Recovered {CHANNELS} channel", self.server.log())
        self.assertEqual(self.server.log().count(READY), 1)
        self.control.set()
        self.server.start()
        self.assertIn(f"Recovered {CHANNELS} channel(s)", self.server.log())
        for number in (0, CHANNELS - 1):
            self.assertStored(f"foo.{number}", [b"x"] * 3)


if __name__ == "__main__":
    unittest.main()
