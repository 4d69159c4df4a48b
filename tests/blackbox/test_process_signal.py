"""Signals from outside, "-signal", the pid file, systemd (cli-config.md
sections 11 and 14)."""
import os
import shutil
import signal
import subprocess

from support.case import StreamdCase
from support.systemd import Systemd
from support.waiting import PATIENCE, wait_until


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


def signal_command(*words, program=None):
    """What streamd -sl says: status and texts."""
    done = subprocess.run([program or os.environ["STREAMD"], *words],
                          text=True, capture_output=True, timeout=PATIENCE,
                          check=False)
    return done.returncode, done.stdout, done.stderr


class Reload(StreamdCase):
    own_setup = True

    def test_with_an_external_nats_server(self):
        """cli-config.md 11.1"""
        server = self.start_server(nats=self.shared_nats())
        server.send(signal.SIGHUP)
        server.wait_log("[WRN] STREAM: Reload supported only for embedded "
                        "NATS Server's configuration\n")
        self.client("me", server).publish("foo", b"x")

    def test_with_its_own_nats_server(self):
        server = self.start_server()
        server.send(signal.SIGHUP)
        server.wait_log("[INF] Reloaded server configuration")
        self.client("me", server).publish("foo", b"x")

    def test_sigusr2_leaves_it_running(self):
        """C32"""
        server = self.start_server(nats=self.shared_nats())
        before = server.log()
        server.send(signal.SIGUSR2)
        server.send(signal.SIGHUP)  # its answer comes behind
        server.wait_log("STREAM: Reload supported only")
        self.assertEqual(server.log()[len(before):].count("\n"), 1)
        self.assertTrue(server.running())


class Command(StreamdCase):
    own_setup = True

    def test_by_process_id(self):
        """C36"""
        for command, status in (("quit", 0), ("term", 143),
                                ("stop", -signal.SIGKILL)):
            server = self.start_server(nats=self.shared_nats())
            self.assertEqual(signal_command("-sl", f"{command}={server.pid}"),
                             (0, "", ""))
            self.assertEqual(server.wait(), status)

    def test_by_pid_file(self):
        """C36"""
        server = self.new_server("-P", "me.pid", nats=self.shared_nats())
        server.start()
        path = os.path.join(server.directory, "me.pid")
        self.assertEqual(signal_command("--signal", f"reopen={path}"),
                         (0, "", ""))
        server.wait_log("File log re-open ignored")
        self.assertEqual(signal_command("--signal", f"ldm={path}"),
                         (0, "", ""))
        self.assertEqual(signal_command(f"--signal=reload={path}"),
                         (0, "", ""))
        server.wait_log("Reload supported only")
        self.assertEqual(signal_command("--signal", f"quit={path}"),
                         (0, "", ""))
        self.assertEqual(server.wait(), 0)

    def test_the_only_process_need_not_be_named(self):
        """cli-config.md 11.3; a copy, since other tests run at this time"""
        folder = self.new_server().directory
        program = os.path.join(folder, "streamd-of-its-own")
        link = os.path.join(folder, "another-name")
        shutil.copy(os.environ["STREAMD"], program)
        os.symlink(program, link)
        self.assertEqual(
            signal_command("-sl", "quit", program=program),
            (1, "", "no nats-streaming-server processes running\n"))
        servers = [self.new_server(nats=self.shared_nats()) for _ in "12"]
        processes = []
        for server in servers:
            process = subprocess.Popen(
                [program, *server.arguments()[1:]], text=True,
                stderr=subprocess.PIPE, cwd=server.directory)
            self.addCleanup(process.stderr.close)
            self.addCleanup(process.wait)
            self.addCleanup(process.kill)
            processes.append(process)
            for line in process.stderr:
                if "Streaming Server is ready" in line:
                    break
        status, out, err = signal_command("-sl", "quit", program=link)
        self.assertEqual((status, out), (1, ""))
        title, *pids = err.splitlines()
        self.assertEqual(title,
                         "multiple nats-streaming-server processes running:")
        self.assertEqual(sorted(map(int, pids)),
                         sorted(process.pid for process in processes))
        processes[1].kill()
        processes[1].wait()
        self.assertEqual(signal_command("-sl", "quit", program=link),
                         (0, "", ""))
        self.assertEqual(processes[0].wait(PATIENCE), 0)

    def test_what_is_wrong_is_told(self):
        """C36"""
        for words, text in (("bogus", 'unknown signal "bogus"'),
                            ("quit=abc", "invalid pid: abc"),
                            ("a=b=c", "invalid signal parameters: [c]"),
                            ("quit=4194305", "no such process")):
            self.assertEqual(signal_command("-sl", words),
                             (1, "", text + "\n"))


class PidFile(StreamdCase):
    own_setup = True

    def check(self, **options):
        server = self.new_server("--pid", "me.pid", **options)
        path = os.path.join(server.directory, "me.pid")
        server.start()
        self.assertEqual(read(path), str(server.pid))
        self.assertEqual(server.end(), 143)
        self.assertTrue(os.path.exists(path))

    def test_with_an_external_nats_server(self):
        """cli-config.md 11.2: ours writes it always"""
        self.check(nats=self.shared_nats())

    def test_with_its_own_nats_server(self):
        """and it is never the child's"""
        self.check()

    def test_one_that_cannot_be_written_ends_it(self):
        server = self.new_server("-P", "/nonexistent/me.pid",
                                 nats=self.shared_nats())
        server.launch()
        self.assertEqual(server.wait(), 1)
        self.assertIn("Could not write pidfile: open /nonexistent/me.pid: ",
                      server.log())
        self.assertIn("[FTL]", server.log())

    def test_a_server_that_is_refused_leaves_that_of_another(self):
        first = self.new_server(nats=self.shared_nats(), store="file")
        path = os.path.join(first.directory, "me.pid")
        first.flags += ["-P", path]
        first.start()
        second = self.new_server("-P", path, nats=self.shared_nats(),
                                 store="file")
        os.rmdir(second.directory)
        second.directory = first.directory
        second.launch()
        self.assertEqual(second.wait(), 1)
        second.directory = "/nonexistent"  # it is the first one's
        self.assertEqual(read(path), str(first.pid))


class UnderSystemd(StreamdCase):
    own_setup = True

    def setUp(self):
        super().setUp()
        self.systemd = Systemd()
        self.addCleanup(self.systemd.close)
        self.told = self.systemd.told

    def launch(self, **environment):
        return self.new_server(
            nats=self.shared_nats(), environment={
                **self.systemd.environment(), **environment}).launch()

    def test_it_is_told_of_start_reload_and_end(self):
        server = self.launch()
        before = self.told("READY=1", "STATUS=STANDALONE")
        self.assertNotIn("READY=1", sum(before[:-1], []))
        self.assertIn("Streaming Server is ready", server.log())
        server.send(signal.SIGHUP)
        self.assertEqual(self.told("RELOADING=1")[-1][1].split("=")[0],
                         "MONOTONIC_USEC")
        self.told("READY=1")
        server.send(signal.SIGTERM)
        self.told("STOPPING=1")
        self.assertEqual(server.wait(), 143)

    def test_the_watchdog_gets_its_signs_of_life(self):
        server = self.launch(WATCHDOG_USEC="200000")
        self.told("READY=1")
        for _ in range(3):
            self.told("WATCHDOG=1")
        self.assertEqual(server.end(), 143)

    def test_no_watchdog_no_signs(self):
        server = self.launch()
        self.told("READY=1")
        self.assertEqual(server.end(), 143)
        self.assertEqual(self.told("STOPPING=1"),
                         [["STOPPING=1", "STATUS=SHUTDOWN"]])

    def test_one_that_never_starts_is_never_ready(self):
        server = self.new_server(
            "-P", "/nonexistent/pid", nats=self.shared_nats(),
            environment=self.systemd.environment())
        server.launch()
        self.assertEqual(server.wait(), 1)
        self.assertNotIn("READY=1", sum(self.told("STOPPING=1"), []))


class Unheard(StreamdCase):
    own_setup = True

    def test_a_socket_that_is_not_there_is_no_reason_not_to_start(self):
        server = self.new_server(
            nats=self.shared_nats(),
            environment={"NOTIFY_SOCKET": "/nonexistent/socket"}).start()
        self.assertIn("[WRN] STREAM: NOTIFY_SOCKET: ", server.log())
        wait_until(server.is_ready, "ready")
