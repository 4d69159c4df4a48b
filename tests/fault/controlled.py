"""A streamd whose disk calls fail and whose clock moves on request (PRELOAD:
the shared object made from preload.c)."""
import mmap
import os
import struct
import tempfile

from support.case import StreamdCase

FORM = "iiiiiq"
SIZE = struct.calcsize(FORM)


class Control:
    def __init__(self):
        self._file = tempfile.NamedTemporaryFile()
        self._file.truncate(SIZE)
        self._map = mmap.mmap(self._file.fileno(), SIZE)
        self.path = self._file.name
        self.set()

    def set(self, sync=0, write=0, create=0, write_us=0, read_us=0,
            clock=0.0):
        """errno for each kind of call; how long a write and a read take;
        seconds added to the wall clock."""
        struct.pack_into(FORM, self._map, 0, sync, write, create, write_us,
                         read_us, int(clock * 1e9))

    def environment(self):
        """Of the streamd that it is to control."""
        return {
            "LD_PRELOAD": os.environ["PRELOAD"],
            "FAULT_CONTROL": self.path,
            "ASAN_OPTIONS": "verify_asan_link_order=0:"
                            + os.environ.get("ASAN_OPTIONS", ""),
        }

    def forget(self):
        self._map.close()
        self._file.close()


class ControlledCase(StreamdCase):
    """A file store; self.control holds the strings."""

    store = "file"
    own_setup = True

    def start_controlled(self, *flags, environment=None):
        self.control = Control()
        self.addCleanup(self.control.forget)
        self.server = self.start_server(
            *flags, nats=self.shared_nats(),
            environment={**self.control.environment(), **(environment or {})})
