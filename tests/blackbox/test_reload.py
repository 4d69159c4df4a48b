"""SIGHUP: what changes while the server runs (cli-config.md 11.1, 13)."""
import os
import signal

from support.case import StreamdCase, every_store
from support.waiting import wait_until


class ReloadCase(StreamdCase):
    own_setup = True

    def start_with(self, text, *flags, ready=True, **options):
        server = self.new_server("-c", "server.conf", *flags, **options)
        self.path = os.path.join(server.directory, "server.conf")
        self.write(text)
        return server.start() if ready else server.launch()

    def write(self, text):
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)

    def reload(self, server, text, words, count=1):
        self.write(text)
        server.send(signal.SIGHUP)
        server.wait_log(words, count)


@every_store
class Limits(ReloadCase):
    def test_limits_hold_at_once(self):
        """of the server and of a channel, in engine and store"""
        server = self.start_with(
            "streaming { store_limits { max_channels: 2, max_subs: 1 } }",
            nats=self.shared_nats())
        me = self.client("me", server)
        for number in range(10):
            me.publish("foo", str(number).encode())
            me.publish("bar", str(number).encode())
        with self.assertRaisesRegex(Exception, "too many channels"):
            me.publish("baz", b"one too many")
        self.reload(server, "streaming { store_limits { max_channels: 3, "
                    "max_subs: 1000, max_msgs: 5, channels { bar { max_msgs: "
                    "2 } } } }", "limits of channels")
        me.publish("baz", b"welcome")
        me.publish("foo", b"new")
        me.publish("bar", b"new")
        self.assertStored("foo", [b"6", b"7", b"8", b"9", b"new"], server)
        self.assertStored("bar", [b"9", b"new"], server)
        self.assertRegex(server.log(), r"Messages     : +5\n")

    def test_age_and_inactivity_begin_to_count(self):
        server = self.start_with("streaming {}", nats=self.shared_nats())
        me = self.client("me", server)
        me.publish("foo", b"x")
        me.publish("gone", b"x")
        self.reload(server, "streaming { store_limits { max_age: '50ms', "
                    "channels { gone { max_inactivity: '50ms' } } } }",
                    "Reloaded: -ma")
        wait_until(lambda: self.is_empty(me, "foo"), "foo is empty")
        server.wait_log('Channel "gone" has been deleted')


class Settings(ReloadCase):
    def test_levels_and_times_of_the_log(self):
        server = self.start_with("streaming {}", nats=self.shared_nats())
        self.reload(server, "logtime: false\nstreaming { sd: true, sv: true }",
                    "Reloaded: -SD, -SV, -T")
        self.client("me", server).publish("foo", b"x")
        server.wait_log("[DBG] STREAM: ")
        self.assertRegex(server.log().splitlines()[-1], r"^\[\d+\] \[")

    def test_heartbeats(self):
        """a client that is gone is found by the new ones"""
        server = self.start_with("streaming {}", nats=self.shared_nats())
        text = ("streaming { hb_interval: '100ms', hb_timeout: '100ms', "
                "hb_fail_count: 1 }")
        self.reload(server, text, "Reloaded: -hbi, -hbt, -hbf")
        gone = self.client("gone", server)
        gone.nats.close()
        server.wait_log("[Client:gone] Timed out on heartbeats")

    def test_what_cannot_change_is_named(self):
        server = self.start_with("port: 1\nstreaming { id: a, hbi: '1s' }",
                                 nats=self.shared_nats())
        self.reload(server, "port: 2\nstreaming { id: b, hbi: '1s', "
                    "dir: other }",
                    "[WRN] STREAM: Reload: cannot change without a restart: "
                    "-dir, -p\n")  # the id is given by a flag

    def test_a_file_that_is_wrong_changes_nothing(self):
        """C35: ERR Reload: <err>"""
        server = self.start_with("streaming { sd: false }",
                                 nats=self.shared_nats())
        for text, words in (
                ("streaming { sd: true", "Unexpected EOF processing map"),
                ("streaming { sd: true, limits { mc: x } }", "is expected to be"),
                ("streaming { sd: true, limits { mc: -1 } }",
                 "max channels limit cannot be negative (-1)")):
            self.reload(server, text, words)
            line = [l for l in server.log().splitlines() if words in l][0]
            self.assertIn("[ERR] STREAM: Reload: ", line)
        os.unlink(self.path)
        server.send(signal.SIGHUP)
        server.wait_log("Reload: error opening config file")
        self.client("me", server).publish("foo", b"x")
        self.assertNotIn("[DBG]", server.log())

    def test_the_log_file_moves(self):
        server = self.start_with("logfile: 'one.log'\nstreaming {}",
                                 nats=self.shared_nats(), ready=False)
        first = os.path.join(server.directory, "one.log")
        second = os.path.join(server.directory, "two.log")
        wait_until(lambda: "is ready" in read(first), "ready")
        self.write("logfile: 'two.log'\nstreaming {}")
        server.send(signal.SIGHUP)
        wait_until(lambda: "Reloaded: -l" in read(second), "the new file")
        self.assertIn("File log re-opened", read(second))


class Embedded(ReloadCase):
    def test_the_nats_side_is_passed_on(self):
        """C35"""
        server = self.start_with("debug: false\nstreaming {}")
        self.reload(server, "debug: true\nstreaming {}",
                    "[INF] Reloaded: debug = true")
        server.wait_log("[INF] Reloaded server configuration")
        server.send(signal.SIGUSR1)
        server.wait_log("File log re-open ignored")
        self.reload(server, "max_payload: 4KB\nstreaming {}",
                    "Reloaded: max_payload = 4096")
        self.reload(server, "max_payload: [1]\nstreaming {}",
                    "[ERR] Failed to reload server configuration: "
                    "server.conf:1:")
        self.client("me", server).publish("foo", b"x")

    def test_users_come_and_our_own_stays(self):
        text = ("authorization { users: [ {user: nss, password: s}, "
                "{user: %s, password: p} ] }\n"
                "streaming { user: nss, password: s }")
        server = self.start_with(text % "a")
        self.reload(server, text % "b", "Reloaded: authorization users")
        client = self.client("me", server, login={"user": "b", "pass": "p"})
        client.publish("foo", b"x")


def read(path):
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""
