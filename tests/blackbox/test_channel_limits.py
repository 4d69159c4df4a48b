"""Limits of single channels, and other settings that only a configuration file
can give (delivery.md section 14, stores.md section 3)."""
import tempfile
import unittest

from support.case import StreamdCase, every_store
from support.stan import FIRST
from support.waiting import wait_until


class ConfiguredCase(StreamdCase):
    """Servers with a configuration file."""

    own_setup = True

    def configure(self, text):
        """Starts the server with this streaming configuration."""
        file = tempfile.NamedTemporaryFile("w", suffix=".conf")
        self.addCleanup(file.close)
        file.write(text)
        file.flush()
        self.server = self.start_server("-sc", file.name,
                                        nats=self.shared_nats())


@every_store
class ChannelLimits(ConfiguredCase):
    def kept(self, client, channel, count):
        """Publishes that many; what a new subscription then finds."""
        client.publish_numbers(channel, 1, count)
        probe = client.subscribe(channel, start=FIRST)
        probe.wait_sequence(count)
        client.unsubscribe(probe)
        return probe.sequences()

    def test_the_narrowest_name_that_matches_counts(self):
        """E199, S19"""
        self.configure("""store_limits { channels {
            ">" { max_msgs: 3 }
            "foo.>" { max_msgs: 2 }
        } }""")
        me = self.client("me")
        self.assertEqual(self.kept(me, "foo.bar", 5), [4, 5])
        self.assertEqual(self.kept(me, "bar", 5), [3, 4, 5])

    def test_a_channel_inherits_what_it_does_not_say(self):
        """E198: count and subscriptions; 0 in an entry means no limit"""
        self.configure("""store_limits { max_msgs: 4, max_subs: 1, channels {
            "few" { max_msgs: 2 }
            "many" { max_msgs: 0, max_subs: 3 }
        } }""")
        me = self.client("me")
        self.assertEqual(self.kept(me, "few", 6), [5, 6])
        self.assertEqual(self.kept(me, "other", 6), [3, 4, 5, 6])
        self.assertEqual(self.kept(me, "many", 6), [1, 2, 3, 4, 5, 6])
        for channel, most in (("few", 1), ("many", 3)):
            for _ in range(most):
                me.subscribe(channel)
            self.assertRefused("too many subscriptions per channel",
                               me.subscribe, channel)

    def test_age_by_channel(self):
        """E198"""
        self.configure("""store_limits { channels {
            "short" { max_age: "200ms" }
        } }""")
        me = self.client("me")
        me.publish("short", b"1", b"2")
        me.publish("long", b"1", b"2")
        wait_until(lambda: self.is_empty(me, "short"), "expired")
        self.assertFalse(self.is_empty(me, "long"))

    def test_inactivity_by_channel(self):
        """E207: in this order gone, kept longer, kept for ever"""
        self.configure("""store_limits { max_inactivity: "100ms", channels {
            "foo.*" { max_inactivity: "1s" }
            "foo.bar" { max_inactivity: "0" }
        } }""")
        me = self.client("me")
        for channel in ("foo.bar", "foo.baz", "bar"):
            me.publish(channel, b"")
        self.server.wait_log('Channel "foo.baz" has been deleted')
        log = self.server.log()
        self.assertLess(log.index('Channel "bar" has been deleted'),
                        log.index('Channel "foo.baz" has been deleted'))
        self.assertNotIn('Channel "foo.bar" has been deleted', log)


class DiscoverPrefix(ConfiguredCase):
    store = "file"

    def test_a_stored_prefix_outlives_another_one(self):
        """E75"""
        self.configure("discover_prefix: _OTHER.discover")
        nats = self.connection()
        subject = "_OTHER.discover." + self.server.cluster
        wait_until(lambda: nats.is_heard(subject), "the prefix in use")
        self.server.flags = []
        self.server.restart()
        wait_until(lambda: nats.is_heard(subject), "the stored prefix in use")
        self.assertFalse(
            nats.is_heard("_STAN.discover." + self.server.cluster))


if __name__ == "__main__":
    unittest.main()
