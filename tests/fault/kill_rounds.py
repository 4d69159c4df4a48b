"""kill -9 of streamd at random moments under load, again and again, on one
directory; the clients stay connected (delivery.md section 16).

    STREAMD=... PRELOAD=... python3 -B -m fault.kill_rounds [--rounds N] [--seed N]

What it knows: every acked publish, every message ever seen stored, every
delivery. SEED in the environment does as --seed."""
import argparse
import os
import random
import sys
import threading
import time

from fault.controlled import Control
from support.nats import NatsConnection, unique
from support.processes import NatsServer, Streamd
from support.stan import FIRST, Client, StanError
from support.waiting import PATIENCE, wait_until

CHANNELS = ("one", "two", "three.four")
PUBLISHERS = 3
WINDOW = 64  # publishes of one publisher that are not answered yet
LIMIT = 300
ROUNDS = 5  # of one world


def check(condition, text):
    if not condition:
        raise AssertionError(text)


class Publisher:
    """Publishes to all channels, the numbers rising; knows what was acked."""

    def __init__(self, world, name, chance):
        self.name = name
        self.chance = chance
        self.client = world.client(name)
        self.sent = {}  # guid -> (channel, number)
        self.payloads = {}  # (channel, number) -> bytes
        self.number = 0
        self.refused = 0
        self._go = threading.Event()
        self._rests = threading.Event()
        self._ended = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def resume(self):
        """Those not answered before are no longer waited for."""
        self._floor = len(self.sent)
        self._rests.clear()
        self._go.set()

    def pause(self):
        self._go.clear()
        check(self._rests.wait(PATIENCE), f"{self.name} does not rest")

    def _answered(self):
        with self.client._acked:
            return len(self.client._acks)

    def _run(self):
        while True:
            self._rests.set()
            self._go.wait()
            self._rests.clear()
            before = self._answered()
            while self._go.is_set():
                open_ones = (len(self.sent) - self._floor
                             - (self._answered() - before))
                if open_ones < WINDOW:
                    self._publish()
                else:
                    time.sleep(0.001)

    def _publish(self):
        self.number += 1
        channel = self.chance.choice(CHANNELS)
        size = self.chance.choice((0, 10, 200, 5000))
        data = f"{self.name}:{self.number}:".encode()
        data += bytes(self.chance.randrange(256) for _ in range(8)) * (size // 8)
        self.payloads[channel, self.number] = data
        guid = str(self.number)
        self.sent[guid] = (channel, self.number)
        self.client.publish_async(channel, data, guid)

    def acked(self):
        """(channel, number) of each."""
        return {self.sent[guid] for guid in self.client.acked()}


class Consumer:
    """A subscription or a whole group; acks at random."""

    def __init__(self, world, channel, kind, members, chance, **options):
        self.kind = kind
        self.channel = channel
        self.chance = chance
        self.eager = False  # acks all
        self.life = 0
        self.lock = threading.Lock()
        self.seen = {}  # sequence -> payload
        self.acks = set()
        self.came_again = 0
        self.faults = []
        self._newest = {}  # member -> highest new sequence of this life
        for number in range(members):
            name = unique(kind).replace(".", "-")
            client = world.client(name)
            client.subscribe(channel, manual=True, ack_wait=1, start=FIRST,
                             max_in_flight=200, on_message=self._on_message,
                             **options)

    def _on_message(self, subscription, delivery):
        with self.lock:
            sequence = delivery.sequence
            if self.seen.setdefault(sequence, delivery.data) != delivery.data:
                self.faults.append(f"{sequence} has two payloads")
            if delivery.redelivered:
                self.came_again += 1
            else:
                key = (self.life, subscription.inbox)
                if self._newest.get(key, 0) >= sequence:
                    self.faults.append(
                        f"new {sequence} after {self._newest[key]}")
                self._newest[key] = sequence
            acks = self.eager or self.chance.random() < 0.7
            if acks:
                self.acks.add(sequence)
        if acks:
            subscription.ack(sequence)

    def next_life(self):
        with self.lock:
            self.life += 1

    def missing(self, sequences):
        with self.lock:
            return [s for s in sequences if s not in self.seen]

    def unacked(self, sequences):
        with self.lock:
            return [s for s in sequences if s not in self.acks]

    def check(self, stored):
        with self.lock:
            check(not self.faults, f"{self.kind} on {self.channel}: "
                                   f"{self.faults[:5]}")
            for sequence, data in stored.items():
                if sequence in self.seen:
                    check(self.seen[sequence] == data,
                          f"{self.kind}: payload of {sequence}")


class World:
    """One server, its directory, and everything that happened to it."""

    def __init__(self, nats, chance, limit):
        flags = ["-mm", str(limit)] if limit else []
        self.limit = limit
        self.chance = chance
        self.control = Control()
        self.server = Streamd(unique("kill").replace(".", "-"), *flags,
                              nats=nats, store="file",
                              environment=self.control.environment()).start()
        self.stored = {channel: {} for channel in CHANNELS}
        self.connections = []
        self.publishers = [
            Publisher(self, f"publisher{number}",
                      random.Random(chance.random()))
            for number in range(PUBLISHERS)]
        self.consumers = []
        for channel in CHANNELS:
            for kind, members, options in (
                    ("plain", 1, {}),
                    ("durable", 1, {"durable": "d"}),
                    ("queue", 2, {"group": "g"}),
                    ("durable-queue", 2, {"group": "g", "durable": "d"})):
                self.consumers.append(Consumer(
                    self, channel, kind, members,
                    random.Random(chance.random()), **options))

    def client(self, name):
        connection = NatsConnection(self.server.port)
        self.connections.append(connection)
        return Client(connection, self.server.cluster, name)

    def round(self):
        """A slow disk, now and then: acked too early, a message is not yet
        written when the server dies."""
        self.control.set(write_us=self.chance.choice((0, 0, 3000, 20000)))
        for publisher in self.publishers:
            publisher.resume()
        time.sleep(self.chance.uniform(0.05, 0.8))  # the load itself
        self.server.kill()
        for publisher in self.publishers:
            publisher.pause()
        for connection in self.connections:
            connection.flush()
        for consumer in self.consumers:
            consumer.next_life()
        self.control.set()
        if self.chance.random() < 0.2:  # killed while it starts
            self.server.launch()
            time.sleep(self.chance.uniform(0, 0.05))
            self.server.kill()
        self.server.start()
        for channel in CHANNELS:
            self.check_channel(channel)
        for consumer in self.consumers:
            consumer.check(self.stored[consumer.channel])

    def read(self, channel):
        """{sequence: payload} of all that is stored there now."""
        reader = self.client(unique("reader").replace(".", "-"))
        end = unique("end").encode()
        reader.publish(channel, end)
        subscription = reader.subscribe(channel, start=FIRST,
                                        max_in_flight=10000)
        got = subscription.wait_for(
            lambda messages: messages and messages[-1].data == end, "the end")
        reader.close()
        self.connections.remove(reader.nats)
        numbers = [message.sequence for message in got]
        check(numbers == list(range(numbers[0], numbers[-1] + 1)),
              f"{channel}: gap, duplicate or disorder in {numbers[:20]}...")
        return {message.sequence: message.data for message in got}

    def check_channel(self, channel):
        known = self.stored[channel]
        now = self.read(channel)
        first, last = min(now), max(now)
        check(first == 1 if not self.limit else len(now) <= self.limit,
              f"{channel}: {first} to {last}")
        check(last > max(known, default=0), f"{channel} became shorter")
        for sequence, data in now.items():
            check(known.get(sequence, data) == data,
                  f"{channel}: {sequence} has changed")
        known.update(now)
        self.check_publishes(channel, now)

    def check_publishes(self, channel, now):
        for publisher in self.publishers:
            prefix = publisher.name.encode() + b":"
            numbers = []
            for sequence in sorted(now):
                data = now[sequence]
                if not data.startswith(prefix):
                    continue
                number = int(data.split(b":", 2)[1])
                check(publisher.payloads[channel, number] == data,
                      f"{channel}: payload of {sequence}")
                numbers.append(number)
            check(numbers == sorted(set(numbers)),
                  f"{channel}: {publisher.name}'s messages in disorder")
            oldest = (numbers[0] if numbers else publisher.number) \
                if self.limit else 0
            acked = {number for where, number in publisher.acked()
                     if where == channel and number >= oldest}
            lost = acked - set(numbers)
            check(not lost, f"{channel}: acked but gone: {sorted(lost)[:5]}")

    def finish(self):
        """Everything stored reaches everybody; what is acked stays acked."""
        for consumer in self.consumers:
            consumer.eager = True
        for channel in CHANNELS:
            self.check_channel(channel)
        for consumer in self.consumers:
            now = sorted(self.stored[consumer.channel])
            if self.limit:
                now = now[-self.limit // 2:]
            wait_until(lambda: not consumer.missing(now),
                       f"{consumer.kind} on {consumer.channel} gets all")
            wait_until(lambda: not consumer.unacked(now),
                       f"{consumer.kind} on {consumer.channel} acks all")
            consumer.check(self.stored[consumer.channel])
        check(self.server.end() == 143, "exit status after SIGTERM")

    def numbers(self):
        acked = sum(len(p.acked()) for p in self.publishers)
        again = sum(c.came_again for c in self.consumers)
        stored = sum(len(s) for s in self.stored.values())
        return f"{acked} acked, {stored} seen stored, {again} came again"


def run_world(nats, chance, limit, rounds):
    world = World(nats, chance, limit)
    try:
        for _ in range(rounds):
            world.round()
        world.finish()
        print(f"limit {limit}: {rounds} rounds, {world.numbers()}", flush=True)
    except (AssertionError, StanError):
        print(world.server.log()[-5000:], file=sys.stderr)
        raise
    finally:
        world.server.forget()
        world.control.forget()


def run(seed, rounds):
    """A new world every few rounds: each round reads all of it."""
    chance = random.Random(seed)
    nats = NatsServer()
    try:
        for start in range(0, rounds, 2 * ROUNDS):
            each = (min(rounds - start, 2 * ROUNDS) + 1) // 2
            for limit in (0, LIMIT):
                run_world(nats, chance, limit, each)
    finally:
        nats.forget()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--seed", type=int,
                        default=os.environ.get("SEED",
                                               random.randrange(1 << 30)))
    options = parser.parse_args()
    print(f"SEED={options.seed}", flush=True)
    run(options.seed, options.rounds)


if __name__ == "__main__":
    main()
