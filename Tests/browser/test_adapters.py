"""The adapters with the real axios and React. Angular's interceptor with a stand-in made from Angular's documentation."""
import pathlib
import threading

import pytest

from app import PASSWORD, open_app, ready, sign_up
from drivers import TIMEOUT, wait

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIBRARIES = pathlib.Path("/usr/share/nodejs")
REACT = "react/umd/react.development.js", "react-dom/umd/react-dom.development.js"
# The part of rxjs that the interceptor uses: https://rxjs.dev/api
RXJS = """
class Observable {
    constructor(subscribe) { this.subscribe = subscribe; }
    pipe(...operators) { return operators.reduce((source, operator) => operator(source), this); }
}
export const from = (promise) => new Observable((o) => promise.then((v) => { o.next(v); o.complete(); }, (e) => o.error(e)));
export const throwError = (make) => new Observable((o) => o.error(make()));
export const switchMap = (project) => (source) => new Observable((o) => source.subscribe({
    next: (v) => project(v).subscribe(o), error: (e) => o.error(e), complete: () => {} }));
export const catchError = (select) => (source) => new Observable((o) => source.subscribe({
    next: (v) => o.next(v), complete: () => o.complete(), error: (e) => select(e).subscribe(o) }));
"""


def serve(site, path, file):
    site.page(path, file.read_text(), "text/javascript")


def adapter_page(site, name, script, before="", **modules):
    serve(site, f"/{name}.js", ROOT / f"Web/client/adapters/{name}.js")
    imports = ", ".join(f'"{module}": "{path}"' for module, path in modules.items())
    site.page(f"/{name}", f"""<!doctype html><title>{name}</title><link rel=icon href="data:,"><div id=root></div>
        <script type="importmap">{{ "imports": {{ {imports} }} }}</script>{before}
        <script type=module>import {{ createSession }} from "/auth/client.js";
        window.session = createSession(); {script} window.isReady = true;</script>""")


@pytest.fixture
def backend(site):
    """A backend that verifies tokens itself: `/api/own` responds `token_expired` until a renewal."""
    state = {"calls": 0, "renewed": False, "refuses": False, "answer": b'{"code": "token_expired"}'}
    site.page("/api/own", '{"ok": true}', "application/json")

    def answer(exchange):
        if exchange.path == "/auth/refresh":
            state["renewed"] = not state["refuses"]
        if exchange.path == "/api/own":
            state["calls"] += 1
            state["body"] = exchange.body
            state["bearer"] = exchange.headers.get("authorization")
            if not state["renewed"]:
                exchange.status, exchange.answer = 401, state["answer"]

    site.interfere = answer
    return state


def test_axios(browser, site, account, backend):
    open_app(browser, site)
    sign_up(browser, account)
    serve(site, "/axios-library.js", LIBRARIES / "axios/dist/esm/axios.js")
    adapter_page(site, "axios", """
        import axios from "/axios-library.js"; import { useSession } from "/axios.js";
        window.api = useSession(axios.create(), session);""")
    browser.open(site.origin() + "/axios")
    ready(browser)
    answers = browser.run("""
        const calls = [1, 2, 3].map((n) => api.post("/api/own", { n }));
        return (await Promise.all(calls)).map(({ status, data }) => [status, data.ok]);""")
    assert answers == [[200, True]] * 3
    assert backend["calls"] == 6 and backend["body"].startswith(b'{"n":')
    assert len(site.seen("POST", "/auth/refresh")) == 1
    backend.update(renewed=False, refuses=True, calls=0)
    assert browser.run("return api.get('/api/own').catch(({ response }) => response.status)") == 401
    assert backend["calls"] == 2
    assert browser.run("return api.get('/auth/nowhere').catch(({ response }) => response.status)") == 404
    own = "return api.get('/api/own', { headers: { Authorization: 'Bearer own' } }).catch(({ response }) => response).then(({ status }) => status)"
    own_bearer_is_left_alone(browser, site, backend, own)


def own_bearer_is_left_alone(browser, site, backend, call):
    """A 401 for the page's own bearer token renews the session only if it is a problem of Cloakroom."""
    browser.open(browser.url)   # A new page may renew at once.
    ready(browser)
    backend.update(renewed=False, refuses=False, calls=0)
    before = len(site.seen("POST", "/auth/refresh"))
    assert browser.run(call) == 401
    assert (backend["calls"], backend["bearer"], len(site.seen("POST", "/auth/refresh"))) == (1, "Bearer own", before)
    backend.update(answer=b'{"code": "token_expired", "type": "urn:cloakroom:problem:token_expired"}')
    assert browser.run(call) == 200
    assert (backend["calls"], backend["bearer"], len(site.seen("POST", "/auth/refresh"))) == (3, "Bearer own", before + 1)


def test_react(browser, site, account):
    for number, library in enumerate(REACT):
        serve(site, f"/library{number}.js", LIBRARIES / library)
    site.page("/react-module.js", "export const { useSyncExternalStore } = React;", "text/javascript")
    adapter_page(site, "react", """
        import { sessionHook } from "/react.js";
        const useSession = sessionHook(session);
        window.shown = [];
        const Greeting = () => {
            const state = useSession();
            const text = state === undefined ? "wait" : state.authenticated ? state.user.email : "nobody";
            shown.push(text);
            return React.createElement("p", null, text);
        };
        ReactDOM.createRoot(root).render(React.createElement(Greeting));
        """, "".join(f'<script src="/library{number}.js"></script>' for number in (0, 1)), react="/react-module.js")
    answered = threading.Event()
    site.interfere = lambda exchange: exchange.path == "/auth/session" and not answered.wait(TIMEOUT)
    browser.open(site.origin() + "/react")
    ready(browser)
    browser.wait_text("wait", "#root")
    answered.set()
    browser.wait_text("nobody", "#root")
    assert browser.run("return shown[0]") == "wait"
    sign_up(browser, account)
    browser.wait_text(account, "#root")
    browser.run("await session.logout()")
    browser.wait_text("nobody", "#root")


def test_angular(browser, site, account, backend):
    open_app(browser, site)
    sign_up(browser, account)
    site.page("/rxjs.js", RXJS, "text/javascript")
    adapter_page(site, "angular", """
        import { from } from "rxjs"; import { sessionInterceptor } from "/angular.js";
        const backend = (request) => from((async () => {
            const response = await fetch(request.url, { headers: request.headers });
            const body = await response.json();
            if (!response.ok) throw { status: response.status, error: body };
            return body;
        })());
        window.ask = (url, headers = new Headers()) =>
            new Promise((next, error) => sessionInterceptor(session)({ url, headers }, backend).subscribe({ next, error, complete() {} }));
        """, rxjs="/rxjs.js")
    browser.open(site.origin() + "/angular")
    ready(browser)
    assert browser.run("return Promise.all([ask('/api/own'), ask('/api/own')])") == [{"ok": True}] * 2
    assert len(site.seen("POST", "/auth/refresh")) == 1
    backend.update(renewed=False, refuses=True, calls=0)
    assert browser.run("return ask('/api/own').catch(({ status }) => status)") == 401
    assert backend["calls"] == 2
    assert browser.run("return ask('/auth/nowhere').catch(({ status }) => status)") == 404
    own = "return ask('/api/own', new Headers({ Authorization: 'Bearer own' })).then(() => 200, ({ status }) => status)"
    own_bearer_is_left_alone(browser, site, backend, own)


def test_no_framework(browser, site, account):
    site.page("/", (ROOT / "Examples/vanilla/index.html").read_text())
    open_app(browser, site)
    sign_up(browser, account)
    browser.run("await session.logout()")
    browser.open(site.origin() + "/")
    browser.type("[name=email]", account)
    browser.type("[name=password]", "wrong " + PASSWORD)
    browser.click("#login button")
    wait("an alert", lambda: browser.text("#problem"))
    browser.run("document.querySelector('[name=password]').value = ''")
    browser.type("[name=password]", PASSWORD)
    browser.click("#login button")
    browser.wait_text(account, "#who")
    browser.click("#logout")
    browser.wait_text("Nobody is logged in.", "#who")
