"""deploy/grafana/cloakroom.json: its queries name what a running server has, and Grafana can read it."""
import json
import re

import promql_parser as promql
import pytest

from backend import Backend
from browser import Client
from postgres import cluster  # noqa: F401, a fixture
from server import ROOT, Server

DASHBOARD = json.loads((ROOT / "deploy/grafana/cloakroom.json").read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]
# Prometheus adds them.
ADDED = {"job", "instance"}


def queries():
    for panel in PANELS:
        for target in panel["targets"]:
            # Grafana replaces its variables before it sends the query.
            text = re.sub(r"\$__\w+", "5m", target["expr"])
            yield panel["title"], promql.parse(re.sub(r"\$\w+", ".*", text)), target["legendFormat"]


def parts(node):
    """The selectors of a query, and the labels by which it groups."""
    if isinstance(node, promql.VectorSelector):
        yield node, set()
    elif isinstance(node, promql.MatrixSelector):
        yield from parts(node.vector_selector)
    elif isinstance(node, promql.AggregateExpr):
        labels = set(node.modifier.labels) if node.modifier else set()
        for selector, more in parts(node.expr):
            yield selector, labels | more
    elif isinstance(node, promql.BinaryExpr):
        yield from [*parts(node.lhs), *parts(node.rhs)]
    elif isinstance(node, promql.Call):
        for argument in node.args:
            yield from parts(argument)
    else:
        assert isinstance(node, promql.NumberLiteral), node


@pytest.fixture(scope="module")
def metrics(shared, cluster, tmp_path_factory):
    """The series of servers that have had traffic, by the name of the metric: a list of labels with values."""
    on_postgresql = Server(tmp_path_factory.mktemp("data"), store=cluster.address(cluster.database()))
    texts = [scrape(shared), Client(on_postgresql).get("/metrics", private=True).body.decode()]
    on_postgresql.stop()
    found = {}
    for name, labels in re.findall(r"^(\w+)(?:\{(.*)\})? \S+$", "\n".join(texts), re.M):
        found.setdefault(name, []).append(dict(re.findall(r'(\w+)="([^"]*)"', labels)))
    return found


def scrape(shared):
    """After traffic of each kind."""
    client = Client(shared)
    client.sign_up()
    assert client.get("/auth/session").status == 200
    client.post("/auth/login", {"email": "nobody@example.com", "password": "wrong horse battery"})
    backend = Backend(shared)
    backend.log_in()
    headers = {"X-Forwarded-Method": "GET", "X-Forwarded-Uri": "/", "X-Forwarded-Host": f"127.0.0.1:{shared.port}", "X-Forwarded-Proto": "http"}
    assert client.get("/auth/check", headers=headers, private=True).status == 204
    return client.get("/metrics", private=True).body.decode()


def labels_of(metrics, name):
    return set().union(*metrics[name])


def test_every_metric_and_label_of_the_queries_exists(metrics):
    for title, query, legend in queries():
        found = list(parts(query))
        assert found, title
        for selector, labels in found:
            assert selector.name in metrics, (title, selector.name)
            known = labels_of(metrics, selector.name) | ADDED
            used = labels | {matcher.name for matcher in selector.matchers.matchers} | set(re.findall(r"\{\{(\w+)\}\}", legend))
            assert used <= known, (title, used - known)


def test_every_event_and_route_of_the_queries_exists(metrics):
    """The pattern of a status need not match: the server has had no error."""
    for title, query, _ in queries():
        for selector, _ in parts(query):
            for matcher in selector.matchers.matchers:
                if matcher.name in ("event", "route"):
                    values = {series.get(matcher.name) for series in metrics[selector.name]}
                    assert set(matcher.value.split("|")) <= values, (title, matcher.value)


def test_the_dashboard_shows_every_metric_and_event(metrics):
    shown = [selector for _, query, _ in queries() for selector, _ in parts(query)]
    names = {re.sub(r"_(bucket|count|sum)$", "", selector.name) for selector in shown}
    assert {re.sub(r"_(bucket|count|sum)$", "", name) for name in metrics} - names == {"process_virtual_memory_bytes"}
    events = {value for selector in shown for matcher in selector.matchers.matchers if matcher.name == "event" for value in matcher.value.split("|")}
    every = {series["event"] for series in metrics["cloakroom_security_events_total"]}
    assert every - events == {"credential_added", "credential_removed", "restore"}      # rare, and in `cloakroom events`


def test_a_query_with_labels_in_its_legend_keeps_these_labels():
    """`sum` without `by` drops every label, and the legend would be empty."""
    for title, query, legend in queries():
        named = set(re.findall(r"\{\{(\w+)\}\}", legend))
        outer = query.args[-1] if isinstance(query, promql.Call) and query.func.name == "histogram_quantile" else query
        if isinstance(outer, promql.AggregateExpr):
            assert named == set(outer.modifier.labels if outer.modifier else ()) - {"le"}, title


def test_grafana_can_read_the_dashboard():
    assert DASHBOARD["title"] and re.fullmatch(r"[\w-]{1,40}", DASHBOARD["uid"]) and DASHBOARD["schemaVersion"] >= 36
    assert "id" not in DASHBOARD and "__inputs" not in DASHBOARD      # a provisioned file has neither
    assert {"from", "to"} == set(DASHBOARD["time"])
    variables = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}
    assert list(variables) == ["datasource", "job", "instance"] and variables["datasource"]["type"] == "datasource"
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(DASHBOARD)))
    assert used - {"__rate_interval", "__range", "__all"} == set(variables)
    for name in ("job", "instance"):
        metric, label = re.fullmatch(r"label_values\((\w+)(?:\{.*\})?, (\w+)\)", variables[name]["query"]["query"]).groups()
        assert (metric, label) == ("cloakroom_sessions", name)
    identifiers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(identifiers)) == len(identifiers)
    for panel in PANELS:
        assert panel["type"] in ("timeseries", "stat") and panel["title"] and panel["fieldConfig"]["defaults"]["unit"]
        references = [target["refId"] for target in panel["targets"]]
        assert references and len(set(references)) == len(references)
        assert {target["datasource"]["uid"] for target in [panel, *panel["targets"]]} == {"${datasource}"}


def test_no_two_panels_overlap():
    taken = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
        assert cells and max(x for x, _ in cells) < 24 and not cells & taken, panel["title"]
        taken |= cells


def test_the_page_names_every_metric(metrics):
    page = (ROOT / "docs/operations.md").read_text()
    for name in metrics:
        assert f"`{re.sub(r'_(bucket|count|sum)$', '', name)}`" in page


def values(server):
    text = Client(server).get("/metrics", private=True).body.decode()
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in text.splitlines() if not line.startswith("#")}


def test_each_write_is_counted_with_its_group(tmp_path):
    server = Server(tmp_path / "data")
    client = Client(server)
    client.sign_up()
    before = values(server)
    for _ in range(5):
        assert client.log_in().status == 200
    after = values(server)
    groups, members, durations = (
        after[name] - before[name] for name in (
            'cloakroom_store_groups_total{queue="writes"}', 'cloakroom_store_members_total{queue="writes"}',
            'cloakroom_store_group_duration_seconds_count{queue="writes"}'))
    assert members >= groups >= 5 and durations >= 5
    assert after['cloakroom_store_refused_total{queue="writes"}'] == after['cloakroom_store_repeated_total{queue="writes"}'] == 0
    server.stop()
