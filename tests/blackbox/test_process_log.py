"""Where the log goes, and in which form (cli-config.md section 10)."""
import json
import os
import re
import signal
import socket
import subprocess

from support.case import StreamdCase
from support.processes import NatsServer
from support.waiting import PATIENCE, wait_until

REOPENED = "STREAM: File log re-opened\n"


def read(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def files_of(path):
    """The log file and its backups."""
    folder, name = os.path.split(path)
    return [os.path.join(folder, entry) for entry in os.listdir(folder)
            if entry.startswith(name)]


class LogCase(StreamdCase):
    own_setup = True

    def launch(self, *flags, external=True, **options):
        nats = self.shared_nats() if external else None
        return self.new_server(*flags, nats=nats, **options).launch()

    def log_to_file(self, *flags, **options):
        """A server that is ready, and the path of its log."""
        server = self.new_server(
            *flags, nats=options.pop("nats", self.shared_nats()), **options)
        path = os.path.join(server.directory, "log")
        server.flags += ["-l", path]
        server.launch()
        self.wait_for(path, "Streaming Server is ready")
        return server, path

    def wait_for(self, path, words):
        wait_until(lambda: os.path.exists(path) and words in read(path),
                   f"{words!r} in the log file")

    def refused(self, *flags):
        server = self.launch(*flags)
        self.assertEqual(server.wait(), 1)
        return server.log()


class Reopen(LogCase):
    def check(self, **options):
        server, path = self.log_to_file("-SD", **options)
        for turn in ("1", "2"):
            os.rename(path, path + turn)
            server.send(signal.SIGUSR1)
            self.wait_for(path, REOPENED)
            self.assertIn(REOPENED, read(path).splitlines(True)[0])
            self.client(f"me{turn}", server).publish(f"new{turn}", b"x")
            self.wait_for(path, f'Channel "new{turn}" has been created')
            self.assertNotIn(REOPENED, read(path + turn)[1:]
                             if turn == "1" else "")
        # still with time stamps, as it was told at the start
        self.assertRegex(read(path), r"^\[\d+\] \d{4}/\d\d/\d\d ")

    def test_with_an_external_nats_server(self):
        """C33"""
        self.check()

    def test_with_its_own_nats_server(self):
        """C33"""
        self.check(nats=None)

    def test_without_a_file(self):
        """cli-config.md 10.5"""
        server = self.start_server(nats=self.shared_nats())
        server.send(signal.SIGUSR1)
        server.wait_log("[INF] STREAM: File log re-open ignored, not a file "
                        "logger\n")


class Rotation(LogCase):
    def test_at_its_limit_a_new_file_is_begun(self):
        """C38, also after a re-open"""
        server, path = self.log_to_file("-log_size_limit", "1000", "-SD")
        me = self.client("me", server)
        for i in range(20):
            me.publish(f"channel{i}", b"x")
        wait_until(lambda: len(files_of(path)) > 2, "backups")
        os.rename(path, path + ".moved")
        server.send(signal.SIGUSR1)
        self.wait_for(path, REOPENED)
        count = len(files_of(path))
        for i in range(20, 40):
            me.publish(f"channel{i}", b"x")
        wait_until(lambda: len(files_of(path)) > count, "another backup")
        self.assertEqual(server.end(), 143)
        whole = "".join(map(read, files_of(path)))
        for i in range(40):
            self.assertEqual(
                whole.count(f'Channel "channel{i}" has been created'), 1)


class Json(LogCase):
    def test_each_line_is_an_object(self):
        """also the nats-server's, also with names from clients"""
        server = self.new_server("--log_format", "json", "-SDV")
        server.start()
        odd = 'me"\\\x1b\n\u20ac'
        error = self.connect_error(odd, server=server)
        self.assertTrue(error)
        self.client("me", server).publish("foo", b"payload-is-not-logged")
        self.assertEqual(server.end(), 143)
        lines = server.log().splitlines()
        self.assertGreater(len(lines), 20)
        objects = [json.loads(line) for line in lines]
        for one in objects:
            self.assertEqual(set(one), {"time", "level", "pid", "message"})
            self.assertRegex(
                one["time"],
                r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d$")
            self.assertIn(one["level"], ("info", "warn", "error", "fatal",
                                         "debug", "trace"))
        messages = [one["message"] for one in objects]
        self.assertIn("STREAM: Streaming Server is ready", messages)
        self.assertIn("Server is ready", messages)
        self.assertNotIn("payload-is-not-logged", server.log())

    def test_without_time(self):
        server = self.start_server("--log_format=json", "-T=false",
                                   nats=self.shared_nats())
        for line in server.log().splitlines():
            self.assertEqual(set(json.loads(line)),
                             {"level", "pid", "message"})

    def test_another_format_is_refused(self):
        self.assertIn('unknown log format "yaml"',
                      self.refused("--log_format", "yaml"))


class Syslog(LogCase):
    def listen(self, kind):
        listener = socket.socket(socket.AF_INET, kind)
        self.addCleanup(listener.close)
        listener.settimeout(PATIENCE)
        listener.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            listener.listen()
        return listener, listener.getsockname()[1]

    def test_remote_by_datagrams(self):
        """cli-config.md 10.3"""
        listener, port = self.listen(socket.SOCK_DGRAM)
        server = self.launch("-r", f"udp://127.0.0.1:{port}",
                             "-syslog_name", "orders")
        line = ""
        while "Streaming Server is ready" not in line:
            line = listener.recv(65536).decode()
            self.assertRegex(line, r"^<29>\d{4}-\d\d-\d\dT[\d:]{8}Z \S+ "
                             rf"orders\[{server.pid}\]: STREAM: .*\n$")
        self.assertEqual(server.log(), "")

    def test_remote_by_a_stream_that_ends(self):
        """without its log it serves on"""
        listener, port = self.listen(socket.SOCK_STREAM)
        server = self.launch("-r", f"tcp://127.0.0.1:{port}")
        connection, _ = listener.accept()
        connection.settimeout(PATIENCE)
        text = ""
        while "Streaming Server is ready" not in text:
            text += connection.recv(65536).decode()
        self.assertIn(" streamd[", text)  # the name without -syslog_name
        listener.close()
        connection.close()
        me = self.client("me", server)
        for i in range(20):
            me.publish(f"channel{i}", b"x")
        self.assertTrue(server.running())

    def test_a_file_comes_first(self):
        """cli-config.md 10.3: the first match wins"""
        self.log_to_file("-r", "http://nowhere", "-s")

    def test_what_cannot_be_is_refused(self):
        self.assertIn('error invalid network type: "http"',
                      self.refused("-r", "http://127.0.0.1:1"))
        self.assertIn("error connecting to syslog: ",
                      self.refused("-r", "tcp://127.0.0.1:1"))


class Stderr(LogCase):
    def test_who_does_not_read_it_does_not_hold_the_server(self):
        """a full pipe costs lines, not service"""
        server = self.new_server("-SDV", nats=self.shared_nats())
        held, writer = os.pipe()
        self.addCleanup(os.close, held)
        process = subprocess.Popen(server.arguments(), stderr=writer,
                                   cwd=server.directory)
        os.close(writer)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        text = b""
        while b"Streaming Server is ready" not in text:
            text += os.read(held, 65536)
        me = self.client("me", server)
        for i in range(80):  # ten lines each
            me.publish(f"channel{i}." + "x" * 200, b"x")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 143)

    def test_without_standard_descriptors(self):
        """a line for stderr must not land in a store"""
        server = self.new_server("-SDV", nats=self.shared_nats(),
                                 store="file")

        def close_all():
            for number in range(3):
                os.close(number)

        process = subprocess.Popen(server.arguments(), close_fds=True,
                                   preexec_fn=close_all)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        store = os.path.join(server.directory, "store")
        wait_until(lambda: self.discovered(server), "it serves")
        self.client("me", server).publish("foo", b"x")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(PATIENCE), 143)
        for folder, _, names in os.walk(store):
            for name in names:
                with open(os.path.join(folder, name), "rb") as file:
                    self.assertNotIn(b"[INF] STREAM: ", file.read())

    def discovered(self, server):
        return self.connection(server).is_heard(
            f"_STAN.discover.{server.cluster}")


class Secrets(StreamdCase):
    own_setup = True

    def test_no_line_has_a_password(self):
        nats = NatsServer("--user", "me", "--pass", "s3cret-word")
        self.addCleanup(nats.forget)
        flags = ("-SDV", "--log_format")
        for form in ("text", "json"):
            for user in ("me:s3cret-word", "me:wr0ng-word"):
                server = self.new_server(*flags, form, nats=nats)
                url = f"nats://{user}@127.0.0.1:{nats.port}"
                process = subprocess.Popen(
                    [url if word == nats.url else word
                     for word in server.arguments()],
                    stderr=subprocess.PIPE, text=True, cwd=server.directory)
                log = ""
                for line in process.stderr:
                    log += line
                    if "Streaming Server is ready" in line:
                        process.send_signal(signal.SIGHUP)
                        process.send_signal(signal.SIGTERM)
                process.stderr.close()
                self.assertEqual(process.wait(PATIENCE),
                                 143 if "s3cret" in user else 1)
                self.assertIn("Starting", log)
                self.assertIsNone(re.search("s3cret-word|wr0ng-word", log))
