"""Administration over HTTP and NATS with consumers at work."""
import base64
import json
import os
import signal
import stat
import unittest

from support.admin import BASE, DOCUMENT, TOKEN, Admin, AdminError
from support.case import StreamdCase, every_store
from support.processes import free_port
from support.stan import FIRST, StanError
from support.waiting import wait_until


class AdminCase(StreamdCase):
    own_setup = True

    def setUp(self):
        super().setUp()
        self.port = free_port()
        self.server = self.new_server("-m", str(self.port),
                                      nats=self.shared_nats())
        self.token_file = os.path.join(self.server.directory, "token")
        self.write_token(TOKEN + "\n")
        self.server.flags += ["-admin_token_file", self.token_file]
        self.server.start()
        self.admin = Admin(self.port)
        self.me = self.client("me")

    def write_token(self, text, mode=0o600):
        with open(self.token_file, "w", encoding="ascii") as file:
            file.write(text)
        os.chmod(self.token_file, mode)

    def numbers(self, channel="foo", **query):
        listed = self.admin.call("GET", "channels", channel, "messages",
                                 **query)
        return [message["sequence"] for message in listed["messages"]]

    def only(self, channel="foo"):
        subscription, = self.admin.call("GET", "channels", channel,
                                        "subscriptions")["subscriptions"]
        return subscription

    def assertFails(self, status, text, *arguments, **options):
        with self.assertRaises(AdminError) as caught:
            self.admin.call(*arguments, **options)
        self.assertEqual(caught.exception.status, status, caught.exception)
        self.assertIn(text, caught.exception.text)


@every_store
class Administration(AdminCase):
    def test_all_that_is_described_is_there(self):
        call = self.admin.call
        self.assertEqual(self.admin.raw("GET", BASE + "/openapi.json")[0], 200)
        self.admin.exercised.add("getDescription")
        published = call("POST", "channels", "foo", "messages",
                         body={"text": "one"})
        self.assertEqual(published["sequence"], 1)
        call("POST", "channels", "foo", "messages",
             body={"data": base64.b64encode(b"\0two").decode()})
        listed = call("GET", "channels", "foo", "messages", limit=1)
        self.assertEqual(listed["next_seq"], 2)
        message = call("GET", "channels", "foo", "messages", 2)["message"]
        self.assertEqual(base64.b64decode(message["data"]), b"\0two")
        self.assertNotIn("truncated", message)
        self.me.subscribe("foo", durable="d", start=FIRST, manual=True).wait(2)
        one = self.only()
        self.assertEqual((one["durable_name"], one["pending_count"]), ("d", 2))
        pending = ("channels", "foo", "subscriptions", one["id"], "pending")
        listed = call("GET", *pending, limit=1)
        self.assertEqual((listed["pending"][0]["sequence"],
                          listed["next_seq"]), (1, 2))
        call("POST", *pending, 1, "release")
        call("POST", *pending, 2, "drop")
        moved = call("POST", "channels", "foo", "subscriptions", one["id"],
                     "position", body={"sequence": 1})
        self.assertEqual((moved["next_seq"], moved["last_sent"]), (1, 0))
        deleted = call("DELETE", "channels", "foo", "subscriptions",
                       one["id"], force=1)
        self.assertFalse(deleted["was_offline"])
        self.me.subscribe("foo", durable="d", group="g", manual=True)
        call("POST", "channels", "foo", "queue_groups", "d:g", "position",
             body={"time": "2020-01-01T00:00:00Z"})
        call("DELETE", "channels", "foo", "queue_groups", "d:g", force=1)
        call("POST", "channels", "foo", "purge")
        call("DELETE", "channels", "foo")
        call("DELETE", "clients", "me")
        described = {item[method]["operationId"]
                     for item in DOCUMENT["paths"].values()
                     for method in ("get", "post", "delete") if method in item}
        self.assertEqual(self.admin.exercised, described)

    def test_the_document_is_the_one_of_the_sources(self):
        status, headers, data = self.admin.raw("GET", BASE + "/openapi.json")
        self.assertEqual((status, headers["Content-Type"]),
                         (200, "application/json"))
        self.assertEqual(json.loads(data), DOCUMENT)

    def test_a_consumer_goes_on_behind_a_purge(self):
        subscription = self.me.subscribe("foo", durable="d")
        self.me.publish_numbers("foo", 1, 1000)
        subscription.wait(1000)
        purged = self.admin.call("POST", "channels", "foo", "purge")
        self.assertEqual([purged[key] for key in
                          ("purged_msgs", "first_seq", "last_seq")],
                         [1000, 1, 1000])
        self.assertEqual(self.numbers(), [])
        self.me.publish_numbers("foo", 1001, 1010)
        subscription.wait(1010)
        self.assertEqual(self.numbers(), list(range(1001, 1011)))

    def test_a_durable_is_moved_online_and_offline(self):
        subscription = self.me.subscribe("foo", durable="d")
        self.me.publish_numbers("foo", 1, 10)
        subscription.wait(10)
        position = ("channels", "foo", "subscriptions", self.only()["id"],
                    "position")
        self.admin.call("POST", *position, body={"sequence": 8})
        subscription.wait(13)
        self.assertEqual(subscription.sequences()[10:], [8, 9, 10])
        self.me.close_subscription(subscription)
        self.admin.call("POST", *position, body={"sequence": 3})
        again = self.me.subscribe("foo", durable="d")
        again.wait(8)
        self.assertEqual(again.sequences(), list(range(3, 11)))
        third = self.admin.call("GET", "channels", "foo", "messages", 3)
        moved = self.admin.call("POST", *position, body={
            "time": third["message"]["timestamp"]})
        self.assertEqual(moved["next_seq"], 3)
        again.wait(16)
        self.assertFails(400, "1 to 11", "POST", *position,
                         body={"sequence": 12})

    def test_pending_messages_are_released_and_dropped(self):
        subscription = self.me.subscribe("foo", manual=True, max_in_flight=3)
        self.me.publish_numbers("foo", 1, 5)
        subscription.wait(3)
        pending = ("channels", "foo", "subscriptions", self.only()["id"],
                   "pending")
        released = self.admin.call("POST", *pending, 2, "release")
        self.assertEqual(released["delivery_count"], 1)
        subscription.wait_redelivery(2)
        shown = self.admin.call("GET", *pending, start=2)["pending"][0]
        self.assertEqual((shown["sequence"], shown["delivery_count"]), (2, 2))
        dropped = self.admin.call("POST", *pending, 1, "drop")
        self.assertEqual(dropped["pending_count"], 2)
        subscription.wait_sequence(4)
        self.assertFails(404, "not pending", "POST", *pending, 1, "drop")

    def test_a_closed_client_learns_it(self):
        self.me.subscribe("foo")
        self.me.subscribe("foo", durable="d")
        closed = self.admin.call("DELETE", "clients", "me")
        self.assertEqual(closed, {"client_id": "me", "ended_subscriptions": 1,
                                  "offline_durables": 1})
        self.assertNotEqual(self.me.ping(), "")
        with self.assertRaises(StanError):
            self.me.publish("foo", b"x")
        self.assertTrue(self.only()["is_offline"])
        self.client("me")

    def test_channels_with_subscriptions_are_deleted_by_force(self):
        subscription = self.me.subscribe("foo", manual=True)
        self.me.publish_numbers("foo", 1, 3)
        self.assertFails(409, "1 subscriptions", "DELETE", "channels", "foo")
        deleted = self.admin.call("DELETE", "channels", "foo", force=1)
        self.assertEqual([deleted[key] for key in
                          ("deleted_msgs", "last_seq", "ended_subscriptions")],
                         [3, 3, 1])
        self.me.publish("foo", b"new")
        self.assertEqual(self.numbers(), [1])
        subscription.wait(3)
        self.assertRefused("stan: invalid subscription", self.me.unsubscribe,
                           subscription)

    def test_large_messages_are_cut_in_lists_only(self):
        self.me.publish("foo", b"x" * 70000, *[b"y" * 60000] * 20)
        listed = self.admin.call("GET", "channels", "foo", "messages")
        first = listed["messages"][0]
        self.assertEqual((first["size"], first["truncated"]), (70000, True))
        self.assertEqual(len(base64.b64decode(first["data"])), 65536)
        self.assertLess(len(listed["messages"]), 12)
        self.assertEqual(listed["next_seq"], len(listed["messages"]) + 1)
        whole = self.admin.call("GET", "channels", "foo", "messages", 1)
        self.assertEqual(base64.b64decode(whole["message"]["data"]),
                         b"x" * 70000)

    def test_every_request_is_in_the_log(self):
        self.me.publish("foo", b"secret payload")
        self.admin.call("POST", "channels", "foo", "purge")
        self.server.wait_log('purge channel="foo": 1 messages')
        self.assertRegex(self.server.log(),
                         r'Admin "127\.0\.0\.1:\d+": purge channel="foo"')
        self.assertFails(400, "limit", "GET", "channels", "foo", "messages",
                         limit=1001)
        self.server.wait_log('messages?limit=1001": refused: 400')
        self.assertNotIn(TOKEN, self.server.log())
        self.assertNotIn("secret payload", self.server.log())


class Hostile(AdminCase):
    def send(self, method, path, body=None):
        status, _, data = self.admin.raw(
            method, BASE + path, body, {"Authorization": "Bearer " + TOKEN})
        return status, json.loads(data)["error"] if data else ""

    def test_bad_requests_are_refused(self):
        self.me.publish("foo", b"one")
        messages = "/channels/foo/messages"
        cases = [
            ("POST", messages, "{", 400, "no JSON"),
            ("POST", messages, "[]", 400, "no JSON object"),
            ("POST", messages, "", 400, "exactly one"),
            ("POST", messages, '{"text":"a","data":""}', 400, "exactly one"),
            ("POST", messages, '{"text":1}', 400, "text: not a text"),
            ("POST", messages, '{"text":"a","text":"b"}', 400, "duplicate"),
            ("POST", messages, '{"data":"AAA"}', 400, "not base64"),
            ("POST", messages, '{"data":"A==="}', 400, "not base64"),
            ("POST", messages, '{"data":"A A="}', 400, "not base64"),
            ("POST", messages, b'{"text":"\xff"}', 400, "no JSON"),
            ("POST", messages, '{"text":"a","x":1}', 400, 'unknown: "x"'),
            ("POST", messages, '{"text":"a","channel":"b"}', 400, "twice"),
            ("POST", messages, "[" * 100000, 400, "no JSON"),
            ("POST", "/channels/a.*/messages", '{"text":"a"}', 400, "invalid"),
            ("POST", "/channels/%3E/messages", '{"text":"a"}', 400, "invalid"),
            ("POST", "/channels/a..b/messages", '{"text":"a"}', 400,
             "invalid"),
            ("GET", "/channels/%01%ff/messages", None, 404, "not found"),
            ("GET", "/channels/" + "x" * 5000 + "/messages", None, 400,
             "too long"),
            ("GET", messages + "/0", None, 400, "sequence"),
            ("GET", messages + "/-1", None, 400, "sequence"),
            ("GET", messages + "/1.5", None, 400, "sequence"),
            ("GET", messages + "/9223372036854775808", None, 400, "sequence"),
            ("GET", messages + "/99999999999999999999", None, 400, "sequence"),
            ("GET", messages + "/9223372036854775807", None, 404, "stored"),
            ("GET", messages + "?limit=0", None, 400, "limit"),
            ("GET", messages + "?limit=1001", None, 400, "limit"),
            ("GET", messages + "?start=x", None, 400, "start"),
            ("GET", messages + "?time=yesterday", None, 400, "time"),
            ("GET", messages + "?time=2026-02-30T00:00:00Z", None, 400,
             "time"),
            ("GET", messages + "?start=1&time=2026-02-03T00:00:00Z", None,
             400, "at most one"),
            ("DELETE", "/channels/foo?force=yes", None, 400, "force"),
            ("DELETE", "/clients/nobody", None, 404, "not found"),
            ("GET", "/channels/foo/subscriptions/1/pending", None, 404,
             "not found"),
            ("PUT", "/channels/foo", None, 405, "not allowed"),
            ("GET", "/channels", None, 404, "no such path"),
            ("GET", "/nothing", None, 404, "no such path"),
        ]
        for method, path, body, status, text in cases:
            with self.subTest(method=method, path=path[:60], body=body):
                got = self.send(method, path, body)
                self.assertEqual(got[0], status, got)
                self.assertIn(text, got[1])
        self.assertEqual(self.numbers(), [1])

    def test_huge_bodies_are_refused(self):
        """What the NATS server could not deliver would block the channel."""
        subscription = self.me.subscribe("foo")
        for size, status in ((1048000, 200), (1 << 20, 413), (3 << 20, 413)):
            text = json.dumps({"data": base64.b64encode(b"x" * size).decode()})
            with self.subTest(size=size):
                try:
                    got = self.admin.raw(
                        "POST", BASE + "/channels/foo/messages", text,
                        {"Authorization": "Bearer " + TOKEN})[0]
                except (BrokenPipeError, ConnectionResetError):
                    got = 413  # it was closed while we sent
                self.assertEqual(got, status)
        self.assertEqual(len(subscription.wait(1)[0].data), 1048000)

    def test_names_are_escaped(self):
        name = 'a b%?#"ü'
        self.admin.call("POST", "channels", name, "messages",
                        body={"text": "x"})
        self.assertEqual(self.numbers(name), [1])
        self.admin.call("DELETE", "channels", name)


class Token(AdminCase):
    def status(self, authorization):
        headers = {} if authorization is None else {
            "Authorization": authorization}
        status, headers, _ = self.admin.raw(
            "GET", BASE + "/channels/foo/messages", None, headers)
        if status == 401:
            self.assertEqual(headers["WWW-Authenticate"], "Bearer")
        return status

    def test_only_the_token_opens(self):
        self.me.publish("foo", b"x")
        for good in ("Bearer ", "bearer ", "BEARER   "):
            self.assertEqual(self.status(good + TOKEN), 200, good)
        self.assertEqual(self.status("Bearer " + TOKEN + "  "), 200)
        for bad in (None, "", "Bearer", "Bearer ", TOKEN, "Basic " + TOKEN,
                    "Bearer" + TOKEN, "Bearer " + TOKEN[:-1],
                    "Bearer " + TOKEN + "x"):
            self.assertEqual(self.status(bad), 401, bad)
        self.assertNotIn(TOKEN[:-1], self.server.log())

    def test_wrong_tokens_slow_their_sender_down(self):
        self.me.publish("foo", b"x")
        wait_until(lambda: self.status("Bearer wrong") == 429, "limited")
        self.assertEqual(self.server.log().count("wrong token"), 10)
        wait_until(lambda: self.status("Bearer " + TOKEN) == 200, "open again")

    def test_hangup_reads_the_token_again(self):
        self.me.publish("foo", b"x")
        other = "another-token-of-the-tests"
        self.write_token(other, mode=0o644)
        self.server.send(signal.SIGHUP)
        self.server.wait_log("the admin token was read again")
        self.server.wait_log("can be read by everybody")
        self.assertEqual(self.status("Bearer " + other), 200)
        self.assertEqual(self.status("Bearer " + TOKEN), 401)
        self.write_token("short")
        self.server.send(signal.SIGHUP)
        self.server.wait_log("the old admin token stays")
        self.assertEqual(self.status("Bearer " + other), 200)

    def test_no_start_without_a_good_token(self):
        for text in ("", "too short", "with white space in it", "x" * 1025):
            self.write_token(text)
            server = self.new_server("-admin_token_file", self.token_file,
                                     nats=self.shared_nats()).launch()
            self.assertEqual(server.wait(), 1)
            self.assertIn("not a token of 16 to 1024", server.log())

    def test_it_is_off_without_a_token_file(self):
        port = free_port()
        server = self.start_server("-m", str(port), nats=self.shared_nats())
        plain = Admin(port)
        for path in ("/openapi.json", "/channels/foo/messages"):
            self.assertEqual(plain.raw("GET", BASE + path)[0], 404)
        self.assertFalse(self.connection().is_heard(
            f"_STAN.admin.{server.cluster}.purge"))


class OverSocket(StreamdCase):
    own_setup = True

    def test_the_user_of_the_process_needs_no_token(self):
        port = free_port()
        server = self.new_server("-m", str(port), nats=self.shared_nats())
        path = os.path.join(server.directory, "admin.sock")
        server.flags += ["-admin_socket", path]
        server.start()
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        admin = Admin(path)
        call = admin.call
        self.assertEqual(call("POST", "channels", "foo", "messages",
                              body={"text": "one"})["sequence"], 1)
        self.assertEqual(call("POST", "channels", "foo",
                              "purge")["purged_msgs"], 1)
        with self.assertRaises(AdminError):
            call("POST", "channels", "none", "purge")
        server.wait_log(f'Admin "user {os.getuid()}, process {os.getpid()}": purge ')
        self.assertEqual(admin.raw("GET", "/streaming/serverz")[0], 200)
        self.assertEqual(Admin(port).raw(
            "POST", BASE + "/channels/foo/purge")[0], 404)
        self.assertFalse(self.connection(server).is_heard(
            f"_STAN.admin.{server.cluster}.purge"))
        server.restart()  # by kill -9: the socket is left behind
        self.assertEqual(admin.raw("GET", "/readyz")[0], 200)
        server.send(signal.SIGTERM)
        self.assertEqual(server.wait(), 143)
        self.assertFalse(os.path.exists(path))

    def test_a_path_that_is_taken_is_fatal(self):
        server = self.new_server(nats=self.shared_nats())
        path = os.path.join(server.directory, "taken")
        with open(path, "w", encoding="ascii") as file:
            file.write("mine")
        server.flags += ["-admin_socket", path]
        server.launch()
        self.assertEqual(server.wait(), 1)
        self.assertIn("Address already in use", server.log())
        with open(path, encoding="ascii") as file:
            self.assertEqual(file.read(), "mine")


class OverNats(AdminCase):
    store = "file"

    def ask(self, verb, token=TOKEN, **members):
        if token is not None:
            members["token"] = token
        return self.raw(verb, json.dumps(members).encode())

    def raw(self, verb, data):
        """Asked again once the server looks at tokens again."""
        subject = f"_STAN.admin.{self.server.cluster}.{verb}"

        def ask():
            answer = json.loads(self.me.nats.request(subject, data).data)
            if answer.get("error") != "too many wrong tokens":
                return answer
        return wait_until(ask, "a token looked at")

    def test_every_verb(self):
        ask = self.ask
        published = ask("publish", channel="foo", text="one")
        self.assertEqual((published["ok"], published["sequence"]), (True, 1))
        ask("publish", channel="foo", data="AAEC")
        self.assertEqual(
            [m["sequence"] for m in ask("messages", channel="foo")["messages"]],
            [1, 2])
        self.assertEqual(
            ask("message", channel="foo", sequence=2)["message"]["data"],
            "AAEC")
        subscription = self.me.subscribe("foo", durable="d", start=FIRST,
                                         manual=True)
        subscription.wait(2)
        one, = ask("subscriptions", channel="foo")["subscriptions"]
        named = {"channel": "foo", "id": one["id"]}
        self.assertEqual(ask("pending", **named)["pending_count"], 2)
        self.assertTrue(ask("release", sequence=2, **named)["ok"])
        subscription.wait_redelivery(2)
        self.assertEqual(ask("drop", sequence=2, **named)["pending_count"], 1)
        self.assertEqual(ask("move", sequence=2, **named)["next_seq"], 2)
        self.assertIn("online", ask("delete_subscription", **named)["error"])
        self.assertTrue(ask("delete_subscription", force=True, **named)["ok"])
        self.me.subscribe("foo", group="g")
        self.assertEqual(ask("move", channel="foo", queue_group="g",
                             time="2020-01-01T00:00:00+01:00")["next_seq"], 1)
        self.assertEqual(ask("delete_queue_group", channel="foo",
                             queue_group="g", force=True)["members"], 1)
        self.assertEqual(ask("purge", channel="foo")["purged_msgs"], 2)
        self.assertTrue(ask("delete_channel", channel="foo")["ok"])
        self.assertTrue(ask("close_client", client_id="me")["ok"])

    def test_refusals(self):
        self.me.publish("foo", b"x" * 900000)
        for token in (None, "", "wrong", TOKEN[:-1], 5, {"a": 1}):
            answer = self.ask("purge", token, channel="foo")
            self.assertEqual(answer["error"], "no token, or a wrong one")
        for data in (b"", b"{", b"[]", b"\xff", b"[" * 100000,
                     b'{"x":' + b'{"token":' * 50000,
                     b'{"x":{"token":"' + TOKEN.encode() + b'"}}'):
            self.assertEqual(self.raw("purge", data)["error"],
                             "no token, or a wrong one")
        begun = b'{"token":"' + TOKEN.encode() + b'"'
        for data in (begun, begun + b',"x":' + b"[" * 100000,
                     begun + b',"token":"x"}'):
            self.assertIn("no JSON", self.raw("purge", data)["error"])
        self.assertIn("unknown verb", self.ask("explode")["error"])
        self.assertIn("missing: channel", self.ask("purge")["error"])
        self.server.wait_log("refused: missing: channel")
        self.assertIn("too large for a NATS message", self.ask(
            "message", channel="foo", sequence=1)["error"])
        self.assertEqual(self.numbers(), [1])
        self.assertNotIn(TOKEN, self.server.log())


class KillAfterAnswer(AdminCase):
    """An answer is a promise: kill -9 right behind it keeps it."""
    store = "file"

    def setUp(self):
        super().setUp()
        self.subscription = self.me.subscribe("foo", durable="d", manual=True)
        self.me.publish_numbers("foo", 1, 5)
        self.subscription.wait(5)
        self.id = self.only()["id"]

    def promise(self, *arguments, **options):
        answer = self.admin.call(*arguments, **options)
        self.server.restart()
        return answer

    def test_publish(self):
        self.promise("POST", "channels", "foo", "messages",
                     body={"text": "six"})
        self.assertEqual(self.numbers(), [1, 2, 3, 4, 5, 6])

    def test_purge(self):
        self.promise("POST", "channels", "foo", "purge")
        self.assertEqual(self.numbers(), [])
        self.me.publish("foo", b"six")
        self.assertEqual(self.numbers(), [6])

    def test_delete_channel(self):
        self.promise("DELETE", "channels", "foo", force=1)
        self.assertFails(404, "not found", "GET", "channels", "foo",
                         "messages")

    def test_delete_subscription(self):
        self.promise("DELETE", "channels", "foo", "subscriptions", self.id,
                     force=1)
        listed = self.admin.call("GET", "channels", "foo", "subscriptions")
        self.assertEqual(listed["subscriptions"], [])

    def test_move_and_drop(self):
        where = ("channels", "foo", "subscriptions", self.id)
        self.me.close_subscription(self.subscription)
        self.promise("POST", *where, "pending", 2, "drop")
        again = self.me.subscribe("foo", durable="d", manual=True)
        again.wait(4)
        self.assertEqual(again.sequences(), [1, 3, 4, 5])
        self.me.close_subscription(again)
        self.promise("POST", *where, "position", body={"sequence": 4})
        again = self.me.subscribe("foo", durable="d", manual=True)
        again.wait(2)
        self.assertEqual(again.sequences(), [4, 5])

    def test_close_client(self):
        self.promise("DELETE", "clients", "me")
        self.assertTrue(self.only()["is_offline"])
        self.client("me")


if __name__ == "__main__":
    unittest.main()
