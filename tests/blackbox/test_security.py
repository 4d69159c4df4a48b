"""Into a NATS server that asks who we are, or shows who it is (cli-config.md
section 12), through kill -9 of that server."""
import signal
import unittest
import urllib.request

from support.certificates import Authority, Nkey, credentials
from support.guarded import GuardedCase
from support.processes import free_port
from support.stan import FIRST
from support.waiting import PATIENCE


class Enters(GuardedCase):
    def check(self, *flags, store="memory"):
        """It serves, and again after kill -9 of its nats-server."""
        self.attach(*flags, store=store)
        client = self.client()
        client.publish("foo", b"before")
        self.pair.guarded.kill()
        self.server.wait_log("has been disconnected")
        self.pair.guarded.start()
        self.server.wait_log("reconnected to NATS Server at")
        self.wait_heard()
        client.publish("foo", b"after")
        subscription = client.subscribe("foo", start=FIRST)
        subscription.wait(2)
        self.assertNotIn("se'cret", self.server.log())

    def test_user_and_password(self):
        self.start_pair("""authorization { user: "me\\"", password: "se'cret" }""")
        self.check("-user", 'me"', "-pass", "se'cret")

    def test_user_and_password_of_the_url_before_those_of_flags(self):
        self.start_pair("""authorization { user: "me", password: "se'cret" }""")
        url = f"nats://me:se%27cret@127.0.0.1:{self.pair.guarded.port}"
        self.check("-ns", url, "-user", "you", "-pass", "other")
        self.assertIn("nats://[REDACTED]@127.0.0.1", self.server.log())

    def test_user_of_the_streaming_section(self):
        self.start_pair("""authorization { user: "me", password: "se'cret" }""")
        path = self.write("s.conf", """streaming { username: me, """
                          """password: "se'cret" }""")
        self.check("-sc", path)

    def test_token(self):
        self.start_pair("""authorization { token: "se'cret" }""")
        self.check("-auth", "se'cret")

    def test_nkey(self):
        nkey = Nkey(self.directory, "user")
        self.start_pair("authorization { users: [ { nkey: %s } ] }"
                        % nkey.public)
        self.check("-nkey_seed_file", self.write("seed", nkey.seed + "\n"))
        self.assertNotIn(nkey.seed, self.server.log())

    def test_tls(self):
        ca = Authority(self.directory)
        ca.sign("server")
        self.start_pair('tls { cert_file: "%s", key_file: "%s" }'
                        % (ca.path("server"), ca.key_path("server")))
        self.check("-tls_client_cacert", ca.path("ca"))

    def test_tls_by_configuration_with_the_servers_name(self):
        ca = Authority(self.directory)
        ca.sign("server", "DNS:nats.example")
        ca.sign("client", "DNS:client")
        self.start_pair('tls { cert_file: "%s", key_file: "%s", '
                        'ca_file: "%s", verify: true }'
                        % (ca.path("server"), ca.key_path("server"),
                           ca.path("ca")))
        path = self.write("s.conf", "streaming { tls { client_ca: '%s', "
                          "client_cert: '%s', client_key: '%s', "
                          "server_name: nats.example } }"
                          % (ca.path("ca"), ca.path("client"),
                             ca.key_path("client")))
        self.check("-sc", path)

    def test_skip_verify_works_and_warns(self):
        ca = Authority(self.directory)
        ca.sign("server", days=-1)
        self.start_pair('tls { cert_file: "%s", key_file: "%s" }'
                        % (ca.path("server"), ca.key_path("server")))
        path = self.write("s.conf", "streaming { secure: true, "
                          "tls { skip_verify: true } }")
        self.check("-sc", path)
        self.assertIn("[WRN] STREAM: TLS certificate chain and hostname will "
                      "not be verified. DO NOT USE IN PRODUCTION!",
                      self.server.log())


class Credentials(GuardedCase):
    def test_user_and_seed_of_a_creds_file(self):
        operator, account, user = (Nkey(self.directory, kind) for kind in
                                   ("operator", "account", "user"))
        limits = {name: -1 for name in ("subs", "data", "payload", "imports",
                                        "exports", "conn", "leaf")}
        account_token = operator.token(
            account, limits={**limits, "wildcards": True})
        user_token = account.token(user, subs=-1, data=-1, payload=-1)
        path = self.write("me.creds", credentials(user_token, user.seed))
        nats = self.start_nats("-c", self.write("nats.conf", (
            "operator: %s\nresolver: MEMORY\nresolver_preload { %s: %s }\n"
            % (operator.token(operator), account.public, account_token))))
        server = self.start_server("-credentials", path, nats=nats)
        nats.kill()
        server.wait_log("has been disconnected")
        nats.start()
        server.wait_log("reconnected to NATS Server at")
        for secret in (user.seed, user_token):
            self.assertNotIn(secret, server.log())


class Refused(GuardedCase):
    def test_one_line_says_what_failed(self):
        ca = Authority(self.directory)
        other = Authority(self.directory, "other")
        ca.sign("server")
        self.start_pair('tls { cert_file: "%s", key_file: "%s", timeout: 10 }\n'
                        "authorization { token: \"se'cret\" }"
                        % (ca.path("server"), ca.key_path("server")))
        for flags, words in (
                ((), "skip_verify"),
                (("-secure",), "skip_verify"),
                (("-tls_client_cacert", other.path("other")),
                 "unable to get local issuer certificate"),
                (("-tls_client_cacert", ca.path("ca")),
                 "Authorization Violation"),
                (("-tls_client_cacert", ca.path("ca"), "-auth", "wrong"),
                 "Authorization Violation"),
                (("-tls_client_cert", ca.path("server")), "without its key"),
                (("-tls_client_cacert", "missing.pem"), "missing.pem"),
                (("-nkey_seed_file", "missing"), "No such file"),
                (("-credentials", "missing"), "No such file")):
            line = self.refusal(*flags)
            self.assertIn("[FTL] STREAM: Failed to start: ", line)
            self.assertIn(words, line)

    def test_nobody_there(self):
        self.start_pair("")
        self.pair.guarded.kill()
        self.assertIn("Connection refused", self.refusal())

    def test_urls_that_are_none(self):
        self.start_pair("")
        for url, words in (
                ("localhost:4222", "malformed url: localhost:4222"),
                ("nats://localhost", "missing port in address"),
                ("nats://a:se'cret,b@c:1:1", "malformed url: nats://[REDACTED]"
                 "@c:1:1")):
            line = self.refusal("-ns", url)
            self.assertIn(words, line)
            self.assertNotIn("se'cret", line)


class SeveralUsers(GuardedCase):
    """C39: of several users of the embedded server one must be chosen."""

    def setUp(self):
        super().setUp()
        self.nats = self.write("nats.conf", """authorization { users: [
            { user: a, password: "se'cret" }, { user: b, password: x } ] }""")

    def test_none_chosen(self):
        server = self.new_server("-c", self.nats).launch()
        self.assertEqual(server.wait(), 1)
        self.assertIn("Authorization Violation", server.log())

    def test_chosen_by_flags(self):
        server = self.start_server("-c", self.nats, "-user", "a", "-pass",
                                   "se'cret")
        self.assertNotIn("se'cret", server.log())

    def test_chosen_by_the_streaming_section(self):
        path = self.write("s.conf", """streaming { username: a, """
                          """password: "se'cret" }""")
        self.start_server("-c", self.nats, "-sc", path)


class TlsUnderLoad(GuardedCase):
    def test_what_was_acked_is_there_after_kills_and_stops(self):
        ca = Authority(self.directory)
        ca.sign("server")
        self.start_pair('tls { cert_file: "%s", key_file: "%s" }'
                        % (ca.path("server"), ca.key_path("server")))
        port = free_port()
        self.attach("-tls_client_cacert", ca.path("ca"), "-m", str(port),
                    store="file")
        client = self.client()
        sent = 0
        for round_ in range(4):
            for _ in range(1000):
                client.publish_async("foo", b"n%d" % sent, f"n{sent}")
                sent += 1
            if round_ % 2 == 0:
                self.pair.guarded.kill()
                self.pair.guarded.start()
            else:
                self.pair.guarded.send(signal.SIGSTOP)
                with urllib.request.urlopen(  # the engine answers
                        f"http://127.0.0.1:{port}/streaming/channelsz",
                        timeout=PATIENCE) as answer:
                    self.assertEqual(answer.status, 200)
                self.pair.guarded.send(signal.SIGCONT)
            self.wait_heard()
        client.publish("foo", b"last")
        messages = client.subscribe("foo", start=FIRST).wait_for(
            lambda messages: messages and messages[-1].data == b"last",
            "the last message")
        there = {message.data.decode() for message in messages}
        acked = {guid for guid in client.acked() if guid.startswith("n")}
        self.assertLessEqual(acked, there)
        self.assertGreater(len(acked), 0)


if __name__ == "__main__":
    unittest.main()
