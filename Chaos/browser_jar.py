"""The session cookie of a browser, as a history may describe it: by digests, never by its value."""
import base64
import hashlib
import json


def payload(token):
    text = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:12]


class Held:
    """One value of the cookie. Values are shared by jars, requests and thieves, and never changed."""

    __slots__ = ("cookie", "session", "generation", "identity")

    def __init__(self, cookie):
        self.cookie = cookie
        token = cookie.split("~")[1]
        claims = payload(token)
        self.session = claims["sid"]
        self.generation = claims["gen"]
        self.identity = [self.generation, digest(claims["jti"]), digest(token)]

    @property
    def access_token(self):
        return self.cookie.split("~")[0]


class Jar:
    """What all tabs of a browser share. A page that is left (a login, a logout) takes its late answers with it."""

    def __init__(self):
        self.held = None
        self.page = 0

    def leave(self, held=None):
        """A navigation: what earlier requests still bring is not stored any more."""
        self.page += 1
        self.held = held

    def store(self, held, page):
        if page == self.page and self.held and held.session == self.held.session:
            self.held = held
