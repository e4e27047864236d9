"""After a session was ended: asks every instance whether it still accepts it."""
import asyncio


class Reader:
    """Presents the last cookie of an ended session. The session is over, so no theft is in it."""

    role = "reader"
    name = "reader"

    def __init__(self, site):
        self.site = site

    def watch(self, held):
        self.site.ended.append(held)
        self.site.start(self._watch(held))

    async def _watch(self, held):
        # At once: the row is ended. Access tokens may be accepted for one more second.
        await asyncio.gather(self._renew(held), self._bearer(held, None))
        await self.site.sleep(1.02 + self.site.random.uniform(0, 0.3))
        await asyncio.gather(self._everywhere(held), self._look(held), self._check(held))
        if self.site.random.random() < 0.3:
            # Later faults must not bring it back.
            await self.site.sleep(self.site.random.uniform(1, 20))
            await asyncio.gather(self._everywhere(held), self._renew(held))

    async def _everywhere(self, held):
        await asyncio.gather(*(self._bearer(held, instance) for instance in range(len(self.site.private))))

    async def _bearer(self, held, instance):
        await self.site.perform("bearer", self, self.site.requests.bearer, held=held, private=True, instance=instance)

    async def _check(self, held):
        await self.site.perform("check", self, self.site.requests.check, held=held, private=True)

    async def _look(self, held):
        await self.site.perform("session", self, self.site.requests.session, held=held)

    async def _renew(self, held):
        await self.site.perform("renew", self, self.site.requests.renew, held=held)
