"""What is measured: each a nats-server and, beside it, a streaming server, on
free ports of the loopback interface, with data in a directory of its own."""
import itertools
import json
import pathlib
import shutil
import subprocess
import time

from support.processes import NatsServer, Process

CLUSTER = "bench"
ADMIN_TOKEN = "token-of-the-benchmarks"
START_TIMEOUT = 300  # seconds; the Go server needs many for many channels
LOAD_TIMEOUT = 900


class Failed(Exception):
    """A load was not served, or not verified."""


def run_load(command):
    """The load generator's line of JSON."""
    done = subprocess.run([str(word) for word in command], text=True,
                          capture_output=True, timeout=LOAD_TIMEOUT,
                          check=False)
    if done.returncode != 0:
        raise Failed(f"{' '.join(str(word) for word in command[1:])}: "
                     f"{done.stderr.strip()} {done.stdout.strip()}")
    return json.loads(done.stdout)


def options_of(values):
    """{"max_in_flight": 1} as words of a command line."""
    for name, value in values.items():
        yield "--" + name.replace("_", "-")
        yield value


def proc_number(pid, file, key):
    for line in pathlib.Path(f"/proc/{pid}/{file}").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    raise Failed(f"/proc/{pid}/{file} has no {key}")


class Contestant:
    """A kind of server; started, measured and stopped again and again."""

    keeps = False    # its messages outlive a restart
    ceiling = False  # what the nats-server allows
    administers = False  # takes streamd's requests of administration
    streams = True   # speaks the STAN protocol
    nats_flags = ()

    def __init__(self, name, programs, directory):
        self.name = name
        self.programs = programs
        self.directory = directory
        self.nats = None
        self.server = None
        self.flags = ()

    def start(self, flags=()):
        """With flags of the Go server, if it is one that takes them."""
        self.flags = flags
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.nats = NatsServer(*self.nats_flags)
        self.server = Process()
        self.start_server()

    def start_server(self):
        """Seconds from its start until it answers."""
        begin = time.monotonic()
        self.server.spawn([str(word) for word in self.command()],
                          cwd=self.directory)
        self.load("connect", timeout=START_TIMEOUT)
        return time.monotonic() - begin

    def restart(self):
        """Seconds until it answers again."""
        self.server.end()
        return self.start_server()

    def stop(self):
        for process in (self.server, self.nats):
            if process is not None:
                process.forget()
        self.nats = self.server = None
        shutil.rmtree(self.directory, ignore_errors=True)

    def command(self):
        raise NotImplementedError

    @property
    def pid(self):
        """Of the process whose memory and writing count."""
        return self.server.pid

    def memory(self):
        """MB, and without the files it maps."""
        return (proc_number(self.pid, "status", "VmRSS:") / 1024,
                proc_number(self.pid, "status", "RssAnon:") / 1024)

    def written(self):
        """Bytes, since its start."""
        return proc_number(self.pid, "io", "write_bytes:")

    def load(self, mode, **values):
        if not self.server.running():
            raise Failed(f"{self.name} ended: {self.server.log()[-400:]}")
        watch = f"nats={self.nats.pid},server={self.pid}"
        return run_load([self.programs / "stanload", mode,
                         "--port", self.nats.port, "--cluster", CLUSTER,
                         "--watch", watch, *options_of(values)])


class StreamingServer(Contestant):
    """streamd, or a server that takes the same flags."""

    def __init__(self, name, programs, directory, binary, store):
        super().__init__(name, programs, directory)
        self.binary = binary
        self.store = store
        self.keeps = store == "file"

    def command(self):
        store = ["-dir", self.directory / "store"] if self.keeps else []
        limits = {"-mc": 0, "-msu": 0, "-mm": 0, "-mb": 0, **dict(self.flags)}
        return [self.binary, "-cid", CLUSTER, "-ns", self.nats.url,
                "-st", self.store, *store,
                *itertools.chain.from_iterable(limits.items())]


class Streamd(StreamingServer):
    administers = True

    def command(self):
        token = self.directory / "token"
        token.write_text(ADMIN_TOKEN + "\n", encoding="utf-8")
        token.chmod(0o600)
        return [*super().command(), "-admin_token_file", token]


class NullServer(Contestant):
    """The ceiling."""

    ceiling = True

    def command(self):
        return [self.programs / "null_server", self.nats.port, CLUSTER]


class JetStream(Contestant):
    """The nats-server's own streaming; through libnats, as users have it."""

    streams = False

    def __init__(self, name, programs, directory, store):
        super().__init__(name, programs, directory)
        self.store = store
        self.keeps = store == "file"
        self.nats_flags = ("-js", "-sd", str(directory / "jetstream"))

    def start_server(self):
        return None

    def restart(self):
        self.nats.end()
        self.nats.start()

    @property
    def pid(self):
        return self.nats.pid

    def load(self, mode, messages, size=128, window=16384, max_in_flight=1024):
        if mode == "replay":
            window = max_in_flight
        return run_load([self.programs / "jetstream_load", mode, self.store,
                         self.nats.port, messages, size, window,
                         f"server={self.pid}"])


def all_contestants(streamd, others, programs, data):
    """In the order in which they are measured and shown."""
    data = pathlib.Path(data).resolve()
    programs = pathlib.Path(programs).resolve()

    def servers(kind, name, binary):
        binary = pathlib.Path(binary).resolve()
        return [kind(f"{name} {store}", programs, data / f"{name}-{store}",
                     binary, store)
                for store in ("file", "memory")]

    result = servers(Streamd, "streamd", streamd)
    result.append(NullServer("null", programs, data / "null"))
    result += [JetStream(f"JetStream {store}", programs,
                         data / f"jetstream-{store}", store)
               for store in ("file", "memory")]
    for number, path in enumerate(others):
        name = pathlib.Path(path).name + (f"-{number + 1}" if number else "")
        result += servers(StreamingServer, name, path)
    return result
