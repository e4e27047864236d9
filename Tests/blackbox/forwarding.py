"""The check that a proxy sends before it forwards a request, with the headers of each kind of proxy."""
import json

from browser import claims

IDENTITY = {"authorization", "x-auth-subject", "x-auth-session", "x-auth-claims", "set-cookie", "x-auth-set-cookie"}
# Caddy and Traefik, nginx, Envoy.
FORMS = ("forwarded", "original", "appended")
FORGET = {"X-Forwarded-Method": None, "X-Forwarded-Uri": None}


def ask(client, form, method="GET", target="/api/notes", parameters="", headers=None, **options):
    """Method, path and headers of a check by one kind of proxy. `parameters` is a query string."""
    headers = headers or {}
    if form == "appended":
        path = "/auth/check;" + parameters.replace("&", ";") + target
        own = {"Host": f"127.0.0.1:{client.server.port}", "X-Forwarded-Proto": "http"}
        return client.send(method, path, headers=own | headers, private=True, **options)
    named = {} if form == "forwarded" else FORGET | {"X-Original-Method": method, "X-Original-URI": target}
    return client.check(target, method, f"?{parameters}" if parameters else "", named | headers, **options)


def names(answer):
    return {name.lower() for name, _ in answer.headers}


def assert_allowed(answer, status=204):
    assert answer.status == status, answer
    scheme, token = answer.header("authorization").split(" ")
    assert scheme == "Bearer" and claims(token)["sub"] == answer.header("x-auth-subject")
    assert claims(token)["sid"] == answer.header("x-auth-session")
    assert json.loads(answer.header("x-auth-claims")) == {} and answer.body == b""


def assert_refused(answer, status, code):
    assert (answer.status, answer.code) == (status, code), answer
    assert not names(answer) & IDENTITY


def utf8(text):
    """Encodes the target so that http.client sends these bytes."""
    return text.encode().decode("latin-1")
