"""The process: start, end, its own nats-server, who else is there
(protocol.md section 14, cli-config.md sections 9, 11, 13)."""
import os
import re
import signal
import socket
import subprocess
import tempfile
import unittest

from support.case import StreamdCase
from support.processes import children, free_port, processes
from support.stan import FIRST
from support.waiting import wait_until


class Start(StreamdCase):
    own_setup = True

    def refused(self, server):
        """It must end by itself with status 1; returns its log."""
        server.launch()
        self.assertEqual(server.wait(), 1)
        return server.log()

    def test_a_second_server_of_the_same_cluster_is_refused(self):
        """E72; of another cluster it is welcome"""
        first = self.start_server(nats=self.shared_nats())
        second = self.new_server(nats=self.shared_nats(),
                                 cluster=first.cluster)
        self.assertIn("discovered another streaming server with cluster ID "
                      f'"{first.cluster}"', self.refused(second))
        self.start_server(nats=self.shared_nats())
        self.client("me", first).publish("foo", b"undisturbed")

    def test_a_cluster_id_that_is_no_client_id_is_refused_as_well(self):
        """E76"""
        cluster = f"dots.{os.getpid()}.{free_port()}"
        self.start_server(nats=self.shared_nats(), cluster=cluster)
        second = self.new_server(nats=self.shared_nats(), cluster=cluster)
        self.assertIn("discovered another streaming server",
                      self.refused(second))

    def test_another_cluster_id_on_the_same_store_is_refused(self):
        """E73"""
        server = self.start_server(nats=self.shared_nats(), store="file")
        was = server.cluster
        server.end()
        server.cluster = was + "x"
        self.assertIn(f'cluster ID "{was}x" does not match recovered value '
                      f'of "{was}"', self.refused(server))
        server.cluster = was
        server.start()

    def test_an_unknown_store_and_a_file_store_without_directory(self):
        """E77"""
        server = self.new_server(nats=self.shared_nats(), store="papyrus")
        self.assertIn("PAPYRUS", self.refused(server))
        server = self.new_server("-store", "file", nats=self.shared_nats())
        self.assertIn("directory", self.refused(server))

    def test_no_nats_server_to_attach_to(self):
        """cli-config.md 12: all connections must succeed"""
        nats = self.start_nats()
        nats.kill()
        log = self.refused(self.new_server(nats=nats))
        self.assertIn("Failed to start", log)

    def test_a_directory_in_use_is_refused(self):
        """two servers never write one store"""
        first = self.start_server(nats=self.shared_nats(), store="file")
        second = self.new_server(nats=self.shared_nats(), store="file")
        os.rmdir(second.directory)
        second.directory = first.directory
        log = self.refused(second)
        second.directory = "/nonexistent"  # it is the first one's
        self.assertIn("Failed to start", log)
        self.client("me", first).publish("foo", b"undisturbed")


class Exit(StreamdCase):
    def test_exit_status(self):
        """C34"""
        for number, expected in ((signal.SIGINT, 0), (signal.SIGTERM, 143)):
            self.assertEqual(self.server.end(number), expected)
            self.assertIn("Shutting down", self.server.log())
            self.server.start()

    def test_other_signals_do_not_end_it(self):
        """C32; SIGHUP and SIGUSR1 have their own meaning"""
        for number in (signal.SIGUSR2, signal.SIGPIPE, signal.SIGUSR1,
                       signal.SIGHUP):
            self.server.send(number)
        self.client("me").publish("foo", b"1")
        self.assertTrue(self.server.running())

    def test_it_ends_while_clients_publish(self):
        """E50"""
        me = self.client("me")
        for _ in range(5000):
            me.publish_async("foo", b"x" * 100)
        self.assertEqual(self.server.end(), 143)


class Embedded(StreamdCase):
    own_setup = True

    def setUp(self):
        super().setUp()
        self.server = self.start_server()

    def test_clients_are_served_without_any_other_server(self):
        me = self.client("me")
        me.publish("foo", b"1")
        me.subscribe("foo", start=FIRST).wait(1)
        log = self.server.log()
        self.assertIn("Listening for client connections on 127.0.0.1:"
                      f"{self.server.port}", log)

    def test_its_nats_server_ends_with_it(self):
        """cli-config.md 13: also after kill -9; the port is free again"""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            with self.subTest(number):
                nats = children(self.server.pid)
                self.assertEqual(len(nats), 1)
                self.server.end(number)
                wait_until(lambda: nats[0] not in processes(),
                           "no orphan is left")
                self.server.start()

    def test_a_port_that_is_taken(self):
        """cli-config.md 9.1, 13"""
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            server = self.new_server()
            server.port = taken.getsockname()[1]
            server.launch()
            self.assertEqual(server.wait(), 1)
        self.assertIn("unable to start a NATS Server on 127.0.0.1:"
                      f"{server.port}", server.log())

    def test_no_binary(self):
        """what is missing is said"""
        server = self.new_server("--nats_server_bin", "/nonexistent/binary")
        server.launch()
        self.assertEqual(server.wait(), 1)
        self.assertIn("/nonexistent/binary", server.log())


class CommandLine(unittest.TestCase):
    def run_streamd(self, *flags, program=None):
        return subprocess.run([program or os.environ["STREAMD"], *flags],
                              text=True, capture_output=True, timeout=30,
                              check=False)

    def test_version(self):
        """cli-config.md 1; under the Go server's name it answers as that"""
        with tempfile.TemporaryDirectory() as folder:
            as_go = os.path.join(folder, "nats-streaming-server")
            os.symlink(os.environ["STREAMD"], as_go)
            for program, expected in (
                    (as_go, r"^nats-streaming-server version 0\.25\.6, "
                     r"nats-server: v\d"),
                    (os.environ["STREAMD"], r"^streamd version \d")):
                for flag in ("-v", "--version", "version"):
                    done = self.run_streamd(flag, program=program)
                    self.assertEqual(done.returncode, 0)
                    self.assertRegex(done.stdout, expected)

    def test_help(self):
        for flag in ("-h", "--help", "help"):
            done = self.run_streamd(flag)
            self.assertEqual(done.returncode, 0)
            self.assertTrue(done.stdout.startswith(
                "Usage: nats-streaming-server [options]"))

    def test_tls_help(self):
        done = self.run_streamd("-help_tls")
        self.assertEqual(done.returncode, 0)
        self.assertIn("-tlscert", done.stdout)

    def test_only_the_files_are_checked(self):
        """-t"""
        done = self.run_streamd("-t")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stderr, "must specify [-c, --config] option to "
                         "check configuration file syntax\n")
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.conf")
            for text, status, words in (
                    ("port: 1\nstreaming { id: x }", 0, "is valid"),
                    ("port: 1\nstreaming { id: 1 }", 1, "is expected to be"),
                    ("port: x", 1, "is expected to be"),
                    ("streaming {}\nmax_payload: 1MB", 0, "is valid"),
                    ("streaming {}\ncluster {\n bogus: 1 }", 1,
                     'x.conf:3:'),
                    ("streaming {}\nleafnodes { bogus: 1 }", 1,
                     'unknown field "bogus"')):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
                done = self.run_streamd("-t", "-c", path)
                self.assertEqual(done.returncode, status)
                self.assertIn(words, done.stderr)

    def test_what_is_not_there_is_refused_in_one_line(self):
        """cli-config.md 7.7: Go's texts on stdout, before there is a log"""
        for flags, out, err in (
                (["-clustered"], "stan: clustering mode not supported with "
                 "MEMORY store type\n", ""),
                (["-clustered", "-st", "FILE"], "", "not supported yet: "
                 "clustering (-clustered, or a cluster section of the "
                 "streaming configuration)\n"),
                (["-st", "SQL"], "",
                 "not supported yet: SQL stores (-store SQL)\n")):
            done = self.run_streamd(*flags)
            self.assertEqual((done.returncode, done.stdout, done.stderr),
                             (1, out, err))

    def test_bad_flags_are_named_on_stderr(self):
        """C2, C5, C10, C11"""
        for flags, words in (
                (["-xxx", "foo"], "flag provided but not defined: -xxx"),
                (["-cid"], "flag needs an argument: -cid"),
                (["-hbi", "10"], 'invalid value "10" for flag -hbi'),
                (["-mc", "10K"], 'invalid value "10K" for flag -mc'),
                (["-mb", "12abc"], "should be a size"),
                (["-SD=yes"], 'invalid boolean value "yes" for -SD'),
                (["-SD", "false"], 'unrecognized command: "false"')):
            with self.subTest(flags):
                done = self.run_streamd(*flags)
                self.assertIn(words, done.stderr)
                self.assertNotEqual(done.returncode, 0)


class Flags(StreamdCase):
    own_setup = True

    def test_all_spellings_are_one(self):
        """C1"""
        for flags in (("-SD", "-SV"), ("--stan_debug", "--stan_trace=true"),
                      ("-SDV=true", "--max_channels=5", "-mc", "7")):
            server = self.start_server(*flags, nats=self.shared_nats())
            self.assertIn("[DBG]", server.log())
        self.assertRegex(server.log(), r"Channels: +7\n")

    def test_what_has_no_effect_is_said(self):
        server = self.start_server("-file_compact_frag=20", "-io_batch_size=1",
                                   nats=self.shared_nats(), store="file")
        self.assertIn("[WRN] STREAM: No effect, as this server looks after "
                      "its files by itself: -file_compact_frag\n",
                      server.log())
        self.assertIn("No effect, as what has arrived is stored at once: "
                      "-io_batch_size\n", server.log())

    def test_the_protocol_is_traced_without_payloads(self):
        server = self.start_server("-SV", nats=self.shared_nats())
        me = self.client("me", server)
        subscription = me.subscribe("foo", manual=True)
        me.publish("foo", b"top secret")
        subscription.wait(1)
        subscription.ack(1)
        me.close()
        for words in ('[Client:me] Received connect request',
                      '[Client:me] Received subscribe request, '
                      'subject="foo"',
                      '[Client:me] Received message from publisher '
                      'subj="foo"',
                      "Acking publisher guid=",
                      '[Client:me] Delivering msg to subid=1, subject="foo", '
                      "seq=1",
                      '[Client:me] Processing ack for subid=1, subject="foo", '
                      "seq=1",
                      '[Client:me] Received close request'):
            server.wait_log("[TRC] STREAM: " + words)
        self.assertNotIn("top secret", server.log())

    def test_limits_are_printed(self):
        """cli-config.md 9.3"""
        server = self.start_server("-mm", "0", "-mb", "1MB", "-ma", "1h1m1s",
                                   nats=self.shared_nats())
        for line in ("Channels:                  100 *",
                     "  Subscriptions:          1000 *",
                     "  Messages     :     unlimited\n",
                     "  Bytes        :       1.00 MB\n",
                     "  Age          :        1h1m1s\n",
                     "  Inactivity   :     unlimited *"):
            self.assertIn(line, server.log())

    def test_a_log_file_and_its_time(self):
        """cli-config.md 10.1, 10.3"""
        server = self.new_server("-T=false", nats=self.shared_nats())
        path = os.path.join(server.directory, "log")
        server.flags += ["-l", path]
        server.launch()
        wait_until(lambda: os.path.exists(path) and "is ready" in
                   read(path), "ready in the log file")
        self.assertTrue(re.match(r"^\[\d+\] \[INF\] STREAM: Starting",
                                 read(path)))
        self.assertEqual(server.log(), "")


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


if __name__ == "__main__":
    unittest.main()
