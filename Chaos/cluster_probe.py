"""Renews sessions all the time, through the proxy, and so measures for how long a fault keeps browsers from it."""
import collections
import itertools
import json
import threading
import time

from cluster_http import request

THREADS = 4
SESSIONS = 60
INTERVAL = 0.33
COOKIE = "__Host-Http-session"


class Probe:
    """Each session is used once in 20 seconds, which is longer than the straggler window: each renewal is a write."""

    def __init__(self, cluster):
        self.address = cluster.proxy.machine.address
        self.service = cluster.service()
        self.successes = []
        self.outcomes = collections.Counter()
        self.violations = []
        self.stopped = threading.Event()
        self.begun = threading.Barrier(THREADS + 1)
        self.threads = [threading.Thread(target=self.renew_sessions, args=(number,), daemon=True) for number in range(THREADS)]

    def start(self):
        """Returns when all sessions have begun."""
        for thread in self.threads:
            thread.start()
        self.begun.wait()

    def stop(self):
        self.stopped.set()
        for thread in self.threads:
            thread.join()

    def renew_sessions(self, number):
        jars = [self.begin(f"probe-{number}-{index}") for index in range(SESSIONS)]
        self.begun.wait()
        for index in itertools.cycle(range(SESSIONS)):
            if self.stopped.wait(INTERVAL):
                return
            jars[index] = self.renew(jars[index]) or self.begin(f"probe-{number}-{index}")

    def begin(self, subject):
        """Begins a session over the service API and returns its cookie. Tries until it succeeds."""
        browser = {
            "method": "POST", "host": self.service["host"], "origin": self.service["origin"], "sec_fetch_site": "same-origin"}
        body = {"subject": subject, "authentication": {"amr": ["pwd"], "acr": "1"}, "browser": browser}
        for url in itertools.cycle(self.service["urls"]):
            status, _, text = request(
                "POST", url.removeprefix("http://"), "/service/sessions", json.dumps(body),
                {"Authorization": f"Bearer {self.service['key']}", "Content-Type": "application/json"})
            if status == 201:
                return json.loads(text)["set_cookie"][0].split(";")[0]
            if self.stopped.wait(INTERVAL):
                return None

    def renew(self, cookie):
        """Returns the cookie that the browser has afterwards, or None if the session has ended."""
        status, headers, text = request(
            "POST", self.address, "/auth/refresh", None,
            {"Host": self.service["host"], "Origin": self.service["origin"], "Sec-Fetch-Site": "same-origin", "Cookie": cookie})
        code = problem(text)
        self.outcomes[f"{status} {code}".strip()] += 1
        if status == 200:
            self.successes.append(time.monotonic())
            return headers.get("Set-Cookie", cookie).split(";")[0]
        if status not in (None, 502, 503, 504) and not self.may_be_lost(code):
            self.violations.append(f"a renewal of an honest browser got {status} {code} at {time.monotonic():.3f}")
        return None if status == 401 else cookie

    def may_be_lost(self, code):
        """Whether an asynchronous failover may have lost the begin of the session."""
        return not self.service["synchronous"] and code != "refresh_token_reused"

    def longest_gap(self, since, until):
        """The longest time without a successful renewal, in seconds."""
        moments = [since, *(moment for moment in list(self.successes) if since < moment < until), until]
        return max(later - earlier for earlier, later in itertools.pairwise(moments))


def problem(text):
    """The code of a problem response, or nothing."""
    try:
        return json.loads(text).get("code", "")
    except ValueError:
        return ""
