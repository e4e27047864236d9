"""A backend on 127.0.0.1:$PORT. It responds with the user of the access token."""
import json
import os
import socketserver
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from access_token_joserfc import verify
from bearer import RequireToken


def app(environ, start_response):
    claims = environ["cloakroom.claims"]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"sub": claims["sub"], "sid": claims["sid"]}).encode()]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


port = int(os.environ.get("PORT", 3000))
make_server("127.0.0.1", port, RequireToken(app, verify), Server, WSGIRequestHandler).serve_forever()
