"""The client in a page: request bodies of every kind, and later scripts that replace the functions that it uses."""
import json
import re
import threading

import pytest

from app import PASSWORD, log_in, open_app, sign_up, who
from drivers import TIMEOUT, wait

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
    """`/api/own` is a backend that verifies tokens itself. It responds `token_expired` after each `/api/forget`, until a renewal."""
    site.page("/api/own", "{}", "application/json")
    site.page("/api/forget", "{}", "application/json")
    state = {"renewed": False, "bodies": []}

    def answer(exchange):
        if exchange.path in ("/auth/refresh", "/api/forget"):
            state["renewed"] = exchange.path == "/auth/refresh"
        if exchange.path == "/auth/refresh":
            # The test needs a renewal before `renew_in` has passed, so the client must not see it.
            answer = json.loads(exchange.answer)
            answer["session"].pop("renew_in", None)
            exchange.answer = json.dumps(answer).encode()
        if exchange.path == "/api/own":
            state["bodies"].append(exchange.body)
            if not state["renewed"]:
                exchange.status, exchange.answer = 401, b'{"code": "token_expired"}'

    site.interfere = answer
    return state


def test_a_body_of_any_kind_is_sent_again_completely(browser, site, account):
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


REFUSALS = {
    "ours": lambda exchange: None,
    "a proxy's": lambda exchange: setattr(exchange, "answer", b"<html><h1>401 Authorization Required</h1></html>"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_a_page_shows_that_its_session_was_ended_elsewhere(browsers, site, account, refusal):
    """An operator, or the user on another device, ends the session. No other tab of this browser reports it."""
    here, there = browsers(), browsers()
    for browser in (here, there):
        open_app(browser, site)
    sign_up(here, account)
    here.wait_text(account, "#who")
    log_in(there, account)
    there.run("await fetch('/auth/sessions/revoke-others', { method: 'POST' })")
    wait("the revocation", lambda: here.run("return (await fetch('/api/notes')).status") == 401)
    site.interfere = lambda exchange: refusal(exchange) if exchange.status == 401 else None
    since = len(site.exchanges)
    statuses = here.run("return Promise.all(Array.from({ length: 20 }, async () => (await session.fetch('/api/notes')).status))")
    assert statuses == [401] * 20
    here.wait_text("nobody", "#who")
    assert len(site.seen("GET", "/auth/session", since)) == 1
    assert who(there) == account


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
    const go = new XMLHttpRequest();
    go.open("GET", "/go");
    go.onload = async () => {
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
        fetch("/done");
    };
    go.send();
"""


def hold(exchange, go):
    """Delays the response to `/go` until the test sets the event."""
    if exchange.path not in ("/go", "/done"):
        return False
    exchange.status = 200
    return exchange.path == "/done" or go.wait(TIMEOUT)


def test_functions_that_a_page_replaces_later_neither_break_the_client_nor_receive_a_token(browser, start, proxies, account):
    site = proxies(start(clients="spa=hybrid"))
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.logout()")
    go = threading.Event()
    site.intercept = lambda exchange: hold(exchange, go)
    browser.run(PATCHED, account, PASSWORD)
    go.set()
    site.wait_for("GET", "/done")
    results = wait("the calls to be made", lambda: browser.run("return window.results"))
    assert results == {"login": True, "renewed": True, "fetched": 200, "left": True}
    assert TOKEN.search(site.seen("GET", "/api/notes")[-1].headers["authorization"]), "the control: there was a token"
    assert not any(TOKEN.search(text) for text in browser.run("return window.overheard"))
