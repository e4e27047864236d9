"""Keys that several instances share in PostgreSQL: rotations, clocks, the master secret, and rows that are lost."""
import base64
import contextlib
import json
import re
import subprocess
import threading
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from browser import Client, part, tokens
from instances import instances  # noqa: F401, a fixture
from postgres import cluster  # noqa: F401, a fixture
from server import BINARY, MASTER_SECRET, Server, clean_environment, refuse_to_serve, run, wait_until

OTHER_SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"


def kids(cookie):
    """The ids of the signing key and of the refresh secret of a cookie."""
    return tuple(part(token, 0)["kid"] for token in tokens(cookie))


def published(server):
    return {key["kid"] for key in Client(server).get("/.well-known/jwks.json").json["keys"]}


class Traffic:
    """Browsers that renew and check all the time, one at each instance and one whose requests go to all in turn."""

    def __init__(self, servers):
        self.answers, self.is_over, self.cookies, self.threads = [], threading.Event(), {}, []
        for name, places in [*((number, [server]) for number, server in enumerate(servers)), ("all", servers)]:
            client = Client(places[0])
            client.sign_up()
            self.threads.append(threading.Thread(target=self.browse, args=(name, client, places)))
        for thread in self.threads:
            thread.start()

    def browse(self, name, client, servers):
        count = 0
        while not self.is_over.is_set():
            count += 1
            client.server = servers[count % len(servers)]
            try:
                self.answers += [(name, count, client.refresh()), (name, count, client.check())]
            except OSError as error:
                self.answers.append((name, count, error))
            self.cookies[name] = client.cookie

    def use(self, number):
        """The key or the secret that all use, once they use the same."""
        used = {kids(cookie)[number] for cookie in list(self.cookies.values())}
        return used.pop() if len(used) == 1 and len(self.cookies) == len(self.threads) else None

    def end(self):
        self.is_over.set()
        for thread in self.threads:
            thread.join()
        refused = [answer for answer in self.answers if getattr(answer[2], "status", 0) // 100 != 2]
        assert len(self.answers) > 50 and not refused, refused[:5]


def test_no_request_fails_while_keys_and_secrets_rotate_at_three_instances(instances):
    cluster = instances(stragglerWindow=0, reissueDelay=0, maxSessions=100)
    servers = [cluster.start() for _ in range(3)]
    traffic = Traffic(servers)
    try:
        for number, arguments in [(0, []), (1, ["--refresh-secret"]), (0, ["--algorithm", "Ed25519"])]:
            before = wait_until(lambda: traffic.use(number))
            assert cluster.keys("rotate", *arguments, of=number).returncode == 0
            new = next(key["kid"] for key in cluster.listed(of=2) if key["stage"] == "published")
            if number == 0:
                wait_until(lambda: all(new in published(server) for server in servers))
            assert traffic.use(number) == before, "published, and not in use"
            cluster.move(11)
            wait_until(lambda: traffic.use(number) == new)
        for number, arguments in [(0, ["--now"]), (1, ["--refresh-secret", "--now"])]:
            before = traffic.use(number)
            assert cluster.keys("rotate", *arguments).returncode == 0
            wait_until(lambda: traffic.use(number) not in (None, before))
    finally:
        traffic.end()


def test_three_instances_make_one_key_for_each_interval_and_no_request_fails(instances):
    cluster = instances(stragglerWindow=0, reissueDelay=0, keyRotation=24 * 3600)
    servers = [cluster.start() for _ in range(3)]
    before = {key["kid"] for key in cluster.listed()}
    traffic = Traffic(servers)
    try:
        for interval in range(2):
            old = [wait_until(lambda: traffic.use(number)) for number in range(2)]
            # The clock of the database goes on by itself, and the keys are as old as the test.
            cluster.move(24 * 60 - 10)
            new = wait_until(lambda: {key["kid"] for key in cluster.listed()} - before)
            assert len(new) == 2 and [key["stage"] for key in cluster.listed() if key["kid"] in new] == ["published"] * 2
            wait_until(lambda: all(new & published(server) for server in servers))
            assert [wait_until(lambda: traffic.use(number)) for number in range(2)] == old, "published, and not in use"
            cluster.move(11)
            wait_until(lambda: {traffic.use(number) for number in range(2)} == new)
            before |= new
        assert {key["kid"] for key in cluster.listed()} == before
        cluster.move(20)
        wait_until(lambda: all(len(published(server)) == 1 for server in servers))
    finally:
        traffic.end()
    log = "".join(server.log() for server in servers)
    assert 2 <= log.count("the keys were due: new ones are published") <= 6 and "could be added" not in log


def test_instances_that_start_at_once_have_the_same_keys(instances):
    cluster = instances()
    threads = [threading.Thread(target=cluster.start) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert len({frozenset(published(server)) for server in cluster.all}) == 1
    assert len(cluster.listed()) == 2


@contextlib.contextmanager
def held(cluster, statement):
    """Holds a lock until the end of the block."""
    process = subprocess.Popen(
        ["psql", "-X", "-q", "-h", cluster.cluster.directory, "-U", "postgres", "-d", cluster.database],
        stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    process.stdin.write(f"BEGIN; {statement};\n")
    process.stdin.flush()
    yield
    process.stdin.write("COMMIT;\n")
    process.stdin.close()
    assert process.wait(30) == 0


def test_rotations_at_the_same_instant_give_one_key(instances):
    cluster = instances()
    cluster.start()
    lock = "SELECT count(*) FROM pg_locks WHERE relation = 'cloakroom.keys'::regclass AND NOT granted"
    for arguments, use in [([], "access"), (["--refresh-secret"], "refresh")]:
        # Readers pass, so each command has read the keys before one of them writes.
        with held(cluster, "LOCK TABLE cloakroom.keys IN SHARE MODE"):
            commands = [
                subprocess.Popen(
                    [BINARY, "keys", "rotate", *arguments, "--json"], stdout=subprocess.PIPE, text=True,
                    env=clean_environment(dataDir=cluster.directory / "data0"))
                for _ in range(4)]
            wait_until(lambda: cluster.psql(lock) == "4")
        outputs = [command.communicate(timeout=60)[0] for command in commands]
        assert [command.returncode for command in commands] == [0] * 4
        assert len({frozenset(key["kid"] for key in json.loads(output)) for output in outputs}) == 1
        assert [key["stage"] for key in cluster.listed() if key["use"] == use] == ["signing", "published"]
    assert cluster.keys("rotate").returncode == 0
    assert len(cluster.listed()) == 5


@pytest.mark.parametrize("hours", [-1, 1])
def test_an_instance_with_a_wrong_clock_publishes_and_signs_as_the_others_do(instances, hours):
    cluster = instances(stragglerWindow=0, reissueDelay=0)
    right, wrong = cluster.start(), cluster.start(clock=f"{hours:+d}h")
    clients = [Client(right), Client(wrong)]
    for client in clients:
        client.sign_up()
    first = kids(clients[0].cookie)[0]
    rotated = subprocess.run(
        [*wrong._steering(), BINARY, "keys", "rotate"], env=clean_environment(dataDir=wrong.directory), capture_output=True)
    assert rotated.returncode == 0
    for minutes, uses_new in [(0, False), (5, False), (7, True)]:
        cluster.move(minutes)
        wait_until(lambda: len(published(right)) == len(published(wrong)) == 2)
        for client in clients:
            wait_until(lambda: client.refresh().status == 200 and (kids(client.cookie)[0] != first) == uses_new)
            assert client.check().status == 204
    cluster.move(18)
    for server in [right, wrong]:
        wait_until(lambda: len(published(server)) == 1 and first not in published(server))


# The master secret.

def test_without_a_master_secret_the_start_is_refused_before_anything_is_changed(instances):
    cluster = instances()
    refused = refuse_to_serve(cluster.directory / "data", store=cluster.settings["store"], masterSecret=None)
    assert refused.returncode == 78
    assert "cloakroom keys secret" in refused.stderr and "masterSecretFile" in refused.stderr
    assert cluster.psql("SELECT count(*) FROM pg_tables WHERE schemaname = 'cloakroom'") == "0"


@pytest.mark.parametrize("text, mode, complaint", [
    (None, 0o600, "there is no file"), ("", 0o600, "32 bytes in base64url"), (MASTER_SECRET[:-1], 0o600, "32 bytes in base64url"),
    (MASTER_SECRET, 0o644, "chmod 600")])
def test_a_bad_file_of_the_master_secret_stops_the_start_without_its_content(instances, text, mode, complaint):
    cluster = instances()
    cluster.secret.unlink()
    if text is not None:
        cluster.secret.write_text(text)
        cluster.secret.chmod(mode)
    refused = refuse_to_serve(cluster.directory / "data", **cluster.settings)
    assert refused.returncode == 78 and complaint in refused.stderr and str(cluster.secret) in refused.stderr, refused.stderr
    assert not text or text not in refused.stderr
    bad = refuse_to_serve(cluster.directory / "data", store=cluster.settings["store"], masterSecret="s3cret" * 9)
    assert bad.returncode == 78 and "s3cret" not in bad.stderr


def test_a_wrong_master_secret_is_refused_and_changes_nothing(instances):
    cluster = instances()
    server = cluster.start()
    before = cluster.psql("SELECT * FROM cloakroom.keys ORDER BY id")
    cluster.write_secret(OTHER_SECRET)
    refused = refuse_to_serve(cluster.directory / "other", **cluster.settings)
    command = cluster.keys("rotate")
    for result in [refused, command]:
        assert result.returncode == 78 and "masterSecretFile" in result.stderr and "another" not in result.stdout
        assert "sealed under the master secret with the id" in result.stderr
        assert MASTER_SECRET not in result.stderr and OTHER_SECRET not in result.stderr
    assert cluster.psql("SELECT * FROM cloakroom.keys ORDER BY id") == before
    client = Client(server)
    client.sign_up()
    assert client.refresh().status == 200, "the running instance goes on"
    cluster.write_secret(MASTER_SECRET)


def test_the_secret_can_be_a_credential_of_systemd(instances):
    cluster = instances()
    credentials = cluster.directory / "credentials"
    credentials.mkdir()
    # systemd gives files with an access list, whose mask shows as the mode of the group.
    (credentials / "master-secret").write_text(MASTER_SECRET)
    (credentials / "master-secret").chmod(0o440)
    server = Server(
        cluster.directory / "data", store=cluster.settings["store"], masterSecret=None,
        environment={"CREDENTIALS_DIRECTORY": str(credentials)})
    cluster.all.append(server)
    assert len(published(server)) == 1


def test_the_master_secret_is_changed_while_instances_run(instances):
    cluster = instances()
    servers = [cluster.start(), cluster.start()]
    client = Client(servers[0])
    client.sign_up()
    new = run("keys", "secret").stdout.strip()
    cluster.write_secret(MASTER_SECRET, new)
    cluster.write_secret(new, MASTER_SECRET)
    assert json.loads(cluster.keys("reseal", "--json").stdout) == [{"resealed": 2}]
    cluster.write_secret(new)
    assert cluster.keys("rotate", "--now").returncode == 0
    for server in servers:
        wait_until(lambda: len(published(server)) == 2)
    third = cluster.start()
    assert Client(third, client.cookie).check().status == 204
    cluster.write_secret(MASTER_SECRET)
    assert refuse_to_serve(cluster.directory / "other", **cluster.settings).returncode == 78
    cluster.write_secret(new)


# Lost rows.

def test_rows_that_a_restored_dump_lacks_are_put_back_by_an_instance_that_remembers_them(instances):
    cluster = instances(stragglerWindow=0, reissueDelay=0)
    server = cluster.start()
    old = next(iter(published(server)))
    dump = cluster.psql("COPY cloakroom.keys TO STDOUT")
    for arguments in [["rotate", "--now"], ["rotate", "--refresh-secret", "--now"], ["remove", old]]:
        assert cluster.keys(*arguments).returncode == 0
    client = Client(server)
    client.sign_up()
    wait_until(lambda: client.log_in().status == 200 and kids(client.cookie)[0] != old)
    kept = {key["kid"] for key in cluster.listed()}
    subprocess.run(
        ["psql", "-X", "-q", "-h", cluster.cluster.directory, "-U", "postgres", "-d", cluster.database], check=True, text=True,
        input=f"BEGIN; DELETE FROM cloakroom.keys; COPY cloakroom.keys FROM STDIN;\n{dump}\n\\.\nCOMMIT;\n")
    wait_until(lambda: "which were put back" in server.log())
    wait_until(lambda: {key["kid"] for key in cluster.listed()} == kept)
    newcomer = cluster.start()
    elsewhere = Client(newcomer, client.cookie)
    assert elsewhere.check().status == 204 and elsewhere.refresh().status == 200
    assert old not in published(newcomer), "a removed key stays removed"


def test_a_stolen_dump_has_no_key_without_the_master_secret(instances):
    """Opens the seals by the format in docs/decisions/0027, with another implementation of AES-GCM and HKDF."""
    cluster = instances()
    server = cluster.start()
    client = Client(server)
    client.sign_up()
    rows = cluster.psql(
        "SELECT kind, algorithm, id, period, created_at, signs_from, encode(sealed, 'hex') FROM cloakroom.keys ORDER BY kind DESC")
    opened = [open_seal(*row.split("|")) for row in rows.splitlines()]
    number = int.from_bytes(decode(opened[0].decode()), "big")
    public = ec.derive_private_key(number, ec.SECP256R1()).public_key().public_numbers()
    (jwk,) = Client(server).get("/.well-known/jwks.json").json["keys"]
    assert public.x.to_bytes(32, "big") == decode(jwk["x"]), "it is the key that signs"
    dump = subprocess.run(
        ["pg_dump", "-h", cluster.cluster.directory, "-U", "postgres", cluster.database], capture_output=True, check=True).stdout
    for secret in [decode(opened[0].decode()), opened[1], decode(MASTER_SECRET)]:
        for spelling in [secret.hex().encode(), base64.urlsafe_b64encode(secret).rstrip(b"="), base64.b64encode(secret).rstrip(b"=")]:
            assert spelling not in dump and spelling not in server.log().encode()
    with pytest.raises(Exception):
        open_seal(*rows.splitlines()[0].split("|"), secret=OTHER_SECRET)


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def derive(secret, purpose, length):
    return HKDF(hashes.SHA256(), length, None, purpose).derive(decode(secret))


def open_seal(kind, algorithm, key_id, period, created_at, signs_from, sealed, secret=MASTER_SECRET):
    sealed = bytes.fromhex(sealed)
    assert sealed[0] == 1 and sealed[1:9] == derive(MASTER_SECRET, b"cloakroom master secret id", 8)
    parts = ["cloakroom key 1", kind, algorithm, key_id, period, created_at, signs_from]
    identity = b"".join(len(part).to_bytes(4, "big") + part.encode() for part in parts)
    return AESGCM(derive(secret, b"cloakroom sealed keys", 32)).decrypt(sealed[9:21], sealed[21:], sealed[:9] + identity)


# Commands.

def test_the_keys_of_a_server_with_sqlite_can_be_imported(instances):
    old = Server(instances().directory / "old")
    client = Client(old)
    client.sign_up()
    old.stop()
    cluster = instances()
    server = cluster.start()
    imported = cluster.keys("import", old.directory)
    assert imported.returncode == 0 and kids(client.cookie)[0] in imported.stdout, imported.stderr
    wait_until(lambda: kids(client.cookie)[0] in imported.stdout and len(cluster.listed()) == 4)
    wait_until(lambda: Client(server, client.cookie).check().status == 204)
    again = cluster.keys("import", old.directory)
    assert again.returncode == 0 and len(cluster.listed()) == 4


def test_commands_about_keys_fit_the_store(instances, tmp_path):
    cluster = instances()
    cluster.start()
    assert run("users", "list", dataDir=cluster.all[0].directory, masterSecret=None).returncode == 0
    files = Server(tmp_path / "files")
    files.stop()
    for arguments in [["reseal"], ["import", files.directory]]:
        assert run("keys", *arguments, dataDir=files.directory).returncode == 1
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}\n", run("keys", "secret").stdout)
    assert run("keys", "secret").stdout != run("keys", "secret").stdout
    signing = next(key["kid"] for key in cluster.listed() if key["use"] == "access")
    refused = cluster.keys("remove", signing)
    assert refused.returncode == 1 and "signs now" in refused.stderr
