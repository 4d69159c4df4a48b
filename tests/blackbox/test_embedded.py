"""The nats-server of our own: kept running, told what its file says
(cli-config.md sections 8 and 13)."""
import json
import os
import signal
import socket
import unittest

from support.case import StreamdCase, every_store
from support.nats import NatsConnection
from support.processes import children, free_port
from support.stan import FIRST
from support.waiting import wait_until


@every_store
class KilledChild(StreamdCase):
    """Clients that stay go on, with whatever store."""
    own_setup = True

    def test_it_is_started_again_on_the_same_port(self):
        server = self.start_server()
        me = self.client("me", server)
        subscription = me.subscribe("foo", durable="d")
        me.publish("foo", b"1")
        subscription.wait(1)
        for number in range(2, 5):
            nats, = children(server.pid)
            os.kill(nats, signal.SIGKILL)
            server.wait_log("[ERR] STREAM: The embedded NATS server has "
                            "ended: nats-server was ended by signal 9",
                            count=number - 1)
            server.wait_log("The embedded NATS server runs again",
                            count=number - 1)
            server.wait_log("reconnected to NATS Server", count=number - 1)
            me.nats.reconnect()
            self.assertEqual(me.ping(), "")
            me.publish("foo", str(number).encode())
            got = subscription.wait(number)
        self.assertEqual([m.sequence for m in got], [1, 2, 3, 4])
        self.assertEqual(len(children(server.pid)), 1)

    def test_a_stop_does_not_wait_for_the_restart(self):
        server = self.start_server()
        nats, = children(server.pid)
        os.kill(nats, signal.SIGKILL)
        server.wait_log("starting it again")
        self.assertEqual(server.end(), 143)


class GivenUp(StreamdCase):
    own_setup = True

    def test_a_port_that_another_took_is_tried_and_named(self):
        """until it is free again"""
        server = self.start_server()
        nats, = children(server.pid)
        server.send(signal.SIGSTOP)  # it shall not be faster than we are
        os.kill(nats, signal.SIGKILL)
        taken = socket.socket()
        self.addCleanup(taken.close)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        wait_until(lambda: is_bound(taken, server.port), "the port is ours")
        taken.listen()
        server.send(signal.SIGCONT)
        server.wait_log("[FTL] Error listening on port")
        taken.close()
        server.wait_log("The embedded NATS server runs again")


def is_bound(sock, port):
    try:
        sock.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
