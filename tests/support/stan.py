"""The NATS Streaming protocol from the client's side (protocol.md)."""
import itertools
import threading

from support.nats import unique
from support.protobuf import decode, encode, text
from support.waiting import PATIENCE

NEW_ONLY, LAST_RECEIVED, TIME_DELTA, SEQUENCE, FIRST = range(5)

INVALID_CLIENT_ID = ("stan: invalid clientID: only alphanumeric and "
                     "`-` or `_` characters allowed")
REGISTERED = "stan: clientID already registered"
UNKNOWN_CLIENT = "stan: unknown clientID"
INVALID_PUBLISH = "stan: invalid publish request"


class StanError(Exception):
    """The server's error text."""


def connect_request(client_id, heartbeat_inbox, protocol=1, conn_id=b"",
                    ping_interval=5, ping_max_out=88):
    return encode((1, client_id), (2, heartbeat_inbox), (3, protocol),
                  (4, conn_id), (5, ping_interval), (6, ping_max_out))


def pub_msg(client_id, guid, channel, data=b"", conn_id=b"", reply=""):
    return encode((1, client_id), (2, guid), (3, channel), (4, reply),
                  (5, data), (6, conn_id))


def subscription_request(client_id, channel, inbox, group="", durable="",
                         max_in_flight=1024, ack_wait=30, start=NEW_ONLY,
                         sequence=0, delta=0):
    return encode((1, client_id), (2, channel), (3, group), (4, inbox),
                  (5, max_in_flight), (6, ack_wait), (7, durable),
                  (10, start), (11, sequence), (12, delta))


def unsubscribe_request(client_id, channel, inbox):
    return encode((1, client_id), (2, channel), (3, inbox))


def close_request(client_id):
    return encode((1, client_id))


def ack(channel, sequence):
    return encode((1, channel), (2, sequence))


class Delivery:
    """A MsgProto as it came to a subscription."""

    def __init__(self, data):
        fields = decode(data)
        self.sequence = fields.get(1, 0)
        self.channel = fields.get(2, b"")
        self.reply = text(fields, 3)
        self.data = fields.get(4, b"")
        self.timestamp = fields.get(5, 0)
        self.redelivered = bool(fields.get(6, 0))
        self.redelivery_count = fields.get(7, 0)
        self.crc32 = fields.get(10, 0)

    def __repr__(self):
        again = f" again {self.redelivery_count}" if self.redelivered else ""
        return f"<{self.sequence}{again}>"


class Subscription:
    """What came, in order. Acks by itself unless manual."""

    def __init__(self, client, channel, inbox, manual, on_message):
        self.client = client
        self.channel = channel
        self.inbox = inbox
        self.manual = manual
        self.on_message = on_message
        self.ack_inbox = ""
        self.sid = None
        self.messages = []
        self._changed = threading.Condition()

    def _on_delivery(self, message):
        delivery = Delivery(message.data)
        with self._changed:
            self.messages.append(delivery)
            if not self.manual:
                self.ack(delivery.sequence)
            self._changed.notify_all()
        if self.on_message is not None:
            self.on_message(self, delivery)

    def _on_reply(self, message):
        """Always before the first message (E60)."""
        self.ack_inbox = text(decode(message.data), 2)

    def ack(self, *sequences):
        for sequence in sequences:
            self.client.nats.publish(self.ack_inbox,
                                     ack(self.channel, sequence))

    def wait_for(self, condition, what, timeout=PATIENCE):
        """Waits until condition(messages) holds; returns the messages."""
        with self._changed:
            if not self._changed.wait_for(lambda: condition(self.messages),
                                          timeout):
                raise AssertionError(
                    f"not within {timeout:g} s: {what}; came: "
                    f"{len(self.messages)}: {self.messages[:40]}")
            return list(self.messages)

    def wait(self, count, timeout=PATIENCE):
        return self.wait_for(lambda messages: len(messages) >= count,
                             f"{count} messages", timeout)

    def wait_sequence(self, sequence):
        return self.wait_for(
            lambda messages: any(m.sequence == sequence for m in messages),
            f"sequence {sequence}")

    def wait_redelivery(self, sequence, count=1):
        """Waits until the sequence came again count times."""
        return self.wait_for(
            lambda messages: sum(m.sequence == sequence and m.redelivered
                                 for m in messages) >= count,
            f"redelivery {count} of sequence {sequence}")

    def sequences(self):
        with self._changed:
            return [message.sequence for message in self.messages]


class Client:
    """A client of one cluster over a NATS connection of its own."""

    def __init__(self, nats, cluster, client_id, conn_id=None, protocol=1,
                 ping_interval=5, ping_max_out=88, heartbeat_inbox=None):
        self.nats = nats
        self.cluster = cluster
        self.client_id = client_id
        self.conn_id = unique("c").encode() if conn_id is None else conn_id
        self.heartbeats = 0
        self.answers_heartbeats = True  # or a function of the count
        self._guids = map(str, itertools.count(1))
        self._acks = {}  # guid -> error text
        self._acked = threading.Condition()
        self.heartbeat_inbox = heartbeat_inbox or unique("_HB")
        self.ack_subject = unique("_STAN.acks")
        nats.subscribe(self.heartbeat_inbox, self._on_heartbeat)
        nats.subscribe(self.ack_subject, self._on_pub_ack)
        reply = decode(nats.request(
            "_STAN.discover." + cluster,
            connect_request(client_id, self.heartbeat_inbox, protocol,
                            self.conn_id, ping_interval, ping_max_out)).data)
        if 5 in reply:
            raise StanError(text(reply, 5))
        self.reply = reply
        self.publish_prefix = text(reply, 1)
        self.subscribe_subject = text(reply, 2)
        self.unsubscribe_subject = text(reply, 3)
        self.close_subject = text(reply, 4)
        self.sub_close_subject = text(reply, 6)
        self.ping_subject = text(reply, 7)

    def _on_heartbeat(self, message):
        self.heartbeats += 1
        answers = self.answers_heartbeats
        if answers(self.heartbeats) if callable(answers) else answers:
            self.nats.publish(message.reply)

    def _request(self, subject, data, error_field, callback=None):
        reply = self.nats.request(subject, data, callback)
        if reply is None:
            raise StanError(f"no reply on {subject}")
        fields = decode(reply.data)
        if error_field in fields:
            raise StanError(text(fields, error_field))
        return fields

    # Publishing

    def _on_pub_ack(self, message):
        if not message.data:
            return  # nobody listens: "no responders"
        fields = decode(message.data)
        with self._acked:
            self._acks[text(fields, 1)] = text(fields, 2)
            self._acked.notify_all()

    def publish_async(self, channel, data=b"", guid=None, reply=""):
        guid = next(self._guids) if guid is None else guid
        self.nats.publish(
            f"{self.publish_prefix}.{channel}",
            pub_msg(self.client_id, guid, channel, data, self.conn_id, reply),
            self.ack_subject)
        return guid

    def wait_acks(self, guids, timeout=PATIENCE):
        """Waits for all; returns the error texts of those refused."""
        guids = list(guids)
        with self._acked:
            if not self._acked.wait_for(
                    lambda: all(g in self._acks for g in guids), timeout):
                missing = [g for g in guids if g not in self._acks]
                raise AssertionError(f"no ack for {len(missing)} of "
                                     f"{len(guids)} publishes")
            return [self._acks[g] for g in guids if self._acks[g]]

    def acked(self):
        with self._acked:
            return {guid for guid, error in self._acks.items() if not error}

    def publish(self, channel, *payloads):
        """Publishes each and waits for the ack of each."""
        for data in payloads:
            errors = self.wait_acks([self.publish_async(channel, data)])
            if errors:
                raise StanError(errors[0])

    def publish_numbers(self, channel, first, last):
        """Publishes the numbers as text, pipelined; waits for all acks."""
        guids = [self.publish_async(channel, str(number).encode())
                 for number in range(first, last + 1)]
        errors = self.wait_acks(guids)
        if errors:
            raise StanError(errors[0])

    # Subscribing

    def subscribe(self, channel, manual=False, inbox=None, on_message=None,
                  **options):
        subscription = Subscription(self, channel, inbox or unique("_SUB"),
                                    manual, on_message)
        subscription.sid = self.nats.subscribe(subscription.inbox,
                                               subscription._on_delivery)
        request = subscription_request(self.client_id, channel,
                                       subscription.inbox, **options)
        try:
            self._request(self.subscribe_subject, request, 3,
                          subscription._on_reply)
        except StanError:
            self.nats.unsubscribe(subscription.sid)
            raise
        return subscription

    def unsubscribe(self, subscription):
        self._request(self.unsubscribe_subject, unsubscribe_request(
            self.client_id, subscription.channel, subscription.ack_inbox), 3)

    def close_subscription(self, subscription):
        self._request(self.sub_close_subject, unsubscribe_request(
            self.client_id, subscription.channel, subscription.ack_inbox), 3)

    # The connection

    def ping(self, conn_id=None):
        """The error text; empty if the server knows the connection."""
        data = encode((1, self.conn_id if conn_id is None else conn_id))
        return text(decode(self.nats.request(self.ping_subject, data).data), 1)

    def close(self):
        """Tells the server, waits for its reply, and hangs up."""
        self._request(self.close_subject, close_request(self.client_id), 1)
        self.nats.close()
