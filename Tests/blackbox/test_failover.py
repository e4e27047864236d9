"""Several instances on a primary and a standby: what a failover loses, and what a replaced primary may still decide."""
import pytest

from backend import Backend
from browser import Client, tokens
from kit_app import KitApp
from replicas import Replicas
from server import Server, wait_until


@pytest.fixture
def replicas(tmp_path):
    replicas = Replicas(tmp_path)
    yield replicas
    replicas.stop()


@pytest.fixture
def serve(tmp_path):
    """Starts instances, which share the keys in one directory."""
    servers = []

    def serve(store, **settings):
        servers.append(Server(tmp_path / "data", store=store, **settings))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


def log_in(backend, subject):
    client = backend.log_in(subject)
    client.token = tokens(client.cookie)[0]
    return client


def there(client, server):
    """The same browser at another instance."""
    return Client(server, client.cookie)


def status(client, server):
    return there(client, server).check().status


def test_a_revocation_that_a_failover_lost_is_repeated_by_those_who_remember_it(replicas, serve, tmp_path):
    """The replication is asynchronous. The instances and the kit have heard of the revocation before it was lost."""
    store = replicas.address()
    one, two = serve(store), serve(store)
    backend = Backend(one)
    ended, kept = log_in(backend, "1"), log_in(backend, "2")
    app = KitApp("python", tmp_path / "app", one, stale_after=2)
    try:
        app.wait_for(ended.token, 200)
        replicas.wait_for_standby()
        replicas.cut()
        stream = backend.stream()
        assert stream.until_current() == []
        assert backend.send("DELETE", f"/service/sessions/{ended.session}").status == 204
        name, data = stream.next()
        assert (name, data["session"]) == ("revoked", ended.session)
        wait_until(lambda: [status(ended, server) for server in (one, two)] == [401, 401])
        assert app.wait_for(ended.token, 401) == "session_revoked"

        replicas.primary.stop()
        assert replicas.standby.psql("SELECT count(*) FROM cloakroom.revocations", database="app") == "0"
        replicas.promote()
        reason = f"SELECT revocation_reason FROM cloakroom.sessions WHERE id = '{ended.session}'"
        wait_until(lambda: replicas.standby.psql(reason, database="app") == "lost_in_failover", 60)
        without_memory = serve(store)
        for server in (one, two, without_memory):
            wait_until(lambda: status(ended, server) == 401)
            assert there(ended, server).refresh().status == 401
            wait_until(lambda: status(kept, server) == 204)
        assert stream.next() == ("reset", {}), "the reader learns that the history is another one"
        wait_until(lambda: app.ask(kept.token)[0] == 200)
        assert app.ask(ended.token) == (401, "session_revoked")
        assert replicas.standby.psql("SELECT count(*) FROM cloakroom.revocations", database="app") == "1"
        stream.close()
    finally:
        app.stop()


@pytest.mark.parametrize("grace", [0, 600])
def test_a_primary_that_was_replaced_proves_nothing_though_its_reads_go_on(replicas, serve, tmp_path, grace):
    """Synchronous replication: the old primary acknowledges no write without its standby."""
    old, new = replicas.primary, replicas.standby
    settings = {"insecureStaleRevocations": grace} if grace else {}
    cut_off = serve(replicas.address(old), **settings)
    backend = Backend(cut_off)
    ended, other = log_in(backend, "1"), log_in(backend, "2")
    app = KitApp("node", tmp_path / "app", cut_off, stale_after=2)
    try:
        app.wait_for(ended.token, 200)
        replicas.wait_for_standby()
        old.psql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
        replicas.cut()
        replicas.promote()
        elsewhere = serve(replicas.address(new))
        assert Backend(elsewhere, backend.key).send("DELETE", f"/service/sessions/{ended.session}").status == 204
        wait_until(lambda: cut_off.log().count("the revocation feed failed"))
        assert old.psql(f"SELECT revoked_at IS NULL FROM cloakroom.sessions WHERE id = '{ended.session}'", database="app") == "t"
        expected = 204 if grace else 503
        wait_until(lambda: status(other, cut_off) == expected)
        for _ in range(10):
            assert [status(client, cut_off) for client in (ended, other)] == [expected] * 2
        assert status(ended, elsewhere) == 401
        # The kit follows the instance that is cut off: its stream has no news.
        assert app.wait_for(other.token, 503) == "unavailable"
        assert app.ask(ended.token) == (503, "unavailable")
    finally:
        app.stop()


def end_all(backend, subject):
    return backend.send("DELETE", f"/service/subjects/{subject}/sessions").status


def test_no_end_of_sessions_is_acknowledged_that_a_replaced_primary_was_asked_about(replicas, serve):
    """Synchronous replication: what the old primary reads is of the past, and it acknowledges nothing."""
    old, new = replicas.primary, replicas.standby
    one, cut_off = serve(replicas.address()), serve(replicas.address(old))
    backend = Backend(one)
    log_in(backend, "1")
    for server in (one, cut_off):
        # Each lane has a connection to the primary of that time.
        assert end_all(Backend(server, backend.key), "1") == 204
    replicas.wait_for_standby()
    old.psql("ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
    replicas.cut()
    replicas.promote()
    begun = []
    wait_until(lambda: begun or begun.extend(client for client in [log_in_if_possible(backend, "2")] if client), 60)
    assert end_all(Backend(cut_off, backend.key), "2") == 503, "it can know nothing of this session"
    assert begun[0].refresh().status == 200
    wait_until(lambda: end_all(backend, "2") == 204, 60)
    assert begun[0].refresh().status == 401


def log_in_if_possible(backend, subject):
    """None while no server that takes writes is reached."""
    try:
        return log_in(backend, subject)
    except (AssertionError, KeyError, TypeError):
        return None
