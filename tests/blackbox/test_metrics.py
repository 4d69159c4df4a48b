"""/metrics, /readyz and /healthz, read as Prometheus and probes do."""
import json
import os
import re
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from support import openmetrics
from support.case import StreamdCase, every_store
from support.http import get
from support.processes import free_port
from support.stan import FIRST, INVALID_PUBLISH
from support.waiting import wait_until

# conventions.md 6.3: name -> (type, labels)
SERVER = {"server_id"}
CHANNEL = {"server_id", "server_role", "channel"}
SUBSCRIPTION = CHANNEL | {"client_id", "inbox", "queue_name", "is_durable",
                          "is_offline", "durable_name"}
EXPORTER = {
    "nss_server_bytes_total": ("counter", SERVER),
    "nss_server_msgs_total": ("counter", SERVER),
    "nss_server_bytes_in": ("counter", SERVER),
    "nss_server_bytes_out": ("counter", SERVER),
    "nss_server_msgs_in": ("counter", SERVER),
    "nss_server_msgs_out": ("counter", SERVER),
    "nss_server_channels": ("counter", SERVER),
    "nss_server_subscriptions": ("counter", SERVER),
    "nss_server_clients": ("counter", SERVER),
    "nss_server_active": ("gauge", SERVER),
    "nss_server_info": ("gauge", SERVER | {
        "cluster_id", "version", "go_version", "state", "role",
        "start_time"}),
    "nss_chan_bytes_total": ("gauge", CHANNEL),
    "nss_chan_msgs_total": ("gauge", CHANNEL),
    "nss_chan_last_seq": ("gauge", CHANNEL),
    "nss_chan_subs_last_sent": ("gauge", SUBSCRIPTION),
    "nss_chan_subs_pending_count": ("gauge", SUBSCRIPTION),
    "nss_chan_subs_max_inflight": ("gauge", SUBSCRIPTION),
}
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0,"
                         "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"}
ROOT = os.path.join(os.path.dirname(__file__), "..", "..")


class MetricsCase(StreamdCase):
    own_setup = True

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.server = self.start_server("-m", str(self.port), *self.more,
                                        nats=self.shared_nats())
        self.me = self.client("me")

    more = ()

    def metrics(self):
        answer = get(self.port, "/metrics", headers=OPENMETRICS)
        self.assertEqual(answer.headers["Content-Type"],
                         "application/openmetrics-text; version=1.0.0; "
                         "charset=utf-8")
        return openmetrics.parse(answer.body.decode())

    def value(self, family, **labels):
        found = self.metrics()[family].values(**labels)
        self.assertEqual(len(found), 1, (family, labels, found))
        return found[0]


@every_store
class Metrics(MetricsCase):
    def test_the_exporters_names_types_and_labels_are_there(self):
        self.me.publish_numbers("foo", 1, 3)
        self.me.subscribe("foo", durable="d")
        text = get(self.port, "/metrics").body.decode()
        types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.M))
        for name, (kind, labels) in EXPORTER.items():
            self.assertEqual(types.get(name), kind, name)
            sample = re.search(rf"^{name}\{{(.*)\}} \S+$", text, re.M)
            self.assertIsNotNone(sample, name)
            self.assertEqual(
                set(openmetrics.read_labels(sample[1], name)), labels, name)

    def test_channels_and_consumers_are_measured(self):
        self.me.publish_numbers("foo", 1, 10)
        silent = self.me.subscribe("foo", durable="d", group="g", manual=True,
                                   start=FIRST, max_in_flight=4, ack_wait=1)
        other = self.client("other")
        silent.wait_redelivery(1)
        families = self.metrics()
        group = {"channel": "foo", "durable_name": "d", "queue_name": "g"}
        for name, value in (("lag_messages", 6), ("pending_messages", 4),
                            ("stalled", 1), ("members", 1)):
            family = families["streamd_consumer_" + name]
            self.assertEqual(family.values(**group), [value], name)
        oldest, = families["streamd_consumer_oldest_pending_seconds"].values(
            **group)
        self.assertTrue(1 <= oldest < 60, oldest)
        redeliveries, = families["streamd_consumer_redeliveries"].values(
            **group)
        self.assertGreaterEqual(redeliveries, 1)
        self.assertEqual(families["nss_chan_msgs_total"].values(channel="foo"),
                         [10])
        self.assertEqual(families["nss_chan_subs_pending_count"].values(
            channel="foo", client_id="me", durable_name="d", queue_name="g",
            is_durable="true", is_offline="false"), [4])
        other.subscribe("foo", durable="d", group="g", manual=True)
        self.assertEqual(self.value("streamd_consumer_members", **group), 2)
        silent.ack(1, 2, 3, 4)
        wait_until(lambda: self.value("streamd_acks") >= 4, "acks counted")

    def test_refused_publishes_and_commits_are_counted(self):
        self.me.publish_numbers("foo", 1, 5)
        errors = self.me.wait_acks([self.me.publish_async("foo", guid="")])
        self.assertEqual(errors, [INVALID_PUBLISH])
        families = self.metrics()
        self.assertEqual(
            families["streamd_publish_errors"].values(cause="invalid"), [1])
        commits = families["streamd_commit_duration_seconds"].samples[
            "streamd_commit_duration_seconds_count", frozenset()]
        self.assertGreaterEqual(commits, 1)
        syncs = families["streamd_store_sync_duration_seconds"].samples[
            "streamd_store_sync_duration_seconds_count", frozenset()]
        self.assertEqual(syncs > 0, self.store == "file")

    def test_healthy_and_ready(self):
        self.assertEqual(get(self.port, "/healthz").status, 200)
        ready = get(self.port, "/readyz")
        self.assertEqual((ready.status, ready.body),
                         (200, b'{"status":"ok"}'))
        self.assertEqual(self.value("streamd_ready"), 1)


class Limited(MetricsCase):
    more = ("-metrics_max_channels", "2", "-metrics_inbox=false",
            "-mm", "5", "-ma", "1s")

    def test_what_is_shown_one_by_one_is_bounded(self):
        for name in ("a", "b", "c"):
            self.me.publish(name, b"x")
            self.me.subscribe(name)
        self.me.subscribe("a")
        families = self.metrics()
        self.assertEqual(len(families["nss_chan_msgs_total"].samples), 2)
        self.assertEqual(self.value("streamd_metrics_omitted_channels"), 1)
        self.assertEqual(
            self.value("streamd_metrics_omitted_subscriptions"), 1)
        subscriptions = families["nss_chan_subs_max_inflight"].samples
        self.assertEqual(list(subscriptions.values()), [2048])  # both of a
        for _, labels in subscriptions:
            self.assertNotIn("inbox", dict(labels))

    def test_trimmed_and_expired_messages_are_told_apart(self):
        self.me.publish_numbers("foo", 1, 8)
        self.assertEqual(self.value("streamd_trimmed_messages"), 3)
        wait_until(lambda: self.value("streamd_expired_messages") == 5,
                   "five messages of age")


class NotReady(StreamdCase):
    own_setup = True

    def test_not_ready_while_nats_is_away_but_alive(self):
        nats = self.start_nats()
        port = free_port()
        self.start_server("-m", str(port), nats=nats)
        self.assertEqual(get(port, "/readyz").status, 200)
        nats.kill()
        answer = wait_until(
            lambda: next((a for a in [get(port, "/readyz")]
                          if a.status == 503), None), "not ready")
        self.assertEqual(answer.body, b'{"status":"unavailable","error":'
                                      b'"not connected to NATS"}')
        for path in ("/", "/healthz", "/streaming/serverz"):
            self.assertEqual(get(port, path).status, 200, path)
        families = openmetrics.parse(
            get(port, "/metrics", headers=OPENMETRICS).body.decode())
        self.assertEqual(families["streamd_nats_connection_losses"].values(),
                         [1])


class Https(StreamdCase):
    own_setup = True

    def test_pages_over_https_without_a_client_certificate(self):
        """M1: the certificate is checked against our CA"""
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        certificate = os.path.join(folder.name, "cert.pem")
        key = os.path.join(folder.name, "key.pem")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes",
             "-keyout", key, "-out", certificate, "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True)
        port = free_port()
        self.start_server("-a", "127.0.0.1", "-ms", str(port), "-tlscert", certificate,
                          "-tlskey", key, nats=self.shared_nats())
        context = ssl.create_default_context(cafile=certificate)
        for path, kind in (("/streaming", "text/html; charset=utf-8"),
                           ("/streaming/serverz", "application/json"),
                           ("/healthz", "application/json")):
            url = f"https://127.0.0.1:{port}{path}"
            with urllib.request.urlopen(url, timeout=30,
                                        context=context) as answer:
                self.assertEqual(answer.status, 200)
                self.assertEqual(answer.headers["Content-Type"], kind)
        with self.assertRaises(urllib.error.URLError):
            urllib.request.urlopen(f"https://127.0.0.1:{port}/streaming",
                                   timeout=30)
        log = self._processes[-1].log()
        self.assertIn(f"Starting https monitor on 127.0.0.1:{port}", log)

    def test_a_certificate_that_is_none_is_fatal(self):
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(b"no certificate\n")
            file.flush()
            for path, text in ((file.name, "unable to start monitoring"),
                               (file.name + ".not", "No such file")):
                server = self.new_server(
                    "-ms", str(free_port()), "-tlscert", path, "-tlskey",
                    path, nats=self.shared_nats())
                server.launch()
                self.assertEqual(server.wait(), 1)
                self.assertIn(text, server.log())


class Shipped(MetricsCase):
    """monitor/: what dashboard and alert rules ask for is served."""

    def setUp(self):
        super().setUp()
        self.me.publish("foo", b"x")
        self.me.subscribe("foo", durable="d")
        text = get(self.port, "/metrics").body.decode()
        self.served = {}  # name -> labels
        for name, labels in re.findall(r"^([a-z_]+)(?:\{(.*)\})? \S+$", text,
                                       re.M):
            self.served[name] = set(openmetrics.read_labels(labels, name))

    def check(self, expression, labels=()):
        """Each name is served and has the labels it is chosen by; those in
        labels are there to be shown, or are made by summing up."""
        used = re.findall(r"\b((?:nss|streamd)_[a-z_]+)\b(?:\{([^}]*)\})?",
                          expression)
        self.assertTrue(used, expression)
        shown = set()
        for name, selector in used:
            self.assertIn(name, self.served, expression)
            has = self.served[name] | {"instance", "job"}
            self.assertLessEqual(
                set(re.findall(r"(\w+)=~?\"", selector)), has, expression)
            shown |= has
        summed = re.search(r"\bsum by \(([^)]*)\)", expression)
        if summed:
            shown = set(re.split(r",\s*", summed[1]))
        self.assertLessEqual(set(labels), shown, expression)

    def shipped(self, name):
        with open(os.path.join(ROOT, "monitor", name)) as file:
            return file.read()

    def test_the_dashboard_asks_for_what_is_there(self):
        dashboard = json.loads(self.shipped("grafana-dashboard.json"))
        targets = [target for panel in dashboard["panels"]
                   for target in panel.get("targets", ())]
        self.assertGreater(len(targets), 20)
        for target in targets:
            self.check(target["expr"],
                       re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                name, label = re.fullmatch(
                    r"label_values\((\w+), (\w+)\)",
                    variable["query"]["query"]).groups()
                self.assertIn(label, self.served[name] | {"instance"})

    def test_the_alert_rules_ask_for_what_is_there(self):
        alerts = re.findall(r"expr: (.*)\n(?:.*\n)+?\s+summary: (.*)",
                            self.shipped("prometheus-rules.yml"))
        self.assertGreater(len(alerts), 8)
        for expression, summary in alerts:
            self.check(expression, re.findall(r"\$labels\.(\w+)", summary))

    def test_the_parsers_of_prometheus_take_it(self):
        """Those of Debian's python3-prometheus-client, Debian's Python"""
        self.me.publish('odd"\\name', b"x")
        self.me.subscribe('odd"\\name')
        for module, headers in (("parser", {}),
                                ("openmetrics.parser", OPENMETRICS)):
            text = get(self.port, "/metrics", headers=headers).body
            read = subprocess.run(
                ["/usr/bin/python3", "-c",
                 f"from prometheus_client.{module} import "
                 "text_string_to_metric_families as read\n"
                 "import sys\n"
                 "for family in read(sys.stdin.read()):\n"
                 "    for sample in family.samples:\n"
                 "        print(sample.name, sample.labels)\n"],
                input=text, capture_output=True)
            self.assertEqual(read.returncode, 0, read.stderr.decode())
            samples = read.stdout.decode().splitlines()
            self.assertEqual(len(samples), sum(
                not line.startswith("#")
                for line in text.decode().splitlines()))
            self.assertTrue(any(repr('odd"\\name') in sample
                                for sample in samples), module)


if __name__ == "__main__":
    unittest.main()
