from pathlib import Path

from .. import versions
from ..peer import Material, Peer
from ..place import Command, Place

HERE = Path(__file__).parent


def _commands(material: Material, place: Place) -> list[Command]:
    return [Command(["node", str(HERE / "server.mjs"), str(place.port)], material.environment)]


CRYPTO = Peer("Node http + crypto, one process", lambda: versions.debian("nodejs"), _commands)
