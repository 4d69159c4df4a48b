"""Those who read the monitoring pages, as they ask and decode: the Prometheus
exporter, KEDA, Telegraf, a web console, probes."""
import http.client
import json
import re
import signal
import threading
import unittest
from datetime import datetime

from support.case import StreamdCase, every_store
from support.http import get
from support.processes import free_port
from support.stan import FIRST
from support.waiting import wait_until


def go_time(text):
    """RFC 3339 with up to nine digits, or an error."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,9})?"
                         r"(Z|[+-]\d\d:\d\d)", text)
    return datetime.fromisoformat(found[1] + found[3].replace("Z", "+00:00"))


class Reader(StreamdCase):
    own_setup = True
    flags = ("-a", "127.0.0.1")

    def serve(self, nats=None):
        self.port = free_port()
        self.server = self.start_server("-m", str(self.port), nats=nats)
        self.me = self.client("me")

    def read(self, path):
        """As decoders do: the status is 200 and the type JSON."""
        answer = get(self.port, path)
        self.assertEqual(answer.status, 200, path)
        self.assertEqual(answer.headers["Content-Type"], "application/json")
        return json.loads(answer.body)

    def is_go_int(self, found, *names):
        """What Go decodes into an int: no point, no exponent, no string."""
        for name in names:
            self.assertIs(type(found[name]), int, name)

    def is_string(self, found, *names):
        for name in names:
            self.assertIs(type(found[name]), str, name)

    def traffic(self):
        """Ten messages; a durable, a group, and a durable group offline."""
        self.me.publish_numbers("foo", 1, 10)
        self.me.subscribe("foo", durable="d", start=FIRST).wait(10)
        self.me.subscribe("foo", group="g", start=FIRST, manual=True,
                          max_in_flight=3).wait(3)
        offline = self.me.subscribe("foo", group="workers", durable="jobs",
                                    start=FIRST, manual=True, max_in_flight=4)
        offline.wait(4)
        self.me.close_subscription(offline)


@every_store
class Exporter(Reader):
    """monitoring.md 12: prometheus-nats-exporter's streaming collector"""

    def test_server(self):
        self.serve(self.shared_nats())
        self.traffic()
        found = self.read("/streaming/serverz")
        self.is_go_int(found, "total_bytes", "in_bytes", "out_bytes",
                       "total_msgs", "in_msgs", "out_msgs", "channels",
                       "subscriptions", "clients")
        self.is_string(found, "cluster_id", "server_id", "version", "go",
                       "state", "start_time")
        self.assertEqual((found["total_msgs"], found["subscriptions"]),
                         (10, 3))
        self.assertNotIn("role", found)  # M17: standalone has neither
        self.assertNotIn("node_id", found)

    def test_channels(self):
        self.serve(self.shared_nats())
        self.traffic()
        found = self.read("/streaming/channelsz?subs=1")
        go_time(found["now"])
        channel, = found["channels"]
        self.is_string(channel, "name")
        self.is_go_int(channel, "msgs", "bytes", "last_seq")
        for subscription in channel["subscriptions"]:
            self.is_string(subscription, "client_id", "inbox")
            self.is_go_int(subscription, "last_sent", "pending_count",
                           "max_inflight")
            self.assertIs(type(subscription["is_offline"]), bool)
            if subscription["is_durable"] and "queue_name" in subscription:
                # It takes both parts without looking: one would be a crash.
                durable, group = subscription["queue_name"].split(":")
                self.assertEqual((durable, group), ("jobs", "workers"))

    def test_restart(self):
        """M4: a new server_id; the memory is empty, the store is not"""
        self.serve(self.shared_nats())
        self.traffic()
        before = self.read("/streaming/serverz")
        self.restart_server()
        after = self.read("/streaming/serverz")
        self.assertNotEqual(after["server_id"], before["server_id"])
        names = ("clients", "subscriptions", "channels", "total_msgs",
                 "total_bytes")
        expected = [before[name] if self.store == "file" else 0
                    for name in names]
        self.assertEqual([after[name] for name in names], expected)


class Keda(Reader):
    """conventions.md 6.4: the stan scaler"""

    def lag(self, channel, durable, group):
        """As its getMaxMsgLag and hasPendingMessage; None: no such channel,
        but a server."""
        path = f"/streaming/channelsz?channel={channel}&subs=1"
        if get(self.port, path).status == 404:
            self.assertEqual(get(self.port, "/streaming/channelsz").status,
                             200)
            return None
        found = self.read(path)
        members = [s for s in found["subscriptions"]
                   if s.get("queue_name") == f"{durable}:{group}"]
        self.assertTrue(members)
        return (found["last_seq"] - max(s["last_sent"] for s in members),
                members[0]["pending_count"])

    def test_the_lag_of_a_durable_group_is_seen_with_and_without_members(self):
        """M12: listed offline, or nothing is ever scaled up from zero"""
        self.serve(self.shared_nats())
        self.assertIsNone(self.lag("foo", "jobs", "workers"))
        self.traffic()
        self.assertEqual(self.lag("foo", "jobs", "workers"), (6, 4))
        self.me.publish_numbers("foo", 11, 15)
        self.assertEqual(self.lag("foo", "jobs", "workers"), (11, 4))
        self.me.subscribe("foo", group="workers", durable="jobs").wait(15)
        wait_until(lambda: self.lag("foo", "jobs", "workers") == (0, 0),
                   "all sent and acked")


class Telegraf(Reader):
    """conventions.md 6.4: inputs.nats"""

    def check(self):
        found = self.read("/varz")
        self.is_go_int(found, "in_msgs", "out_msgs", "in_bytes", "out_bytes",
                       "cores", "mem", "connections", "total_connections",
                       "subscriptions", "slow_consumers", "routes", "remotes")
        self.assertIn(type(found["cpu"]), (int, float))
        self.assertLessEqual(go_time(found["start"]), go_time(found["now"]))
        for path in ("/connz", "/routez", "/subsz"):
            self.read(path)
        for path in ("/", "/healthz"):  # liveness of Helm and Argo: plain 200
            self.assertEqual(get(self.port, path).status, 200)
        return found

    def test_embedded_the_pages_are_those_of_the_nats_server(self):
        self.serve()
        found = self.check()
        self.assertEqual(found["port"], self.server.port)
        self.assertGreater(found["connections"], 0)
        self.read("/jsz")
        self.assertEqual(get(self.port, "/nope").status, 404)
        answer = get(self.port, "/varz?callback=cb")
        self.assertTrue(answer.body.startswith(b"cb({"))

    def test_attached_they_are_about_streamd(self):
        self.serve(self.shared_nats())
        self.me.publish_numbers("foo", 1, 10)
        self.assertEqual(self.check()["in_msgs"], 10)
        self.assertEqual(get(self.port, "/jsz").status, 404)


class Console(Reader):
    """conventions.md 2.1: the console of KualiCo"""

    def test_what_it_shows_is_there(self):
        self.serve(self.shared_nats())
        self.traffic()
        self.assertEqual(self.read("/streaming/serverz")["cluster_id"],
                         self.server.cluster)
        self.read("/streaming/storez")
        channel, = self.read("/streaming/channelsz?subs=1")["channels"]
        self.assertEqual((channel["name"], channel["msgs"],
                          channel["last_seq"]), ("foo", 10, 10))
        client, = self.read("/streaming/clientsz?subs=1")["clients"]
        self.assertEqual(client["id"], "me")
        for subscription in client["subscriptions"]["foo"]:
            self.is_string(subscription, "client_id")
            self.is_go_int(subscription, "last_sent")


class Probes(Reader):
    def test_the_helm_chart_can_take_the_state_line_out(self):
        """conventions.md 6.1: grep and awk want one field a line"""
        self.serve(self.shared_nats())
        answer = get(self.port, "/streaming/serverz").body.decode()
        self.assertIn('  "state": "STANDALONE",\n', answer)

    def test_active_or_not(self):
        """M16, its standalone half: no body, no type"""
        self.serve(self.shared_nats())
        answer = get(self.port, "/streaming/isFTActive")
        self.assertEqual((answer.status, answer.body), (204, b""))
        self.assertNotIn("Content-Type", answer.headers)

    def test_ten_subscriptions_of_one_client(self):
        """M9, M11, M3"""
        self.serve(self.shared_nats())
        for _ in range(10):
            self.me.subscribe("bar")
        found = self.read("/streaming/clientsz?client=me&subs=1")
        self.assertEqual((found["subs_count"], list(found["subscriptions"]),
                          len(found["subscriptions"]["bar"])),
                         (10, ["bar"], 10))
        for path, text in (("clientsz?client=donotexist",
                            b"Client donotexist not found\n"),
                           ("channelsz?channel=donotexist",
                            b"Channel donotexist not found\n")):
            answer = get(self.port, "/streaming/" + path)
            self.assertEqual((answer.status, answer.body), (404, text))
        answer = get(self.port, "/streaming/serverz?callback=callback")
        self.assertEqual(answer.headers["Content-Type"],
                         "application/javascript")
        self.assertTrue(answer.body.startswith(b"callback({"))
        self.assertTrue(answer.body.endswith(b"})"))

    def test_requests_while_the_server_ends_and_comes_again(self):
        """M18"""
        self.serve(self.shared_nats())
        stop = threading.Event()
        odd = []
        threads = [threading.Thread(target=self.hammer, args=(path, stop, odd))
                   for path in ("/", "/healthz", "/readyz", "/metrics",
                                "/streaming", "/streaming/serverz",
                                "/streaming/storez", "/streaming/isFTActive",
                                "/streaming/clientsz?subs=1",
                                "/streaming/channelsz?subs=1", "/varz")]
        for thread in threads:
            thread.start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            self.me.publish_numbers("foo", 1, 10)
            self.server.send(number)
            expected = {signal.SIGTERM: 143, signal.SIGINT: 0}
            self.assertEqual(self.server.wait(),
                             expected.get(number, -signal.SIGKILL))
            self.server.start()
            self.me = self.client(f"me-{int(number)}")
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(odd, [])

    def hammer(self, path, stop, odd):
        while not stop.is_set():
            try:
                status = get(self.port, path).status
            except (OSError, http.client.HTTPException):
                continue  # nobody there, or cut off
            if status not in (200, 204, 503):
                odd.append((path, status))


if __name__ == "__main__":
    unittest.main()
