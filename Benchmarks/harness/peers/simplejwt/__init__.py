import json
import subprocess
from functools import partial
from pathlib import Path

from .. import gunicorn, versions
from ..peer import Material, Peer
from ..place import Command, Place

HERE = Path(__file__).parent


def _environment(sqlite: str, place: Place) -> dict[str, str]:
    return {
        "DJANGO_SETTINGS_MODULE": "settings",
        "PEER_DATABASE": str(place.directory / "db.sqlite3"),
        "PEER_SQLITE": sqlite,
    }


def _commands(sqlite: str, material: Material, place: Place) -> list[Command]:
    return gunicorn.commands("wsgi:application", HERE, _environment(sqlite, place), material, place)


def _sessions(sqlite: str, material: Material, place: Place, count: int) -> list[str]:
    for file in place.directory.glob("db.sqlite3*"):
        file.unlink()
    script = [material.python, str(HERE / "make_sessions.py"), str(count)]
    environment = material.environment | _environment(sqlite, place)
    made = subprocess.run(script, env=environment, cwd=HERE, stdout=subprocess.PIPE, check=True)
    return json.loads(made.stdout)


def _peer(name: str, sqlite: str) -> Peer:
    return Peer(
        f"Django simplejwt blacklist, SQLite {name}",
        lambda: versions.python("Django", "djangorestframework", "djangorestframework-simplejwt", "gunicorn"),
        partial(_commands, sqlite),
        path="/refresh",
        ok=200,
        sessions=partial(_sessions, sqlite),
    )


DEFAULTS = _peer("defaults", "defaults")
WAL_IMMEDIATE = _peer("WAL+IMMEDIATE", "wal-immediate")
