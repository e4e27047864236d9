"""An honest user: one or more browsers, each with one cookie jar and several tabs, that lose answers and get some late."""
import asyncio
import dataclasses
import json

from browser_jar import Jar

LOST, DISCARDED, LATE = 0.01, 0.03, 0.06
FINAL = ("session_revoked", "session_expired", "refresh_token_reused", "unauthenticated", "token_invalid", "session_missing")


@dataclasses.dataclass
class User:
    """`passwords`: the numbers of those that may be in force; two after a change whose answer was lost. Empty: the app logs in."""
    subject: str | None
    email: str | None = None
    passwords: list = dataclasses.field(default_factory=list)
    next_password: int = 1
    is_changing: bool = False
    browsers: list = dataclasses.field(default_factory=list)

    @property
    def has_password(self):
        return self.email is not None


def password(number):
    return f"correct horse battery {number}"


class Browser:
    role = "honest"

    def __init__(self, site, user, name):
        self.site, self.user, self.name = site, user, name
        self.jar = Jar()
        self.random = site.random
        user.browsers.append(self)
        self.is_busy = False
        self.is_robbed = False

    async def send(self, op, make, **options):
        """Sends a request with the jar's cookie and stores what comes back, at once, late or never."""
        page = None

        def read_jar(held):
            nonlocal page
            page = self.jar.page
            return make(held)

        luck = self.random.random()
        cut = self.random.uniform(0, 0.02) if luck < LOST else None
        result = await self.site.perform(op, self, read_jar, jar=self.jar, cut=cut, **options)
        if result.given and not LOST <= luck < LOST + DISCARDED:
            if luck > 1 - LATE:
                self._store_late(result.given, page)
            else:
                self.jar.store(result.given, page)
        return result

    def _store_late(self, given, page):
        answered = self.site.now()

        def store():
            # On a busy machine this may be later than it should, and then the answer is lost.
            if self.site.now() < answered + 0.5 * self.site.window:
                self.jar.store(given, page)

        self.site.deliver_late(self.random.uniform(0, 0.4 * self.site.window), store)

    async def use(self, op, make, **options):
        """As an app does it: waits and tries again at 503, and goes to the login page when the session has ended."""
        for _ in range(4):
            if self.site.is_stopping:
                return None
            held = self.jar.held
            result = await self.send(op, make, **options)
            if result.code in FINAL:
                # A 401 for an older cookie says nothing about the one that another tab has got since.
                if self.jar.held is held:
                    self.jar.leave()
                return result
            if result.code != "unavailable":
                return result
            await self.site.sleep(min(result.retry_after, 3) * self.random.uniform(0.5, 1))
        return None

    # What tabs do.

    async def renew(self):
        return await self.use("renew", self.site.requests.renew)

    async def look(self):
        return await self.use("session", self.site.requests.session)

    async def list(self):
        return await self.use("listed", self.site.requests.listed)

    async def check(self):
        return await self.use("check", self.site.requests.check, private=True)

    async def bearer(self):
        """A backend checks the access token by itself: its end is no news for the browser."""
        if self.jar.held:
            await self.send("bearer", self.site.requests.bearer, private=True)

    async def renew_in_all_tabs(self):
        await asyncio.gather(*(self.renew() for _ in range(self.random.randint(3, 8))))

    async def come_back(self):
        """The computer wakes up: every tab asks at once, each for something else."""
        await asyncio.gather(self.renew(), self.check(), self.look(), self.renew(), self.check())

    async def log_in(self):
        """By the app or by password. A live session that is still in the jar ends with it."""
        if self.is_busy:
            return
        self.is_busy = True
        try:
            result, old = await (self._log_in_by_password() if self.user.has_password else self._begin())
            if result.is_acknowledged and result.given:
                self.jar.leave(result.given)
                if old:
                    self.site.watch(old)
            await self.site.sleep(min(result.retry_after, 3))
        finally:
            self.is_busy = False

    async def _begin(self):
        """The result, and the session that was in the jar when the request was sent."""
        old = None

        def make(_):
            nonlocal old
            old = self.jar.held
            return self.site.requests.begin(self.user.subject, old)

        result = await self.site.perform(
            "begin", self, make, private=True, subject=self.user.subject, ends=lambda _: ending(old))
        return result, old

    async def _log_in_by_password(self):
        old = None

        def make(_):
            nonlocal old
            old = self.jar.held
            return self.site.requests.browser(
                "POST", "/auth/login", old, {"email": self.user.email, "password": password(number)})

        for number in list(self.user.passwords):
            result = await self.site.perform(
                "login", self, make, subject=self.user.subject, password=number, ends=lambda _: ending(old))
            if result.code != "invalid_credentials":
                break
        if result.is_acknowledged:
            self.user.passwords = [number]
        return result, old

    async def sign_up(self):
        body = {"email": self.user.email, "password": password(0)}
        result = await self.site.perform(
            "signup", self, lambda _: self.site.requests.browser("POST", "/auth/signup", None, body))
        if result.is_acknowledged:
            self.user.subject = json.loads(result.body)["user"]["id"]
            self.user.passwords = [0]
            self.jar.leave(result.given)
        return result.is_acknowledged

    async def log_out(self):
        """Repeated until it is acknowledged. The jar is empty from the first click on."""
        held = self.jar.held
        if held is None:
            return
        self.jar.leave()
        for _ in range(6):
            result = await self.site.perform(
                "logout", self, self.site.requests.logout, held=held, ends=lambda _: ending(held))
            if result.is_acknowledged:
                return self.site.watch(held)
            await asyncio.sleep(min(max(result.retry_after, 0.3), 3))

    async def end_other(self):
        """Ends the session of another browser, as the list of sessions offers it."""
        others = [browser for browser in self.user.browsers if browser is not self and browser.jar.held]
        if not others or not self.jar.held:
            return
        ended = self.random.choice(others).jar.held
        result = await self.use(
            "endOther", lambda held: self.site.requests.browser("DELETE", f"/auth/sessions/{ended.session}", held),
            ends=lambda _: ending(ended))
        if result and result.is_acknowledged:
            self.site.watch(ended)

    async def end_others(self):
        others = self._others()
        result = await self.use(
            "endOthers", lambda held: self.site.requests.browser("POST", "/auth/sessions/revoke-others", held),
            ends=self._ending_others)
        self._watch(result, others)

    async def ended_by_the_app(self):
        held = self.jar.held
        if held is None or self.user.has_password:
            return
        result = await self.site.perform(
            "serviceEnd", self, lambda _: self.site.requests.service("DELETE", f"sessions/{held.session}"), private=True,
            ends=lambda _: ending(held))
        self._watch(result, [held])

    async def all_ended_by_the_app(self):
        """All sessions of the user, or all but this one."""
        held = self.jar.held
        if held is None:
            return
        keeps = self.random.random() < 0.5
        query = f"?except={held.session}" if keeps else ""
        others = self._others() + ([] if keeps else [held])
        result = await self.site.perform(
            "serviceEndAll", self,
            lambda _: self.site.requests.service("DELETE", f"subjects/{self.user.subject}/sessions{query}"), private=True,
            ends=lambda _: {"subject": self.user.subject} | ({"except": held.session} if keeps else {}))
        self._watch(result, others)

    async def change_password(self):
        others = self._others()
        if not self.user.has_password or self.user.is_changing or len(self.user.passwords) != 1:
            return
        self.user.is_changing = True
        old, new = self.user.passwords[0], self.user.next_password
        self.user.next_password += 1
        body = {"current_password": password(old), "new_password": password(new)}
        result = await self.send(
            "changePassword", lambda held: self.site.requests.browser("POST", "/auth/password", held, body), subject=self.user.subject,
            password=old, newPassword=new, ends=self._ending_others)
        if result.is_acknowledged:
            self.user.passwords = [new]
        elif result.outcome == "unknown" or result.code == "unavailable":
            self.user.passwords = [old, new]
        if result.code in FINAL:
            self.jar.leave()
        self.user.is_changing = False
        self._watch(result, others)

    async def step_up(self):
        if self.user.has_password and len(self.user.passwords) == 1:
            number = self.user.passwords[0]
            await self.use(
                "stepUp", lambda held: self.site.requests.browser("POST", "/auth/step-up", held, {"password": password(number)}),
                password=number, subject=self.user.subject)

    def _ending_others(self, held):
        return {"subject": self.user.subject, "except": held.session}

    def _others(self):
        return [browser.jar.held for browser in self.user.browsers if browser is not self and browser.jar.held]

    def _watch(self, result, ended):
        if result and result.is_acknowledged:
            for held in ended:
                self.site.watch(held)


def ending(held):
    return {"sessions": [held.session]} if held else None
