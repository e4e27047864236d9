"""The project's goals, and whether this run meets them."""
from . import backend, check, crossing, gateway, inline, postgresql, renew, scale, storm, sweep
from .goal import Goal, at_least, at_most, named
from .postgresql import feed, renewals, store
from .results import Figure, Results


def goals(results: Results) -> list[Goal]:
    return [
        *_check(results), *_gateway(results), *_renew(results), *_inline(results), *_postgres(results), *_storm(results),
        *_scale(results)]


def _check(results: Results) -> list[Goal]:
    def figures(what: str, metric: str) -> list[Figure | None]:
        return [results.find(check.SCENARIO, what, metric, **at) for at in check.APART + check.TOGETHER]

    def over_hello(text: str, what: str, limit: float) -> Goal:
        return at_least(
            f"{text}, requests/s over plain Hummingbird's", limit, "times", figures(what, "rate ratio"))

    def p99(text: str, what: str) -> Goal:
        return at_most(f"{text}, p99 over plain Hummingbird's", 1.3, "times", figures(what, "p99 ratio"))

    return [
        over_hello("Check, cache hit, forward-auth", check.HIT, 0.95),
        over_hello(f"Check, cache hit, forward-auth, {check.KINDS:,} kinds of clients", check.HIT_KINDS, 0.95),
        over_hello("Check, cache hit, middleware", check.APP_HIT, 0.95),
        over_hello("Check, first sight, ES256", check.FIRST_SIGHT, 0.36),
        over_hello("Check, first sight, ES256, and the activity saved", check.FIRST_SEEN, 0.36),
        over_hello("Check, HS256", check.APP_HS256, 0.85),
        p99("Check, cache hit, forward-auth", check.HIT),
        p99("Check, cache hit, middleware", check.APP_HIT),
        at_most("Check, cache hit, forward-auth, CPU", 15, "µs", figures(check.HIT, "cpu")),
    ]


def _renew(results: Results) -> list[Goal]:
    def over(text: str, base: str, clients: int, limit: float) -> Goal:
        figure = named(
            results.of(renew.STORE, "rate ratio"), renew.STORE_OURS, f"times {base}", {"clients": clients})
        return at_least(text, limit, "times", [figure])

    return [
        over("Store, 64 clients, renewals/s over one transaction each", renew.STORE_ONE, 64, 8),
        over("Store, 64 clients, renewals/s over raw sqlite3 in the same batches", renew.STORE_RAW, 64, 0.9),
        over("Store, 1 client, renewals/s over one transaction each", renew.STORE_ONE, 1, 1),
    ]


def _gateway(results: Results) -> list[Goal]:
    def figures(what: str, metric: str, base: str, small: bool) -> list[Figure | None]:
        ratios = results.of(gateway.SCENARIO, f"{metric} ratio")
        return [
            named(ratios, what, f"times {base}", at)
            for at in gateway.CONDITIONS if (at["body"] == backend.SMALL) == small]

    def over_nginx(metric: str, small: bool) -> list[Figure | None]:
        return figures(gateway.OURS, metric, gateway.PLAIN, small)

    growth = results.of(gateway.SCENARIO, "growth") or [None]
    return [
        at_most(
            "Gateway, small bodies, CPU over nginx auth_request and cloakroom's", 0.6, "times",
            figures(gateway.OURS, "cpu", gateway.AUTH_REQUEST, small=True)),
        at_least(
            "Gateway, small bodies, requests/s over nginx proxy_pass", 0.6, "times", over_nginx("rate", small=True)),
        at_least(
            "Gateway, large bodies, requests/s over nginx proxy_pass", 1, "times", over_nginx("rate", small=False)),
        at_most(
            "Gateway, p99 over nginx proxy_pass", 1.3, "times",
            over_nginx("p99", small=True) + over_nginx("p99", small=False)),
        at_most(
            f"Gateway, {check.KINDS:,} kinds of clients, CPU over that with one kind", 1.1, "times",
            figures(gateway.OURS_KINDS, "cpu", gateway.OURS, small=True)),
        at_most("Gateway, growth of memory while one large body crosses it", crossing.FLAT, "MiB", growth),
    ]


def _inline(results: Results) -> list[Goal]:
    def cpu(text: str, what: str) -> Goal:
        figure = results.find(inline.SCENARIO, what, "cpu", connections=inline.CONNECTIONS)
        return at_most(text, 100, "µs", [figure])

    return [
        cpu("Renewal by POST /auth/refresh, CPU", inline.REFRESH),
        cpu("Renewal inline by a check, CPU", inline.CHECKED),
        cpu("Renewal inline by the gateway, CPU", inline.PROXIED),
    ]


def _postgres(results: Results) -> list[Goal]:
    def over(text: str, base: str, clients: int, limit: float) -> Goal:
        figure = named(
            results.of(postgresql.SCENARIO, "rate ratio"), store.OURS, f"times {base}", {"clients": clients})
        return at_least(f"PostgreSQL, {text}", limit, "times", [figure])

    cpu = named(
        results.of(postgresql.SCENARIO, "cpu ratio"), renewals.DIRECT, f"times {renewals.SQLITE}",
        {"clients": renewals.CLIENTS})
    readers = results.of(postgresql.SCENARIO, "unavailable")
    p99 = [results.find(postgresql.SCENARIO, reader.what, "p99", **reader.at) for reader in readers] or [None]
    return [
        over("64 clients, renewals/s in the store over pgbench's UPDATE", store.UPDATE, 64, 2),
        over("64 clients, renewals/s in the store over a pipeline of CAS updates", store.PIPELINE, 64, 0.75),
        over("1 client, renewals/s in the store over pgbench's UPDATE", store.UPDATE, 1, 0.8),
        at_most("PostgreSQL, renewal by POST /auth/refresh, CPU of our process over that on SQLite", 1.3, "times", [cpu]),
        at_most(f"Revocation to refusal, {feed.RATE}/s, p99 of each reader", 200, "ms", p99),
    ]


def _storm(results: Results) -> list[Goal]:
    ratios = [results.find(storm.SCENARIO, storm.OURS, "rate ratio", clients=count) for count in storm.CLIENTS]
    p99 = [results.find(storm.SCENARIO, storm.OURS, "p99", clients=count) for count in storm.CLIENTS]
    busy = results.find(storm.SCENARIO, "logins", "busy", clients=max(storm.CLIENTS))
    return [
        at_least("Check during a login storm, requests/s over those without", 0.8, "times", ratios),
        at_most("Check during a login storm, p99", 10, "ms", p99),
        at_least("Logins beyond the queue, answers 503 with Retry-After", 1, "answer(s)", [busy]),
    ]


def _scale(results: Results) -> list[Goal]:
    sizes = sorted({int(figure.what.split()[0].replace(",", "")) for figure in results.of(scale.SCENARIO, "start")})
    if not sizes:
        return []
    small, large = scale.what(sizes[0]), scale.what(sizes[-1])

    def ratio(job: str, metric: str, above: str, below: str) -> Figure | None:
        figures = [results.find(scale.SCENARIO, what, metric, job=job) for what in (above, below)]
        if not all(figures) or not all(figure.values for figure in figures):
            return None
        values = [one / other for one, other in zip(figures[0].values, figures[1].values)]
        disturbed = any(figure.disturbed for figure in figures)
        return Figure(scale.SCENARIO, above, f"{metric} ratio", "times", values, disturbed=disturbed)

    longest = [
        results.find(scale.SCENARIO, sweep.SWEPT, f"longest {name}", sessions=sizes[-1])
        for name in ("check", "renewal")
    ]
    start = results.find(scale.SCENARIO, large, "start")
    cpu, rate = ratio("check", "cpu", large, small), ratio("renew", "rate", small, large)
    return [
        at_most(f"Check with {large}, CPU over that with {small}", 1.1, "times", [cpu]),
        at_most(f"Renewals/s with {small}, over those with {large}", 1.2, "times", [rate]),
        at_most(f"Start with {large}", 2, "s", [start]),
        at_most(f"Longest answer while the sweep deletes, {large}", 50, "ms", longest),
    ]
