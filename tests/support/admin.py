"""Administration over HTTP. Every answer is held against the description:
path, method, code and schema must stand in openapi.json."""
import http.client
import json
import pathlib
import re
import socket
from urllib.parse import quote, urlencode

TOKEN = "an-admin-token-of-tests"
BASE = "/streaming/admin/v1"
FILE = pathlib.Path(__file__).parents[2] / "monitor" / "openapi.json"
DOCUMENT = json.loads(FILE.read_text())
TYPES = {"object": dict, "array": list, "string": str, "boolean": bool,
         "null": type(None)}


class AdminError(Exception):
    def __init__(self, status, text):
        super().__init__(f"{status}: {text}")
        self.status = status
        self.text = text


def resolve(node):
    while "$ref" in node:
        found = DOCUMENT
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def is_type(value, name):
    if name == "integer":
        return isinstance(value, int) and not isinstance(value, bool)
    if name == "number":
        return (isinstance(value, (int, float))
                and not isinstance(value, bool))
    return isinstance(value, TYPES[name])


def check(value, schema, where="answer"):
    """Fails unless value is of the schema: the part of it that is used."""
    schema = resolve(schema)
    types = schema.get("type", [])
    types = [types] if isinstance(types, str) else types
    assert not types or any(is_type(value, t) for t in types), \
        f"{where}: {value!r} is no {types}"
    if is_type(value, "number"):
        assert value >= schema.get("minimum", value), f"{where}: {value}"
        assert value <= schema.get("maximum", value), f"{where}: {value}"
    if "enum" in schema:
        assert value in schema["enum"], f"{where}: {value!r}"
    if schema.get("format") == "date-time":
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value)
    if isinstance(value, list):
        for number, item in enumerate(value):
            check(item, schema["items"], f"{where}[{number}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        missing = set(schema.get("required", ())) - value.keys()
        assert not missing, f"{where}: {missing} missing"
        if schema.get("additionalProperties") is False:
            unknown = value.keys() - properties.keys()
            assert not unknown, f"{where}: {unknown} not described"
        for key in value.keys() & properties.keys():
            check(value[key], properties[key], f"{where}.{key}")


def operation(method, path):
    """What the description says of a path (below BASE), and its id."""
    for template, item in DOCUMENT["paths"].items():
        pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(template))
        if re.fullmatch(pattern, path) and method.lower() in item:
            return item[method.lower()]
    raise AssertionError(f"not described: {method} {path}")


class SocketConnection(http.client.HTTPConnection):
    """Over a Unix socket."""

    def __init__(self, path, timeout):
        super().__init__("localhost", timeout=timeout)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Admin:
    """At a port with the token, or at the path of a socket without one."""

    def __init__(self, where, token=TOKEN):
        self.where = where
        self.headers = {}
        if isinstance(where, int):
            self.headers["Authorization"] = "Bearer " + token
        self.exercised = set()

    def connection(self):
        if isinstance(self.where, int):
            return http.client.HTTPConnection("127.0.0.1", self.where,
                                              timeout=30)
        return SocketConnection(self.where, timeout=30)

    def raw(self, method, path, body=None, headers=None):
        """Status, headers and body of any request at all."""
        connection = self.connection()
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def call(self, method, *parts, body=None, **query):
        """The answer, as described; AdminError if it is an error. Parts of
        the path are escaped here."""
        path = "".join("/" + quote(str(part), safe="") for part in parts)
        described = operation(method, path)
        if body is not None:
            media = described["requestBody"]["content"]["application/json"]
            check(body, media["schema"], "body")
        target = BASE + path + ("?" + urlencode(query) if query else "")
        status, headers, data = self.raw(
            method, target, None if body is None else json.dumps(body),
            self.headers)
        assert headers["Content-Type"] == "application/json", headers
        answer = json.loads(data)
        response = resolve(described["responses"][str(status)])
        check(answer, response["content"]["application/json"]["schema"])
        if status != 200:
            raise AdminError(status, answer["error"])
        self.exercised.add(described["operationId"])
        return answer
