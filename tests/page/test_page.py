"""The page in a browser. run.js drives Chromium and asks this side, a JSON
line a request, for servers and for clients on them; every scenario it tells of
is a test here."""
import json
import os
import pathlib
import shutil
import subprocess

from support.case import StreamdCase
from support.processes import free_port
from support.stan import FIRST, NEW_ONLY

FOLDER = pathlib.Path(__file__).parent
TOKEN = "page-test-0123456789-abcdefghijklmnop"
CONFIGURATION = """
streaming {
  store_limits {
    channels {
      "few.>" { max_msgs: 10, max_age: "1h" }
    }
  }
}
"""


class World:
    """What a scenario may ask for; each method is a request."""

    def __init__(self, case):
        self.case = case
        self.servers = {}
        self.clients = {}
        self.subscriptions = {}

    def start(self, name, admin=True):
        """A server; where it is. With the same name again after stop()."""
        if name in self.servers:
            server, port = self.servers[name]
            server.start()
            return {"url": f"http://127.0.0.1:{port}"}
        port = free_port()
        server = self.case.new_server(
            "-m", str(port), "-mc", "0", nats=self.case.shared_nats(),
            store="file")
        configuration = pathlib.Path(server.directory, "page.conf")
        configuration.write_text(CONFIGURATION)
        server.flags += ["-sc", str(configuration)]
        if admin:
            token = pathlib.Path(server.directory, "token")
            token.write_text(TOKEN + "\n")
            token.chmod(0o600)
            server.flags += ["-admin_token_file", str(token)]
        server.start()
        self.servers[name] = (server, port)
        return {"url": f"http://127.0.0.1:{port}", "token": TOKEN,
                "cluster": server.cluster}

    def stop(self, name):
        server, _ = self.servers[name]
        server.kill()

    def connect(self, server, client):
        self.clients[client] = self.case.client(client,
                                                self.servers[server][0])

    def close(self, client):
        self.clients.pop(client).close()

    def publish(self, client, channel, texts):
        self.clients[client].publish(channel, *map(str.encode, texts))

    def publish_bytes(self, client, channel, octets):
        self.clients[client].publish(channel, bytes(octets))

    def publish_many(self, client, channels):
        """One message to each, pipelined."""
        me = self.clients[client]
        errors = me.wait_acks([me.publish_async(channel, channel.encode())
                               for channel in channels], timeout=120)
        self.case.assertEqual(errors, [])

    def subscribe(self, client, channel, name, first=True, **options):
        self.subscriptions[name] = self.clients[client].subscribe(
            channel, start=FIRST if first else NEW_ONLY, **options)

    def received(self, name):
        return {"sequences": self.subscriptions[name].sequences()}


class Page(StreamdCase):
    own_setup = True

    def test_page(self):
        self.assertTrue((FOLDER / "node_modules").exists(),
                        f"run npm ci in {FOLDER}")
        browser = shutil.which("chromium")
        self.assertIsNotNone(browser, "there is no chromium")
        self.world = World(self)
        program = subprocess.Popen(
            [os.environ["NODE"], str(FOLDER / "run.js"),
             *filter(None, os.environ.get("SCENARIOS", "").split("\n"))],
            env={**os.environ, "CHROMIUM": browser}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(program.communicate)
        self.addCleanup(program.kill)
        told = 0
        for line in program.stdout:
            said = json.loads(line)
            if "do" in said:
                self.answer(program, said)
            else:
                told += 1
                with self.subTest(said["scenario"]):
                    self.assertIsNone(said["error"], said["error"])
        self.assertEqual(program.wait(30), 0)
        self.assertGreater(told, 0)

    def answer(self, program, said):
        try:
            answer = getattr(self.world, said["do"])(**said["with"]) or {}
        except Exception as error:  # the scenario's to report
            answer = {"error": f"{type(error).__name__}: {error}"}
        program.stdin.write(json.dumps(answer) + "\n")
        program.stdin.flush()
