"""An app with the kit, for test_kits.py. OPTIONS has the arguments of ResourceServer as JSON."""
import json
import os
import socketserver
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cloakroom_resource_server import RefusedRequest, ResourceServer, RevocationSource

options = json.loads(os.environ["OPTIONS"])
if "revocations" in options:
    options["revocations"] = RevocationSource(**options["revocations"])
server = ResourceServer(**options)


def app(environ, start_response):
    status, headers, body = answer(environ)
    start_response(status, [("Process", str(os.getpid())), *headers.items()])
    return [body]


def answer(environ):
    if environ["PATH_INFO"] == "/state":
        state = {"ready": server.is_ready, "count": server.revocation_count}
        return "200 OK", {}, json.dumps(state).encode()
    try:
        claims = server.authorize(environ.get("HTTP_AUTHORIZATION"))
    except RefusedRequest as refused:
        assert refused.headers.get("WWW-Authenticate") == refused.www_authenticate
        return f"{refused.status} {refused.title}", refused.headers, refused.body
    return "200 OK", {}, json.dumps(claims).encode()


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ["PORT"]), app, Server, WSGIRequestHandler).serve_forever()
