"""What the process gives up: privileges, core dumps with keys in them, writing
anywhere but where it was told, being a certain user."""
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile
import unittest

from support.case import StreamdCase
from support.processes import Streamd, children, has_sanitizer
from support.stan import FIRST
from support.waiting import wait_until

NOBODY = 65534

# Everything read-only but $1, and /dev/shm unless told, and then as nobody.
READ_ONLY = """
set -e
mount --bind "$1" "$1"
mount -o remount,bind,ro /
for other in /tmp /var/tmp $ALSO; do
    mount -o remount,bind,ro $other 2>/dev/null || true
done
cd /
shift
exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
"""


def status_of(pid, field):
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith(field + ":"):
                return line.split()[1]
    return None


def may_mount():
    return os.getuid() == 0 and subprocess.run(
        ["unshare", "-m", "mount", "-o", "remount,bind,ro", "/"],
        stderr=subprocess.DEVNULL).returncode == 0


class AsNobody(Streamd):
    """Streamd by way of some other program."""

    prefix = ["setpriv", "--reuid", str(NOBODY), "--regid", str(NOBODY),
              "--clear-groups"]

    def arguments(self):
        return [*self.prefix, *super().arguments()]


class Hardened(StreamdCase):
    def as_nobody(self, *flags, prefix=None, **options):
        server = AsNobody("nobody", *flags, **options)
        os.chown(server.directory, NOBODY, NOBODY)
        if prefix is not None:
            server.prefix = [*prefix, server.directory]
        self._processes.append(server)
        self.addCleanup(self._end_well, server)
        self.server = server.start()
        return server

    def works(self):
        client = self.client()
        client.publish("foo", b"x")
        subscription = client.subscribe("foo", start=FIRST)
        subscription.wait(1)

    def test_neither_it_nor_a_child_gains_privileges(self):
        self.assertEqual(status_of(self.server.pid, "NoNewPrivs"), "1")

    def test_others_may_not_read_the_store_the_log_and_the_pid_file(self):
        server = self.new_server(store="file")
        log, pid = (os.path.join(server.directory, name)
                    for name in ("log", "pid"))
        server.flags += ["-l", log, "-P", pid]
        server.launch()
        wait_until(lambda: os.path.exists(log) and os.path.exists(pid)
                   and b"is ready" in pathlib.Path(log).read_bytes(),
                   "streamd is ready")
        store = os.path.join(server.directory, "store")
        seen = [log, pid, store]
        for folder, folders, files in os.walk(store):
            seen += [os.path.join(folder, name) for name in folders + files]
        for path in seen:
            self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o007, 0,
                             path)

    @unittest.skipUnless(os.getuid() == 0, "needs root to be somebody else")
    def test_any_user_will_do(self):
        self.as_nobody(nats=self.shared_nats(), store="file")
        self.works()

    @unittest.skipUnless(os.getuid() == 0, "needs root to be somebody else")
    def test_with_a_secret_there_is_no_core_dump(self):
        if has_sanitizer():
            self.skipTest("a sanitizer looks into the process")
        nats = self.shared_nats()
        server = self.as_nobody("-pass", "se'cret", "-user", "u", nats=nats)
        # The kernel gives what belongs to such a process to root.
        self.assertEqual(os.stat(f"/proc/{server.pid}/environ").st_uid, 0)
        server.end()
        server = self.as_nobody(nats=nats)
        self.assertEqual(os.stat(f"/proc/{server.pid}/environ").st_uid, NOBODY)

    @unittest.skipUnless(os.getuid() == 0, "needs root to be somebody else")
    def test_one_with_a_secret_is_found_by_sl_of_the_same_user(self):
        directory = tempfile.mkdtemp(prefix="streamd-test-")
        self.addCleanup(shutil.rmtree, directory)
        os.chmod(directory, 0o755)
        program = os.path.join(directory, "streamd-of-its-own")
        shutil.copy(os.environ["STREAMD"], program)
        server = AsNobody("found", "-pass", "x", "-user", "u",
                          nats=self.shared_nats())
        os.chown(server.directory, NOBODY, NOBODY)
        self._processes.append(server)
        arguments = server.arguments()
        server.arguments = lambda: [program if word == os.environ["STREAMD"]
                                    else word for word in arguments]
        server.start()
        done = subprocess.run([*AsNobody.prefix, program, "-sl", "quit"],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(server.wait(), 0)

    @unittest.skipUnless(may_mount(), "needs root that may mount")
    def test_a_root_that_cannot_be_written_will_do(self):
        read_only = ["unshare", "-m", "sh", "-c", READ_ONLY, "sh"]
        self.as_nobody(nats=self.shared_nats(), store="file",
                       prefix=read_only)
        self.works()
        self.server.end()
        self.as_nobody(store="file", prefix=read_only)  # and its nats-server
        self.works()

    @unittest.skipUnless(may_mount(), "needs root that may mount")
    def test_its_nats_server_needs_no_place_but_the_store(self):
        """nor is anything left there, also after kill -9"""
        server = self.as_nobody(
            store="file", environment={"ALSO": "/dev/shm"},
            prefix=["unshare", "-m", "sh", "-c", READ_ONLY, "sh"])
        self.works()
        self.assertEqual(len(children(server.pid)), 1)
        place = os.path.join(server.directory, "store")
        self.assertEqual(sorted(os.listdir(place)), [".rootdir.lck", "nss.ldb"])
        server.restart()
        self.works()
        self.assertEqual(sorted(os.listdir(place)), [".rootdir.lck", "nss.ldb"])


if __name__ == "__main__":
    unittest.main()
