"""The client among what else is in a page: bodies of every kind, and scripts that came later and replace what it stands on."""
import re
import time

from app import PASSWORD, open_app, sign_up
from drivers import wait

TOKEN = re.compile(r"eyJ[\w-]{8,}")

BODIES = """
    const form = new FormData();
    form.set("field", "in a form");
    form.set("file", new File(["in a file"], "a.txt"));
    const bodies = { text: "as text", form, blob: new Blob(["in a blob"]), bytes: new TextEncoder().encode("as bytes"),
        search: new URLSearchParams({ field: "in a query" }), request: new Request("/api/own", { method: "PUT", body: "in a request" }) };
    const answers = {};
    for (const [name, body] of Object.entries(bodies)) {
        await fetch("/api/forget");
        const response = body instanceof Request ? await session.fetch(body) : await session.fetch("/api/own", { method: "PUT", body });
        answers[name] = response.status;
    }
    return answers;
"""


def expire_until_renewed(site):
    """`/api/own` is a backend that verifies by itself, and wants a renewal after each `/api/forget`."""
    site.page("/api/own", "{}", "application/json")
    site.page("/api/forget", "{}", "application/json")
    state = {"renewed": False, "bodies": []}

    def answer(exchange):
        if exchange.path in ("/auth/refresh", "/api/forget"):
            state["renewed"] = exchange.path == "/auth/refresh"
        if exchange.path == "/api/own":
            state["bodies"].append(exchange.body)
            if not state["renewed"]:
                exchange.status, exchange.answer = 401, b'{"code": "token_expired"}'

    site.interfere = answer
    return state


def test_a_body_of_any_kind_is_sent_again_whole(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    backend = expire_until_renewed(site)
    answers = browser.run(BODIES)
    assert answers == dict.fromkeys(["text", "form", "blob", "bytes", "search", "request"], 200)
    sent = backend["bodies"]
    assert len(sent) == 12 and sent[0::2] == sent[1::2]
    expected = [b"as text", b"in a file", b"in a blob", b"as bytes", b"in+a+query", b"in a request"]
    assert all(part in body for part, body in zip(expected, sent[1::2]))


def test_an_aborted_call_is_aborted_also_while_it_waits_for_a_renewal(browser, site, account):
    open_app(browser, site)
    sign_up(browser, account)
    expire_until_renewed(site)
    name = browser.run("""
        const controller = new AbortController();
        const call = session.fetch("/api/own", { signal: controller.signal });
        session.onChange(() => controller.abort());
        return call.then(({ status }) => status, ({ name }) => name);
    """)
    assert name == "AbortError"


PATCHED = """
    const [email, password] = args;
    const overheard = [], restore = [];
    const tell = (name, values) => {
        try { overheard.push(name + " " + values.map((value) => typeof value === "object" ? JSON.stringify(value) : String(value)).join(" ")); } catch { }
    };
    const replace = (owner, name) => {
        const before = Object.getOwnPropertyDescriptor(owner, name);
        restore.push(() => Object.defineProperty(owner, name, before));
        Object.defineProperty(owner, name, { ...before, value: function (...values) { tell(name, values); throw new Error("patched " + name); } });
    };
    const types = [[Response, "json", "text", "clone"], [Request, "clone"], [Headers, "set", "has", "append", "get"],
        [Promise, "then", "catch", "finally"], [LockManager, "request"]];
    // When the driver has had its answer, and put back before it looks again: it stands on promises itself.
    setTimeout(async () => {
        for (const name of ["fetch", "Request", "Headers", "URL", "Promise", "BroadcastChannel"]) replace(window, name);
        for (const [type, ...names] of types) for (const name of names) replace(type.prototype, name);
        const results = {};
        try {
            results.login = (await session.login({ email, password, client_id: "spa" })).authenticated;
            results.renewed = (await session.renew()).authenticated;
            results.fetched = (await session.fetch("/api/notes")).status;
            results.left = session.secondsLeft() >= 0;
        } catch (error) {
            results.error = String(error);
        }
        for (const undo of restore) undo();
        Object.assign(window, { results, overheard });
    }, 300);
"""


def test_what_is_replaced_later_neither_breaks_the_client_nor_hears_a_token(browser, start, proxies, account):
    site = proxies(start(clients="spa=hybrid"))
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.logout()")
    browser.run(PATCHED, account, PASSWORD)
    time.sleep(3)
    results = wait("the calls to be made", lambda: browser.run("return window.results"))
    assert results == {"login": True, "renewed": True, "fetched": 200, "left": True}
    assert TOKEN.search(site.seen("GET", "/api/notes")[-1].headers["authorization"]), "the control: there was a token"
    assert not any(TOKEN.search(text) for text in browser.run("return window.overheard"))
