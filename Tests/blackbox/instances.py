"""Instances of Cloakroom on one database, whose clock a test moves."""
import json

import pytest

from server import MASTER_SECRET, Server, run


class Instances:
    """Instances that share a database, each with a data directory of its own."""

    def __init__(self, cluster, directory, **settings):
        self.cluster = cluster
        self.database = cluster.database_with_clock()
        self.directory = directory
        self.secret = directory / "master-secret"
        self.write_secret(MASTER_SECRET)
        self.settings = {"store": cluster.address(self.database), "masterSecretFile": self.secret} | settings
        self.all = []

    def write_secret(self, *secrets):
        self.secret.write_text("\n".join(secrets) + "\n")
        self.secret.chmod(0o600)

    def start(self, **settings):
        server = Server(self.directory / f"data{len(self.all)}", **self.settings | settings)
        self.all.append(server)
        return server

    def stop(self):
        for server in self.all:
            assert server.stop() == 0

    def psql(self, *statements):
        return self.cluster.psql(*(word for text in statements for word in ("-c", text)), database=self.database)

    def move(self, minutes):
        """Moves the clock of the database."""
        self.cluster.move_clock(self.database, 60 * minutes)

    def hold_clock(self):
        self.cluster.hold_clock(self.database)

    def keys(self, *arguments, of=0, **settings):
        return run("keys", *arguments, dataDir=self.directory / f"data{of}", **settings)

    def listed(self, **options):
        result = self.keys("list", "--json", **options)
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


@pytest.fixture
def instances(cluster, tmp_path):
    made = []

    def instances(**settings):
        made.append(Instances(cluster, tmp_path, **settings))
        return made[-1]

    yield instances
    for each in made:
        each.stop()
