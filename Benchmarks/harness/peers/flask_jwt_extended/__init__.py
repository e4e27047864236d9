from pathlib import Path

from .. import gunicorn, versions
from ..peer import Material, Peer
from ..place import Command, Place

HERE = Path(__file__).parent


def _commands(material: Material, place: Place) -> list[Command]:
    return gunicorn.commands("app:app", HERE, {}, material, place)


COOKIE = Peer(
    "Flask-JWT-Extended, gunicorn",
    lambda: versions.python("Flask", "Flask-JWT-Extended", "gunicorn"),
    _commands,
    # It responds 422 to some bad tokens.
    refusals=frozenset({401, 422}),
)
