"""The nats-server of our own: kept running, told what its file says
(cli-config.md sections 8 and 13)."""
import json
import os
import signal
import socket
import subprocess
import unittest

from support.case import StreamdCase, every_store
from support.nats import NatsConnection
from support.processes import children, free_port
from support.stan import Client
from support.waiting import PATIENCE, wait_until


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


class NatsSide(StreamdCase):
    """What the file says for the nats-server is done by it."""
    own_setup = True

    def new_with(self, text, *flags):
        server = self.new_server("-c", "server.conf", *flags)
        write(server, "server.conf", text)
        return server

    def refused(self, server):
        server.launch()
        self.assertEqual(server.wait(), 1)
        return server.log()

    def test_several_users(self):
        """C39"""
        users = ("authorization { users: [ {user: a, password: b}, "
                 "{user: c, password: d} ] }\n")
        self.assertRegex(self.refused(self.new_with(users)),
                         "Failed to start: nats: .*Authorization Violation")
        for text, flags in ((users, ("-user", "a", "-pass", "b")),
                            (users + "streaming { username: a, password: b }",
                             ())):
            server = self.new_with(text, *flags).start()
            me = self.client("me", server, login={"user": "c", "pass": "d"})
            me.publish("foo", b"x")

    def test_a_single_user_and_a_token(self):
        """cli-config.md 12: they are ours, too"""
        for text, flags, login in (
                ("authorization { user: a, password: b }", (),
                 {"user": "a", "pass": "b"}),
                ("authorization { token: t }", (), {"auth_token": "t"}),
                ("", ("-user", "a", "-pass", "b"), {"user": "a", "pass": "b"}),
                ("", ("-auth", "t"), {"auth_token": "t"})):
            server = self.new_with(text, *flags).start()
            self.assertIn(b"Authorization Violation", answer(server.port))
            self.client("me", server, login=login).publish("foo", b"x")
            self.assertNotIn("password", " ".join(command_lines(server)))

    def test_accounts(self):
        server = self.new_with(
            "accounts { S { users: [ {user: s, password: p} ] }\n"
            "  T { users: [ {user: t, password: p} ] } }\n"
            "streaming { user: s, password: p }").start()
        me = self.client("me", server, login={"user": "s", "pass": "p"})
        me.publish("foo", b"x")
        other = NatsConnection(server.port, login={"user": "t", "pass": "p"})
        self.addCleanup(other.close)
        self.assertFalse(other.is_heard("_STAN.discover." + server.cluster))

    def test_tls(self):
        """our own connection, too; by flags and by the file; with verify"""
        folder = self.new_server().directory
        certificate(folder)
        cert = os.path.join(folder, "cert.pem")
        key = os.path.join(folder, "key.pem")
        for text, flags in (
                (f"tls {{ cert_file: '{cert}', key_file: '{key}' }}", ()),
                ("", ("-tlscert", cert, "-tlskey", key)),
                ("", ("-tlscert", cert, "-tlskey", key, "-tlsverify",
                      "-tlscacert", cert))):
            server = self.new_with(text, *flags).start()
            self.assertTrue(information(server.port)["tls_required"])
            self.assertNotIn("DO NOT USE IN PRODUCTION", server.log())

    def test_limits_and_monitoring(self):
        server = self.new_with("max_payload: 4KB\nserver_name: fred").start()
        self.assertEqual(information(server.port)["max_payload"], 4096)
        self.assertEqual(information(server.port)["server_name"], "fred")

    def test_a_field_that_is_unknown_is_told_with_its_place(self):
        """cli-config.md 8: the file is the user's"""
        log = self.refused(self.new_with("\n\ncluster {\n  bogus: 1 }\n"
                                         "streaming {}"))
        self.assertIn('server.conf:4:', log)
        self.assertIn('unknown field "bogus"', log)

    def test_the_ports_file(self):
        server = self.new_server("-ports_file_dir", ".").start()
        name, = [name for name in os.listdir(server.directory)
                 if name.endswith(".ports")]
        self.assertEqual(name, f"streamd_{server.pid}.ports")
        with open(os.path.join(server.directory, name),
                  encoding="utf-8") as file:
            self.assertEqual(json.load(file), {
                "nats": [f"nats://127.0.0.1:{server.port}"]})
        server.end()
        self.assertEqual([name for name in os.listdir(server.directory)
                          if name.endswith(".ports")], [])


class Cluster(StreamdCase):
    own_setup = True

    def test_two_nats_servers_are_one(self):
        """each streamd with its own; a client of one reaches the other"""
        ports = [free_port(), free_port()]
        first = self.start_server(
            "-cluster", f"nats://r:s@127.0.0.1:{ports[0]}",
            "-cluster_name", "x")
        second = self.start_server(
            "-cluster", f"nats://r:s@127.0.0.1:{ports[1]}", "-routes",
            f"nats://r:s@127.0.0.1:{ports[0]}", "-cluster_name", "x")
        near = self.connection(second)
        wait_until(lambda: near.is_heard("_STAN.discover." + first.cluster),
                   "the route is there")
        me = Client(near, first.cluster, "me")
        me.publish("foo", b"x")
        self.assertStored("foo", [b"x"], first)


def write(server, name, text):
    path = os.path.join(server.directory, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def certificate(folder):
    """cert.pem and key.pem, for tests only."""
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost", "-keyout", "key.pem",
                    "-out", "cert.pem"], cwd=folder, check=True,
                   capture_output=True)


def information(port):
    """What a nats-server says first."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
        with s.makefile("rb") as stream:
            return json.loads(stream.readline()[len(b"INFO "):])


def answer(port):
    """To one who is nobody."""
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as s:
        with s.makefile("rb") as stream:
            stream.readline()
            s.sendall(b"CONNECT {}\r\nPING\r\n")
            return stream.readline()


def command_lines(server):
    """Of streamd's children."""
    for child in children(server.pid):
        with open(f"/proc/{child}/cmdline", encoding="utf-8") as file:
            yield file.read()


def is_bound(sock, port):
    try:
        sock.bind(("127.0.0.1", port))
        return True
    except OSError:
        return False


if __name__ == "__main__":
    unittest.main()
