"""What the client libraries stan.go, stan.py and stan.java say on the wire.

The same protocol, but each has habits a server must live with: what it sends
first, what it puts into a request, what it does when no answer comes. Own
code, from what protocol.md sections 3 and 17 tell of them.
"""
import random
import string
import threading
import time

from support.nats import NatsConnection
from support.protobuf import decode, encode, text
from support.stan import (NEW_ONLY, TIME_DELTA, Delivery, StanError, ack,
                          close_request, connect_request)
from support.waiting import PATIENCE, wait_until

PING_FAILURE = "stan: connection lost due to PING failure"


def nuid():
    return "".join(random.choices(string.ascii_letters + string.digits, k=22))


class Profile:
    def __init__(self, name, connect, acks_first, start_always,
                 names_durable, closes_after_timeout):
        self.name = name
        self.connect = connect  # of the CONNECT line of its NATS library
        self.acks_first = acks_first  # listens for PubAcks before it connects
        self.start_always = start_always  # new-only is asked for by name
        self.names_durable = names_durable  # in an UnsubscribeRequest
        # A subscribe without answer is followed by a close of the delivery
        # inbox that asks for no answer.
        self.closes_after_timeout = closes_after_timeout


GO = Profile("stan.go", {"lang": "go", "headers": True,
                         "no_responders": True, "echo": True},
             acks_first=False, start_always=False, names_durable=True,
             closes_after_timeout=True)
PYTHON = Profile("stan.py", {"lang": "python3", "headers": False,
                             "no_responders": False},
                 acks_first=True, start_always=False, names_durable=True,
                 closes_after_timeout=False)
JAVA = Profile("stan.java", {"lang": "java", "headers": True,
                             "no_responders": True, "echo": True},
               acks_first=True, start_always=True, names_durable=True,
               closes_after_timeout=True)
PROFILES = (GO, PYTHON, JAVA)


class Timeout(Exception):
    """No answer from the streaming server in time."""


class LibrarySubscription:
    def __init__(self, client, channel, durable, manual):
        self.client = client
        self.channel = channel
        self.durable = durable
        self.manual = manual
        self.inbox = "_INBOX." + nuid()
        self.ack_inbox = None
        self.messages = []
        self.sid = client.nats.subscribe(self.inbox, self._on_message)

    def _on_message(self, message):
        """A message before the reply would have no ack inbox (E60)."""
        assert self.ack_inbox, "a message overtook the subscribe reply"
        delivery = Delivery(message.data)
        assert not message.reply, "a delivery has no reply subject"
        self.messages.append(delivery)
        if not self.manual:
            self.ack(delivery.sequence)

    def ack(self, sequence):
        self.client.nats.publish(self.ack_inbox, ack(self.channel, sequence))

    def wait(self, count):
        wait_until(lambda: len(self.messages) >= count,
                   f"{count} messages, came: {self.messages}")
        return self.messages[:]

    def sequences(self):
        return [message.sequence for message in self.messages]

    def _end(self, subject):
        self.client.nats.unsubscribe(self.sid)
        durable = self.durable if self.client.profile.names_durable else ""
        reply = self.client.request(subject, encode(
            (1, self.client.client_id), (2, self.channel),
            (3, self.ack_inbox), (4, durable)))
        if 3 in reply:
            raise StanError(text(reply, 3))

    def unsubscribe(self):
        self._end(text(self.client.response, 3))

    def close(self):
        self._end(text(self.client.response, 6))


class LibraryClient:
    """One connection. lost holds why it was lost, as the call-back for that
    would be told; None while all is well."""

    def __init__(self, profile, port, cluster, client_id, ping_interval=5,
                 ping_max_out=3, timeout=2.0):
        self.profile = profile
        self.client_id = client_id
        self.timeout = timeout
        self.conn_id = nuid().encode()
        self.lost = None
        self.heartbeats = 0
        self.answers_heartbeats = True
        self.pings_out = 0
        self.pongs = 0
        self._acks = {}
        self._acked = threading.Condition()
        self._end = threading.Event()
        self.nats = NatsConnection(port, "library", profile.connect)
        try:
            self._connect(cluster, ping_interval, ping_max_out)
        except (StanError, Timeout):
            self.nats.close()
            raise
        self._pinger = threading.Thread(target=self._ping_loop, daemon=True)
        if text(self.response, 7) and self.response.get(8, 0):
            self._pinger.start()

    # The connection

    def _connect(self, cluster, ping_interval, ping_max_out):
        heartbeat_inbox = "_INBOX." + nuid()
        self.ack_subject = "_STAN.acks." + nuid()
        self.ping_inbox = "_INBOX." + nuid()
        self.nats.subscribe(heartbeat_inbox, self._on_heartbeat)
        self.nats.subscribe(self.ping_inbox, self._on_ping_reply)
        if self.profile.acks_first:
            self.nats.subscribe(self.ack_subject, self._on_ack)
        self.response = self.request(
            "_STAN.discover." + cluster,
            connect_request(self.client_id, heartbeat_inbox, 1, self.conn_id,
                            ping_interval, ping_max_out))
        if 5 in self.response:
            raise StanError(text(self.response, 5))
        if not self.profile.acks_first:
            self.nats.subscribe(self.ack_subject, self._on_ack)

    def request(self, subject, data):
        reply = self.nats.request_async(subject, data)(self.timeout)
        if reply is None or reply.headers.startswith(b"NATS/1.0 503"):
            raise Timeout(subject)
        return decode(reply.data)

    def _on_heartbeat(self, message):
        assert not message.data, "a heartbeat is empty"
        self.heartbeats += 1
        if self.answers_heartbeats:
            self.nats.publish(message.reply)

    def close(self):
        self._stop()
        reply = self.request(text(self.response, 4),
                             close_request(self.client_id))
        self.nats.close()
        if 1 in reply:
            raise StanError(text(reply, 1))

    def vanish(self):
        """Without a word."""
        self._stop()
        self.nats.close()

    def _stop(self):
        self._end.set()
        if self._pinger.is_alive():
            self._pinger.join()

    # Pings

    def _lose(self, why):
        self.lost = why
        self._end.set()

    def _ping_loop(self):
        while not self._end.wait(self.response[8]):
            self.pings_out += 1
            if self.pings_out > self.response[9]:
                self._lose(PING_FAILURE)
                return
            try:
                self.nats.publish(text(self.response, 7),
                                  encode((1, self.conn_id)), self.ping_inbox)
            except OSError:
                pass  # its NATS connection is away

    def _on_ping_reply(self, message):
        if message.headers.startswith(b"NATS/1.0 503"):
            return  # nobody there: a ping that is out
        error = text(decode(message.data), 1)
        if error:
            self._lose(error)
        else:
            self.pings_out = 0
            self.pongs += 1

    # Publishing

    def _on_ack(self, message):
        if not message.data:
            return  # no responders
        fields = decode(message.data)
        with self._acked:
            self._acks[text(fields, 1)] = text(fields, 2)
            self._acked.notify_all()

    def publish_async(self, channel, data):
        guid = nuid()
        self.nats.publish(
            f"{text(self.response, 1)}.{channel}",
            encode((1, self.client_id), (2, guid), (3, channel), (5, data),
                   (6, self.conn_id)), self.ack_subject)
        return guid

    def wait_ack(self, guid, timeout=PATIENCE):
        """The error text, empty on success; None if no ack came."""
        with self._acked:
            self._acked.wait_for(lambda: guid in self._acks, timeout)
            return self._acks.get(guid)

    def publish(self, channel, data, timeout=PATIENCE):
        error = self.wait_ack(self.publish_async(channel, data), timeout)
        if error is None:
            raise Timeout(channel)
        if error:
            raise StanError(error)

    # Subscribing

    def subscribe(self, channel, group="", durable="", manual=False,
                  max_in_flight=1024, ack_wait=30, start=None, sequence=0,
                  since=None):
        """since: seconds since the epoch."""
        subscription = LibrarySubscription(self, channel, durable, manual)
        fields = [(1, self.client_id), (2, channel), (3, group),
                  (4, subscription.inbox), (5, max_in_flight), (6, ack_wait),
                  (7, durable)]
        if since is not None:
            fields += [(10, TIME_DELTA),
                       (12, int((time.time() - since) * 1e9))]
        elif start is not None or self.profile.start_always:
            fields += [(10, NEW_ONLY if start is None else start),
                       (11, sequence)]

        def on_reply(message):
            subscription.ack_inbox = text(decode(message.data), 2)
        reply = self.nats.request_async(text(self.response, 2),
                                        encode(*fields), on_reply)(
                                            self.timeout)
        if reply is None:
            self.nats.unsubscribe(subscription.sid)
            if self.profile.closes_after_timeout:
                self.nats.publish(text(self.response, 6), encode(
                    (1, self.client_id), (2, channel),
                    (3, subscription.inbox)))
            raise Timeout(channel)
        error = text(decode(reply.data), 3)
        if error:
            self.nats.unsubscribe(subscription.sid)
            raise StanError(error)
        return subscription
