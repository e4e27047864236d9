"""Thieves: each copies a browser's cookie once, and uses the copy before the victim, after it, or much later."""
import asyncio
import itertools

_numbers = itertools.count()


class Thief:
    """Gets every answer at once. Must be found when it presents a spent token; while it keeps pace, it may not be (DESIGN 5)."""

    role = "thief"

    def __init__(self, site, victim):
        self.site, self.victim = site, victim
        self.name = f"{victim.name}-thief{next(_numbers)}"
        self.held = victim.jar.held
        self.random = site.random
        victim.is_robbed = True
        site.writer.write({
            "kind": "copy", "session": self.held.session, "generation": self.held.generation, "client": self.name,
            "at": round(site.now(), 4)})

    async def run(self):
        plan = self.random.choice([self.before, self.inside, self.much_later, self.in_turns, self.after_the_end, self.access_token])
        await plan()
        self.victim.is_robbed = False

    async def before(self):
        """The thief renews first, then whenever something newer can be had."""
        for _ in range(5):
            if not await self.renew():
                return
            await self._wait(self.random.uniform(0.2, 1.3))

    async def inside(self):
        """As soon as the victim has moved on: the token is s - 1, of a pending s or inside the window."""
        if await self._until(lambda held: held.generation > self.held.generation, 5):
            await self.renew()
            await self._wait(self.random.uniform(0.3, 0.9))
            await self.renew()

    async def much_later(self):
        """When the token is spent beyond doubt."""
        stolen = self.held.generation
        if await self._until(lambda held: held.generation > stolen + 1, 8):
            await self.renew()

    async def in_turns(self):
        """Both renew again and again, after each window."""
        for _ in range(6):
            first, second = (self.renew, self.victim.renew) if self.random.random() < 0.5 else (self.victim.renew, self.renew)
            await first()
            await self._wait(self.random.choice([0, 0.05, 0.3]))
            await second()
            if self._is_over():
                return
            await self._wait(1.15)

    async def after_the_end(self):
        await self._until(lambda _: False, 12)
        await self.renew()
        await self.check()

    async def access_token(self):
        """No rule finds a copied access token: it expires by itself."""
        for _ in range(4):
            await self.site.perform("bearer", self, self.site.requests.bearer, held=self.held, private=True)
            await self._wait(self.random.uniform(0.1, 0.5))

    async def renew(self):
        """Whether the session is still worth something to the thief."""
        result = await self.site.perform("renew", self, self.site.requests.renew, held=self.held)
        return self._keep(result)

    async def check(self):
        result = await self.site.perform("check", self, self.site.requests.check, held=self.held, private=True)
        return self._keep(result)

    def _keep(self, result):
        if result.given:
            self.held = result.given
        return not result.is_refused

    def _is_over(self):
        held = self.victim.jar.held
        return held is None or held.session != self.held.session

    async def _wait(self, windows):
        await self.site.sleep(windows * self.site.window)

    async def _until(self, condition, windows):
        """Waits until the victim's jar fulfils the condition. False if the time or the session is over first."""
        end = self.site.now() + windows * self.site.window
        while self.site.now() < end and not self.site.is_stopping and not self._is_over():
            if condition(self.victim.jar.held):
                return True
            await asyncio.sleep(0.05)
        return False
