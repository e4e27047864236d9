"""One process of the workload: reads its settings as a line of JSON from standard input, and stops at the end of that input."""
import asyncio
import itertools
import json
import sys
import time

import history
from browser_tabs import Browser, User, password
from workload_readers import Reader
from workload_site import Site
from workload_thief import Thief

# How often a tab does each of these.
OFTEN = {"renew": 30, "look": 10, "check": 25, "bearer": 15, "list": 4, "renew_in_all_tabs": 2, "come_back": 2}
RARELY = {
    "log_out": 0.5, "log_in": 0.3, "end_other": 0.3, "end_others": 0.2, "ended_by_the_app": 0.4, "all_ended_by_the_app": 0.2}
WITH_PASSWORD = {"change_password": 2, "step_up": 2}
THEFT = 0.01
# At so many operations in a second there is enough of what is rare. In a slower run it is more frequent.
FAST = 600
MOST_WITH_PASSWORD = 12


class Process:
    def __init__(self, settings):
        self.settings = settings
        self.site = Site(settings, history.Writer(settings["history"]), settings["number"])
        self.random = self.site.random
        self.site.watch = Reader(self.site).watch
        self.browsers = [browser for user in self.make_users() for browser in user.browsers]
        self.think = 1.0
        self.numbers = itertools.count()
        more = max(1, min(6, FAST / settings["rate"]))
        self.theft = THEFT * more
        self.actions = OFTEN | {action: share * more for action, share in RARELY.items()}
        self.actions_with_password = self.actions | {action: share * more for action, share in WITH_PASSWORD.items()}

    def make_users(self):
        """A third of the browsers share a user with others. Some users have a password; the app logs the others in."""
        left, number = self.settings["browsers"], itertools.count()
        while left > 0:
            index = next(number)
            name = f"{self.settings['seed']}.{self.settings['number']}.{index}"
            by_password = self.settings["signup"] and index % 12 == 0 and index < 12 * MOST_WITH_PASSWORD
            user = User(None, f"user{name}@example.com") if by_password else User(f"s{name}")
            # A user with a password has two, so that a change of it in one ends the session of the other.
            count = min(left, 2 if by_password else self.random.choice([1, 1, 1, 2, 3]))
            left -= count
            for device in range(count):
                Browser(self.site, user, f"{name}.{device}")
            yield user

    async def run(self):
        self.input = asyncio.create_task(self.read_input())
        tabs = []
        for browser in self.browsers:
            for tab in range(self.random.choice([1, 2, 3])):
                tabs.append(self.site.start(self.use_tab(browser, sleeps=self.random.random() < 0.2)))
        await (self.run_in_rounds(len(tabs)) if self.site.is_steered else self.keep_pace(len(tabs)))
        self.site.stop()
        await self.finish()
        await self.audit()
        self.input.cancel()
        self.site.writer.close()
        self.site.close()

    async def read_input(self):
        """Each line says by how many seconds the clock was moved. The end of the input ends the workload."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            self.site.go_on(float(line))
        self.site.stop()
        self.site.go_on(0)

    async def run_in_rounds(self, tabs):
        """Requests are sent in rounds. Between two rounds nothing is in flight, and the server's clock is moved."""
        self.think = 0.3
        while not self.site.is_stopping:
            end = self.site.operations + 3 * tabs
            while self.site.operations < end and not self.site.is_stopping:
                await asyncio.sleep(0.02)
            await self.site.pause()
            print("quiet", flush=True)
            await self.site.gate.wait()

    async def keep_pace(self, tabs):
        """Changes how long tabs think, so that the number of operations in a second stays near its target."""
        target = self.settings["rate"]
        self.think = tabs / target
        end, before = time.monotonic() + self.settings["seconds"], 0
        while time.monotonic() < end and self.site.operations < self.settings["operations"] and not self.site.is_stopping:
            await asyncio.sleep(0.5)
            rate = max(1, (self.site.operations - before) * 2)
            before = self.site.operations
            self.think = min(60, max(0.001, self.think * min(1.2, max(0.85, rate / target))))

    async def use_tab(self, browser, sleeps):
        await self.site.sleep(self.random.uniform(0, min(2, self.think)))
        while not self.site.is_stopping:
            if browser.jar.held is None:
                await self.open(browser)
            else:
                await self.act(browser)
            if sleeps:
                # Longer than the straggler window; then the tab sends what is in the jar by then.
                await self.site.sleep(self.random.uniform(1.1, 2.5) * self.site.window)
            else:
                await self.site.sleep(self.random.expovariate(1 / self.think))

    async def open(self, browser):
        user = browser.user
        if user.subject is not None:
            return await browser.log_in()
        if browser is user.browsers[0] and not browser.is_busy:
            browser.is_busy = True
            if not await browser.sign_up():
                # The answer was lost: the address is taken, and its subject unknown.
                user.email = f"again{next(self.numbers)}.{browser.name}@example.com"
            browser.is_busy = False

    async def act(self, browser):
        actions = self.actions_with_password if browser.user.has_password else self.actions
        [action] = self.random.choices(list(actions), actions.values())
        if self.random.random() < self.theft and not browser.is_robbed:
            self.site.start(Thief(self.site, browser).run())
        await getattr(browser, action)()

    async def finish(self):
        """Waits until every request has ended and every late answer has arrived."""
        while self.site.tasks or self.site.late:
            await asyncio.sleep(0.05)

    # What was acknowledged must still be there when everything is well again.

    async def audit(self):
        await asyncio.sleep(1.1)
        await asyncio.gather(*(self.audit_browser(browser) for browser in self.browsers))
        await asyncio.gather(*(self.audit_ended(held) for held in self.site.ended))
        users = {id(browser.user): browser.user for browser in self.browsers if browser.user.subject and browser.user.has_password}
        for user in users.values():
            await self.audit_password(user)

    async def audit_browser(self, browser):
        await self.definitely(lambda: self.site.perform("renew", browser, self.site.requests.renew, jar=browser.jar))

    async def audit_ended(self, held):
        reader = Reader(self.site)
        await self.definitely(lambda: self.site.perform("renew", reader, self.site.requests.renew, held=held))

    async def audit_password(self, user):
        """The one in force is accepted. It is changed once more; then the new one is accepted, and the one before it is not."""
        for number in list(user.passwords):
            result = await self.log_in(user, number)
            if result.given:
                break
        if not result.given:
            return
        new = user.next_password
        body = {"current_password": password(number), "new_password": password(new)}
        changed = await self.definitely(lambda: self.site.perform(
            "changePassword", user.browsers[0], lambda held: self.site.requests.browser("POST", "/auth/password", held, body),
            held=result.given, subject=user.subject, password=number, newPassword=new,
            ends=lambda held: {"subject": user.subject, "except": held.session}))
        if changed.is_acknowledged:
            await self.log_in(user, new)
            await self.log_in(user, number)

    async def log_in(self, user, number):
        body = {"email": user.email, "password": password(number)}
        return await self.definitely(lambda: self.site.perform(
            "login", user.browsers[0], lambda _: self.site.requests.browser("POST", "/auth/login", None, body),
            subject=user.subject, password=number))

    async def definitely(self, perform):
        """Repeats a request until its answer says yes or no."""
        for _ in range(60):
            result = await perform()
            if result.is_acknowledged or result.is_refused or result.outcome == "skipped":
                break
            await asyncio.sleep(0.5)
        return result


if __name__ == "__main__":
    asyncio.run(Process(json.loads(sys.stdin.readline())).run())
