"""What systemd is to a service of Type=notify: a socket that is told."""
import os
import socket

from support.nats import unique
from support.waiting import PATIENCE


class Systemd:
    def __init__(self):
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._listener.settimeout(PATIENCE)
        self._name = f"streamd-test-{os.getpid()}-{unique('s')}"
        self._listener.bind("\0" + self._name)

    def environment(self):
        """Of the service."""
        return {"NOTIFY_SOCKET": "@" + self._name}

    def told(self, *words):
        """The messages, as lists of lines, up to the one with all the
        words; each word a line, or the start of one."""
        got = []
        while not (got and all(any(line.startswith(word) for line in got[-1])
                               for word in words)):
            got.append(self._listener.recv(4096).decode().split("\n"))
        return got

    def close(self):
        self._listener.close()
