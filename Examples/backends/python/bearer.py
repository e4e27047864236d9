"""WSGI middleware for any framework: `app = RequireToken(app, verify)`."""
import json
import re


class Refused(Exception):
    """The token is not acceptable. `code` is what the response says: token_invalid or token_expired."""

    def __init__(self, code="token_invalid"):
        super().__init__(code)
        self.code = code


class Unavailable(Exception):
    """No key set has been fetched yet, so no token can be checked."""


class RequireToken:
    """Passes on requests with a valid access token. The claims are in environ["cloakroom.claims"]."""

    def __init__(self, app, verify):
        self.app = app
        self.verify = verify

    def __call__(self, environ, start_response):
        header = environ.get("HTTP_AUTHORIZATION")
        if header is None:
            return respond(start_response, "401 Unauthorized", "session_missing", ("WWW-Authenticate", "Bearer"))
        try:
            # A server joins two Authorization headers with a comma: that is no token.
            match = re.fullmatch(r"bearer +([\w-]+\.[\w-]+\.[\w-]+)", header, re.ASCII | re.IGNORECASE)
            if not match:
                raise Refused
            environ["cloakroom.claims"] = self.verify(match[1])
        except Refused as refused:
            challenge = ("WWW-Authenticate", 'Bearer error="invalid_token"')
            return respond(start_response, "401 Unauthorized", refused.code, challenge)
        except Unavailable:
            return respond(start_response, "503 Service Unavailable", "unavailable", ("Retry-After", "1"))
        return self.app(environ, start_response)


def respond(start_response, status, code, header):
    number, title = status.split(" ", 1)
    start_response(status, [("Content-Type", "application/problem+json"), header])
    return [json.dumps({"type": "about:blank", "title": title, "status": int(number), "code": code}).encode()]
