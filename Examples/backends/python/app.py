"""A backend on 127.0.0.1:$PORT. It responds with the user of the access token. pip install ./kits/python"""
import json
import os
import socketserver
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from cloakroom_resource_server import RefusedRequest, ResourceServer, RevocationSource

ISSUER = "https://app.example.com"  # your publicURL
JWKS = "http://127.0.0.1:8080/.well-known/jwks.json"
PRIVATE_LISTENER = "http://127.0.0.1:8081"  # or unix:/run/cloakroom/private.sock

# One for the process, made when the app is loaded: it fetches the key set and follows the stream of revocations.
server = ResourceServer(ISSUER, jwks=JWKS, revocations=RevocationSource(PRIVATE_LISTENER, os.environ["SERVICE_KEY"]))


def app(environ, start_response):
    if environ["PATH_INFO"] == "/readyz":
        start_response("200 OK" if server.is_ready else "503 Service Unavailable", [])
        return []
    try:
        claims = server.authorize(environ.get("HTTP_AUTHORIZATION"))
    except RefusedRequest as refused:
        start_response(f"{refused.status} {refused.title}", list(refused.headers.items()))
        return [refused.body]
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps({"sub": claims["sub"], "sid": claims["sid"]}).encode()]


class Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


if __name__ == "__main__":
    make_server("127.0.0.1", int(os.environ.get("PORT", 3000)), app, Server, WSGIRequestHandler).serve_forever()
