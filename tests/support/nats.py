"""A raw NATS connection: one reader thread, call-backs by subscription."""
import json
import queue
import random
import socket
import string
import threading

from support.waiting import PATIENCE


class Closed(Exception):
    """The connection has ended."""


class Message:
    def __init__(self, subject, reply, data, headers=b""):
        self.subject = subject
        self.reply = reply
        self.data = data
        self.headers = headers


def unique(prefix):
    """A subject nobody else uses."""
    letters = string.ascii_letters + string.digits
    return prefix + "." + "".join(random.choices(letters, k=22))


class NatsConnection:
    def __init__(self, port, name="test", login=None):
        self.port = port
        self.name = name
        # user and pass, or auth_token, or what else the CONNECT line says
        self.login = login or {}
        self._subscriptions = {}  # sid -> (subject, call-back)
        self._last_sid = 0
        self._write_lock = threading.Lock()
        self._inbox = unique("_INBOX")
        self._requests = {}  # reply subject -> (queue of replies, call-back)
        self._last_request = 0
        self._dial()
        self.subscribe(self._inbox + ".*", self._on_reply)

    def _dial(self):
        self._pongs = queue.Queue()
        self._received = b""
        self._socket = socket.create_connection(("127.0.0.1", self.port),
                                                timeout=PATIENCE)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.info = json.loads(self._read_line()[len(b"INFO "):])
        options = {"verbose": False, "pedantic": False, "lang": "test",
                   "version": "0", "protocol": 1, "name": self.name,
                   "headers": True, "no_responders": True, **self.login}
        self._send(b"CONNECT " + json.dumps(options).encode() + b"\r\n")
        self._socket.settimeout(None)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.flush()

    def reconnect(self):
        """Dials again and keeps the subscriptions, as client libraries do."""
        self.close()
        self._dial()
        for sid, (subject, _) in self._subscriptions.items():
            self._send(f"SUB {subject} {sid}\r\n".encode())
        self.flush()

    def close(self):
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the other side was faster
        self._reader.join()
        self._socket.close()

    # Reading

    def _fill(self):
        data = self._socket.recv(1 << 16)
        if not data:
            raise Closed
        self._received += data

    def _read_line(self):
        while b"\r\n" not in self._received:
            self._fill()
        line, self._received = self._received.split(b"\r\n", 1)
        return line

    def _read_exactly(self, size):
        while len(self._received) < size:
            self._fill()
        data, self._received = self._received[:size], self._received[size:]
        return data

    def _read(self):
        try:
            while True:
                self._on_line(self._read_line())
        except (Closed, OSError):
            self._pongs.put(False)

    def _on_line(self, line):
        kind, _, rest = line.partition(b" ")
        if kind == b"MSG":
            self._on_message(rest.decode("latin1").split(" "), False)
        elif kind == b"HMSG":
            self._on_message(rest.decode("latin1").split(" "), True)
        elif kind == b"PING":
            self._send(b"PONG\r\n")
        elif kind == b"PONG":
            self._pongs.put(True)

    def _on_message(self, words, with_headers):
        size = int(words.pop())
        headers_size = int(words.pop()) if with_headers else 0
        data = self._read_exactly(size + 2)[:-2]
        subject, sid = words[0], int(words[1])
        reply = words[2] if len(words) == 3 else ""
        _, callback = self._subscriptions.get(sid, (None, None))
        if callback is not None:
            callback(Message(subject, reply, data[headers_size:],
                             data[:headers_size]))

    # Writing

    def _send(self, data):
        with self._write_lock:
            self._socket.sendall(data)

    def flush(self):
        """Returns when the NATS server has seen all that was sent."""
        self._send(b"PING\r\n")
        if not self._pongs.get(timeout=PATIENCE):
            raise Closed

    def subscribe(self, subject, callback):
        self._last_sid += 1
        self._subscriptions[self._last_sid] = (subject, callback)
        self._send(f"SUB {subject} {self._last_sid}\r\n".encode())
        return self._last_sid

    def unsubscribe(self, sid):
        del self._subscriptions[sid]
        self._send(f"UNSUB {sid}\r\n".encode())

    def publish(self, subject, data=b"", reply=""):
        words = [subject, reply] if reply else [subject]
        head = "PUB %s %d\r\n" % (" ".join(words), len(data))
        self._send(head.encode() + data + b"\r\n")

    # Requests

    def _on_reply(self, message):
        replies, callback = self._requests[message.subject]
        if callback is not None:
            callback(message)
        replies.put(message)

    def request_async(self, subject, data=b"", callback=None):
        """Sends; returns a function that waits for the reply, and takes a
        time-out in seconds after which it returns None. The call-back sees
        the reply before anything that arrives after it."""
        self._last_request += 1
        reply = f"{self._inbox}.{self._last_request}"
        replies = queue.Queue()
        self._requests[reply] = (replies, callback)
        self.publish(subject, data, reply)

        def wait(timeout=PATIENCE):
            try:
                return replies.get(timeout=timeout)
            except queue.Empty:
                return None
        return wait

    def request(self, subject, data=b"", callback=None):
        """The reply; None if nobody answered in time."""
        return self.request_async(subject, data, callback)()

    def is_heard(self, subject):
        """Whether anybody listens there."""
        reply = self.request(subject)
        return reply is None or not reply.headers.startswith(b"NATS/1.0 503")
