"""HTTP as scrapers speak it: one request, all of the answer."""
import http.client

from support.waiting import PATIENCE


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()


def get(port, path, method="GET", headers=None, body=None,
        version="HTTP/1.1"):
    """The target goes out as it is given."""
    connection = http.client.HTTPConnection("127.0.0.1", port,
                                            timeout=PATIENCE)
    connection._http_vsn_str = version
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.putheader("Connection", "close")
        connection.endheaders(body)
        return Answer(connection.getresponse())
    finally:
        connection.close()
