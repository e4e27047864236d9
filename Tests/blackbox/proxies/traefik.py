"""Does with a request what Traefik 3.7 does, by the configuration in deploy/proxies/traefik. Debian has no Traefik, so the checks
are replayed as its source sends them: pkg/middlewares/auth/forward.go, pkg/middlewares/forwardedheaders, pkg/middlewares/headers."""
import posixpath
import re

import yaml

from server import ROOT
from wire import Wire

RECIPE = ROOT / "deploy/proxies/traefik"
HOP_BY_HOP = {"connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"}
FORWARDED = {"x-forwarded-proto", "x-forwarded-for", "x-forwarded-host", "x-forwarded-port", "x-forwarded-server", "x-forwarded-uri",
             "x-forwarded-method", "x-forwarded-prefix", "x-real-ip"}


class Passed:
    """A request that reaches the app, and the cookies that Traefik adds to the response."""

    def __init__(self, service, target, headers, cookies, response_headers):
        self.service, self.target, self.headers = service, target, headers
        self.cookies, self.response_headers = cookies, response_headers


class Traefik:
    def __init__(self, server, host, change=lambda text: text):
        """`change`: from the recipe as it is shipped to the one of this test."""
        self.server, self.host = server, host
        self.entry_point = yaml.safe_load((RECIPE / "traefik.yaml").read_text())["entryPoints"]["web"]["http"]
        self.dynamic = yaml.safe_load(change((RECIPE / "dynamic.yaml").read_text()))["http"]

    def send(self, method, target, headers, proto="https"):
        """The answer of the check to the browser, or `Passed`."""
        path, _, query = target.partition("?")
        path = self.sanitized(path)
        target = path + ("?" + query if query else "")
        fields = {name.lower(): value for name, value in headers.items()}
        if self.entry_point["underscoreHeadersStrategy"] == "delete":
            fields = {name: value for name, value in fields.items() if "_" not in name}
        # The entry point trusts no client: it replaces these headers.
        fields = {name: value for name, value in fields.items() if name not in FORWARDED}
        fields |= {"x-forwarded-proto": proto, "x-forwarded-host": self.host, "x-forwarded-port": "443", "x-forwarded-for": "203.0.113.7"}
        router = self.router(path)
        cookies, response_headers = [], {}
        for name in router["middlewares"]:
            middleware = self.dynamic["middlewares"][name]
            if "forwardAuth" in middleware:
                answer = self.check(middleware["forwardAuth"], method, target, fields)
                if not 200 <= answer.status < 300:
                    return answer
                for header in middleware["forwardAuth"]["authResponseHeaders"]:
                    fields.pop(header.lower(), None)
                    if (value := answer.header(header)) is not None:
                        fields[header.lower()] = value
                added = middleware["forwardAuth"]["addAuthCookiesToResponse"]
                cookies += [cookie for cookie in answer.set_cookies if cookie.split("=")[0] in added]
            else:
                for header, value in middleware["headers"].get("customRequestHeaders", {}).items():
                    assert value == ""
                    fields.pop(header.lower(), None)
                response_headers |= middleware["headers"].get("customResponseHeaders", {})
        return Passed(router["service"], target, fields, cookies, response_headers)

    def sanitized(self, path):
        assert self.entry_point["sanitizePath"]
        clean = posixpath.normpath(path).replace("//", "/", 1)
        return clean + "/" if path.endswith("/") and clean != "/" else clean

    def router(self, path):
        def holds(rule):
            tests = {"Host": lambda value: value == self.host, "Path": lambda value: path == value, "PathPrefix": path.startswith,
                     "PathRegexp": lambda value: re.search(value, path) is not None}
            known = re.sub(r"(\w+)\(`([^`]*)`\)", lambda match: str(tests[match[1]](match[2])), rule)
            return eval(known.replace("&&", " and ").replace("||", " or "))       # only True, False, and, or, parentheses

        routers = sorted(self.dynamic["routers"].values(), key=lambda router: -router["priority"])
        return next(router for router in routers if holds(router["rule"]))

    def check(self, settings, method, target, fields):
        """forward.go, writeHeader."""
        named = {name.strip().lower() for name in fields.get("connection", "").split(",")}
        asked = {name: value for name, value in fields.items() if name not in named | HOP_BY_HOP}
        if not settings["trustForwardHeader"]:
            asked = {name: value for name, value in asked.items() if name not in FORWARDED}
        asked["x-forwarded-for"] = f"{asked['x-forwarded-for']}, 203.0.113.7" if "x-forwarded-for" in asked else "203.0.113.7"
        asked = {"x-forwarded-method": method, "x-forwarded-proto": "https", "x-forwarded-port": "443", "x-forwarded-host": self.host,
                 "x-forwarded-uri": target} | asked
        address = re.fullmatch(r"http://127\.0\.0\.1:8081(/.*)", settings["address"])
        with Wire(self.server, private=True) as wire:
            wire.request("GET", address[1], {"accept-encoding": "gzip"} | asked, host="127.0.0.1:8081")
            return wire.answer()
