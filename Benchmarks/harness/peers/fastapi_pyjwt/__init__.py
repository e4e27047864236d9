from pathlib import Path

from .. import versions
from ..peer import Material, Peer
from ..place import Command, Place

HERE = Path(__file__).parent


def _commands(material: Material, place: Place) -> list[Command]:
    server = [material.python, "-m", "uvicorn", "--no-access-log", "--log-level", "warning"]
    size = ["--workers", str(place.cores), "--host", "127.0.0.1", "--port", str(place.port)]
    return [Command([*server, *size, "app:app"], material.environment, HERE)]


COOKIE = Peer(
    "FastAPI + PyJWT, uvicorn",
    lambda: versions.python("fastapi", "starlette", "PyJWT", "uvicorn"),
    _commands,
)
