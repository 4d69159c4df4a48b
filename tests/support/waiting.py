"""Waiting for conditions; nothing in the tests sleeps to be in step."""
import time

PATIENCE = 30.0  # seconds; only a broken server makes a test wait this long


def wait_until(condition, what, timeout=PATIENCE):
    """Returns the first true value of condition(); fails, naming what."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout:g} s: {what}")
        time.sleep(0.005)
