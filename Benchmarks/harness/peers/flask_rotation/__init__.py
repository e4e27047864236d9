import hashlib
import secrets
import uuid
from pathlib import Path

from .. import gunicorn, versions
from ..peer import Material, Peer
from ..place import Command, Place
from .store import connect

HERE = Path(__file__).parent


def _database(place: Place) -> Path:
    return place.directory / "sessions.sqlite3"


def _commands(material: Material, place: Place) -> list[Command]:
    return gunicorn.commands("app:app", HERE, {"PEER_DATABASE": str(_database(place))}, material, place)


def _sessions(material: Material, place: Place, count: int) -> list[str]:
    for file in place.directory.glob("sessions.sqlite3*"):
        file.unlink()
    secret = [secrets.token_urlsafe(32) for _ in range(count)]
    rows = [(str(uuid.uuid4()), hashlib.sha256(value.encode()).digest()) for value in secret]
    database = connect(_database(place))
    with database:
        database.execute("BEGIN")
        database.execute("CREATE TABLE session (id INTEGER PRIMARY KEY, user TEXT NOT NULL, cur BLOB NOT NULL)")
        database.executemany("INSERT INTO session (user, cur) VALUES (?, ?)", rows)
    database.close()
    return [f"{number}.{value}" for number, value in enumerate(secret, start=1)]


ONE_UPDATE = Peer(
    "Flask, one UPDATE, SQLite WAL FULL",
    lambda: versions.python("Flask", "PyJWT", "gunicorn"),
    _commands,
    path="/refresh",
    ok=200,
    sessions=_sessions,
)
