"""Starts and ends the servers under test; ends only what it started."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from support.waiting import PATIENCE, wait_until

READY = "Streaming Server is ready"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def nats_server_binary():
    return (os.environ.get("NATS_SERVER_BIN") or shutil.which("nats-server")
            or "/usr/sbin/nats-server")


def accepts(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as s:
            return s.recv(5) == b"INFO "
    except OSError:
        return False


def processes():
    """{process id: parent's} of all that live, by /proc."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="latin1") as stat:
                    state, parent = stat.read().rsplit(")", 1)[1].split()[:2]
            except OSError:
                continue  # it has just ended
            if state != "Z":  # ended, and nobody has asked
                found[int(entry)] = int(parent)
    return found


def has_sanitizer():
    """Whether the streamd under test was built with one."""
    with open(os.environ["STREAMD"], "rb") as file:
        program = file.read()
    return b"__asan_init" in program or b"__tsan_init" in program


def children(pid):
    return [child for child, parent in processes().items() if parent == pid]


PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def die_with_parent():
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Process:
    """A child with its output in a file; can be started again."""

    def __init__(self):
        self._process = None
        self._log = tempfile.TemporaryFile("w+b")

    @property
    def pid(self):
        return self._process.pid

    def spawn(self, arguments, **options):
        self._process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL,
                                         stdout=self._log, stderr=self._log,
                                         preexec_fn=die_with_parent,
                                         **options)

    def log(self):
        """All it has written, in all its lives."""
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def forget(self):
        """Ends it if need be, and gives up its log."""
        self.kill()
        self._log.close()

    def running(self):
        return self._process is not None and self._process.poll() is None

    def wait(self, timeout=PATIENCE):
        """Its exit status; negative if a signal ended it."""
        return self._process.wait(timeout)

    def send(self, number):
        """A signal."""
        self._process.send_signal(number)

    def kill(self):
        """kill -9, and wait for the end."""
        if self.running():
            self.send(signal.SIGKILL)
            self.wait()

    def end(self, number=signal.SIGTERM):
        """Asks it to end; its exit status. One that hangs is killed."""
        if self.running():
            self.send(number)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"still there {PATIENCE:g} s after signal "
                                 f"{number}") from None


class NatsServer(Process):
    """An external nats-server on a free port, which it keeps."""

    def __init__(self, *flags):
        super().__init__()
        self._flags = flags
        self.port = None
        self.start()

    def start(self):
        attempts = [self.port] if self.port else [free_port() for _ in "123"]
        for port in attempts:  # another process may take a free port first
            self.spawn([nats_server_binary(), "-a", "127.0.0.1", "-p",
                        str(port), *self._flags])
            wait_until(lambda: accepts(port) or not self.running(),
                       "nats-server accepts connections")
            if self.running():
                self.port = port
                return
        raise AssertionError("nats-server does not start:\n" + self.log())

    @property
    def url(self):
        return f"nats://127.0.0.1:{self.port}"


class Streamd(Process):
    """The server under test, STREAMD in the environment.

    With nats (a NatsServer) it attaches to that; without, it runs its own on
    a free port. The file store lives in a directory of its own, kept over
    restarts and removed by forget()."""

    def __init__(self, cluster, *flags, nats=None, store="memory",
                 environment=None):
        super().__init__()
        self.cluster = cluster
        self.flags = list(flags)
        self.nats = nats
        self.store = store
        self.port = nats.port if nats else free_port()
        self.directory = tempfile.mkdtemp(prefix="streamd-test-")
        self._environment = dict(os.environ, **(environment or {}))

    def arguments(self):
        arguments = [os.environ["STREAMD"], "-cid", self.cluster,
                     "-store", self.store]
        if self.store == "file":
            arguments += ["-dir", os.path.join(self.directory, "store")]
        if self.nats is not None:
            arguments += ["-ns", self.nats.url]
        else:
            arguments += ["-a", "127.0.0.1", "-p", str(self.port)]
        return arguments + self.flags

    def launch(self):
        """Starts it and returns at once."""
        self._ready_before = self.log().count(READY)
        self.spawn(self.arguments(), cwd=self.directory,
                   env=self._environment)
        return self

    def is_ready(self):
        return self.log().count(READY) > self._ready_before

    def start(self):
        """Starts it and waits until it serves."""
        self.launch()
        wait_until(lambda: self.is_ready() or not self.running(),
                   "streamd is ready")
        if not self.running():
            raise AssertionError(f"streamd ended with {self.wait()}")
        return self

    def restart(self, number=signal.SIGKILL):
        """Ends it, by kill -9 unless told, and starts it as it was."""
        self.send(number)
        self.wait()
        self.start()

    def wait_log(self, words, count=1):
        wait_until(lambda: self.log().count(words) >= count,
                   f"log line with {words!r}")

    def forget(self):
        super().forget()
        shutil.rmtree(self.directory, ignore_errors=True)
