"""What is measured of each contestant: a scenario starts it anew, loads it,
and gives measures (name, unit, value, the load generator's answer or None).

Counts are those of a full run; a quick run has a tenth of them."""
import dataclasses
import json
import os
import statistics
import threading
import time
import typing

from contestants import ADMIN_TOKEN, CLUSTER, Failed
from support.nats import NatsConnection
from support.stan import Client

RATE = "messages/s"
MICROSECONDS = "us"
SECONDS = "s"
MEGABYTES = "MB"
RATIO = "bytes/byte"
CPU = "us CPU/message"
CHANNEL_RATE = "channels/s"
SHARE = "of alone"
COMPARED = {RATE, CHANNEL_RATE, MICROSECONDS}  # with the null server


@dataclasses.dataclass
class Scenario:
    name: str
    run: typing.Callable  # (contestant, scale) -> measures
    streams_only: bool = True  # needs what JetStream has no like of
    flags: tuple = ()  # pairs; of the servers that take the Go server's


def scaled(count, scale):
    return max(100, int(count * scale))


def publish(label, messages, on_jetstream=False, flags=(), **load):
    """One publish load on a fresh server."""
    def run(contestant, scale):
        answer = contestant.load("publish", messages=scaled(messages, scale),
                                 **load)
        yield f"publish {label}", RATE, answer["rate"], answer
        yield (f"publish {label}: server", CPU, answer["cpu_us"]["server"],
               None)
        if contestant.keeps:
            stored = answer["messages"] * answer["size"]
            yield (f"publish {label}: written", RATIO,
                   answer["written_bytes"]["server"] / stored, None)

    return Scenario(f"publish {label}", run, not on_jetstream, flags)


def sync_time(directory, times=200):
    """Median us of one fdatasync behind 4 KB appended, as a commit has it."""
    path = directory / "synced"
    took = []
    with open(path, "wb", buffering=0) as file:
        for _ in range(times):
            begin = time.perf_counter()
            file.write(b"x" * 4096)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - begin)
    path.unlink()
    return statistics.median(took) * 1e6


def synchronous(contestant, scale):
    answer = contestant.load("publish", messages=scaled(4000, scale), window=1)
    yield "synchronous publish: p50", MICROSECONDS, answer["p50_us"], answer
    yield "synchronous publish: p99", MICROSECONDS, answer["p99_us"], None
    if contestant.keeps:
        yield ("one fdatasync of this disk: p50", MICROSECONDS,
               sync_time(contestant.directory), None)


def memory(contestant, stage):
    everything, anonymous = contestant.memory()
    yield f"memory {stage}", MEGABYTES, everything, None
    yield f"memory {stage}, without files", MEGABYTES, anonymous, None


def replay(contestant, messages, max_in_flight, when):
    answer = contestant.load("replay", messages=messages,
                             max_in_flight=max_in_flight)
    yield (f"replay {when}, {max_in_flight} in flight", RATE, answer["rate"],
           answer)
    yield (f"replay {when}, {max_in_flight} in flight: server", CPU,
           answer["cpu_us"]["server"], None)


def stored_messages(millions):
    """Publish, replay warm, and cold after a restart."""
    def run(contestant, scale):
        messages = scaled(millions * 1000000, scale)
        stored = f"{messages / 1e6:g} M"
        yield from memory(contestant, "at the start")
        contestant.load("publish", messages=messages)
        yield from memory(contestant, f"with {stored} messages")
        for max_in_flight in (1024, 16384):
            yield from replay(contestant, messages, max_in_flight, "warm")
        yield from memory(contestant, "after a replay")
        if not contestant.keeps:
            return
        for max_in_flight in (1024, 16384):
            seconds = contestant.restart()
            if seconds is not None and max_in_flight == 1024:
                yield (f"start-up with {stored} messages", SECONDS, seconds,
                       None)
                yield from memory(contestant, "after a restart")
            yield from replay(contestant, messages, max_in_flight, "cold")

    return Scenario("stored messages", run, streams_only=False)


def latency(subscribers, rate):
    """From the publisher to the subscribers at a rate all can do."""
    def run(contestant, scale):
        answer = contestant.load("live", messages=scaled(3 * rate, scale),
                                 rate=rate, subscribers=subscribers)
        name = f"latency at {rate}/s, subscribers: {subscribers}"
        yield f"{name}: p50", MICROSECONDS, answer["p50_us"], answer
        yield f"{name}: p99", MICROSECONDS, answer["p99_us"], None
        if contestant.ceiling and subscribers == 1:
            answer = contestant.load("plain", messages=scaled(3 * rate, scale),
                                     rate=rate)
            name = f"latency at {rate}/s over plain NATS"
            yield f"{name}: p50", MICROSECONDS, answer["p50_us"], answer
            yield f"{name}: p99", MICROSECONDS, answer["p99_us"], None

    return Scenario(f"latency {subscribers} {rate}", run)


class Disturber:
    """What goes on beside a load. work() does so on a thread of its own;
    end() waits for it, and says if it failed."""

    def __init__(self, contestant, scale):
        self.nats = NatsConnection(contestant.nats.port)
        self.client = Client(self.nats, CLUSTER, "disturber")
        self.over = threading.Event()  # the load is
        self.failure = None
        self.begin(contestant, scale)
        self.thread = threading.Thread(target=self.try_to_work)
        self.thread.start()

    def begin(self, contestant, scale):
        """Before the load."""

    def work(self):
        """Beside the load."""

    def try_to_work(self):
        try:
            self.work()
        except (AssertionError, AttributeError, OSError,
                ValueError) as failure:
            self.failure = f"disturber: {failure}"

    def end(self):
        self.over.set()
        self.thread.join()
        self.nats.close()
        if self.failure is not None:
            raise Failed(self.failure)


class NeverAcks(Disturber):
    """Some messages come again each second, for ever."""

    def begin(self, contestant, scale):
        self.client.subscribe("bench", manual=True, ack_wait=1,
                              max_in_flight=1024)


class IdleSubscriptions(Disturber):
    def begin(self, contestant, scale):
        for number in range(scaled(10000, scale)):
            self.client.subscribe(f"idle.{number % 100}")


class Purge(Disturber):
    """A million messages go as soon as the load has begun."""

    def begin(self, contestant, scale):
        self.messages = scaled(1000000, scale)
        self.administers = contestant.administers
        contestant.load("publish", messages=self.messages, channel="full")
        self.seen = self.client.subscribe("bench", manual=True,
                                          max_in_flight=1)

    def work(self):
        self.seen.wait(1)
        if self.administers:
            request = {"token": ADMIN_TOKEN, "channel": "full"}
            reply = self.nats.request(f"_STAN.admin.{CLUSTER}.purge",
                                      json.dumps(request).encode())
            if json.loads(reply.data).get("purged_msgs") != self.messages:
                raise ValueError(reply.data)


class AtLimits(Disturber):
    """Another publishes where each message drops one."""

    def work(self):
        while not self.over.is_set():
            self.client.publish_numbers("limited", 1, 100)


def beside(label, kind, flags=()):
    """What of the publish rate is left while somebody disturbs."""
    def run(contestant, scale):
        messages = scaled(300000, scale)
        alone = contestant.load("publish", messages=messages, window=256,
                                channel="alone")
        disturber = kind(contestant, scale)
        try:
            answer = contestant.load("publish", messages=messages, window=256)
        finally:
            disturber.end()
        yield f"publish beside {label}", RATE, answer["rate"], answer
        yield (f"publish beside {label}: what is left", SHARE,
               answer["rate"] / alone["rate"], None)
        yield (f"publish beside {label}: longest wait", MICROSECONDS,
               answer["max_us"], None)

    return Scenario(f"beside {label}", run, flags=flags)


def queue_group(contestant, scale):
    answer = contestant.load("live", messages=scaled(150000, scale),
                             group="group", subscribers=4)
    yield "queue group of 4", RATE, answer["rate"], answer


def many_channels(contestant, scale):
    channels = scaled(10000, scale)
    answer = contestant.load("publish", messages=channels, channels=channels)
    yield "new channels", CHANNEL_RATE, answer["rate"], answer
    yield from memory(contestant, f"with {channels:,} channels")
    if contestant.keeps:
        yield (f"start-up with {channels:,} channels", SECONDS,
               contestant.restart(), None)


def all_scenarios(millions):
    # 16 KB: more in flight is more than a nats-server holds for a client.
    return [
        publish("128 B", 400000, True),
        publish("1 KB", 200000, True, size=1024),
        publish("16 KB, window 1024", 20000, True, size=16384, window=1024),
        publish("128 B, window 256", 100000, True, window=256),
        publish("128 B, 10 publishers", 300000, publishers=10),
        publish("128 B, 100 publishers", 300000, publishers=100),
        publish("128 B, 8 channels", 300000, channels=8),
        publish("128 B, 4 publishers, 8 channels", 300000, publishers=4,
                channels=8),
        publish("128 B, 1000 channels", 300000, channels=1000),
        publish("128 B, max_msgs 1000", 300000, flags=(("-mm", 1000),)),
        publish("128 B, 1000 channels, max_msgs 100", 300000, channels=1000,
                flags=(("-mm", 100),)),
        Scenario("synchronous publish", synchronous, streams_only=False),
        stored_messages(millions),
        *[latency(subscribers, 1000) for subscribers in (1, 4, 16)],
        latency(1, 2000),
        Scenario("queue group", queue_group),
        Scenario("many channels", many_channels),
        beside("a subscriber that never acks", NeverAcks),
        beside("idle subscriptions", IdleSubscriptions),
        beside("a channel at its limits", AtLimits, (("-mm", 1000),)),
        beside("a purge of a million messages", Purge),
    ]
