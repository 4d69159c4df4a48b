"""Runs of streamd that end by themselves at once: hundreds of them, told what
they must say word for word."""
import concurrent.futures
import os
import re
import subprocess
import tempfile
import unittest

from support.processes import has_sanitizer
from support.waiting import PATIENCE

USAGE = "Usage: nats-streaming-server [options]\n"
STAMP = re.compile(r"(?m)^\[\d+\] \d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6} ")


class Invocation:
    """What one run must come to. out and err: the whole text; or what begins
    with it, if it ends with "..."; or a compiled pattern found in it."""

    def __init__(self, words, status, out="", err=""):
        self.words = words
        self.status = status
        self.out, self.err = out, err

    def run(self, folder):
        done = subprocess.run([os.environ["STREAMD"], *self.words],
                              stdin=subprocess.DEVNULL, capture_output=True,
                              cwd=folder, timeout=PATIENCE, check=False)
        return (done.returncode, done.stdout.decode(errors="replace"),
                STAMP.sub("", done.stderr.decode(errors="replace")))

    @staticmethod
    def _fits(wanted, got):
        if isinstance(wanted, re.Pattern):
            return wanted.search(got) is not None
        if wanted.endswith("..."):
            return got.startswith(wanted[:-3])
        return got == wanted

    def fault(self, folder):
        """None, or how it differs."""
        try:
            status, out, err = self.run(folder)
        except subprocess.TimeoutExpired:
            return f"{self.words}: it runs on"
        if (status == self.status and self._fits(self.out, out)
                and self._fits(self.err, err)):
            return None
        return (f"{self.words}:\n  wanted {self.status} {self.out!r} "
                f"{self.err!r}\n  got    {status} {out[:200]!r} {err[:600]!r}")


def usage_error(words, text):
    """What the command line itself gets wrong (cli-config.md 1)."""
    return Invocation(words, 2, USAGE + "...", text + "\n")


def refused(words, text):
    return Invocation(words, 1, "", text + "\n")


def fails_to_start(words, text):
    """It begins, and one line says why it ends."""
    return Invocation(words, 1, "", re.compile(
        r"\[FTL\] STREAM: Failed to start: " + re.escape(text) + r"\n"))


class InvocationCase(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory(prefix="streamd-test-")
        self.addCleanup(place.cleanup)
        self.folder = place.name
        self._files = 0

    def file(self, text):
        """The name of a new file, in the folder in which streamd runs."""
        self._files += 1
        name = f"f{self._files}.conf"
        with open(os.path.join(self.folder, name), "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode())
        return name

    def check(self, invocations):
        """All of them; with a sanitizer, which makes a start slow, every
        sixth."""
        invocations = list(invocations)[::6 if has_sanitizer() else 1]
        self.assertGreater(len(invocations), 0)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            faults = [fault for fault in pool.map(
                lambda one: one.fault(self.folder), invocations) if fault]
        if faults:
            self.fail(f"{len(faults)} of {len(invocations)} differ:\n"
                      + "\n".join(faults[:40]))
