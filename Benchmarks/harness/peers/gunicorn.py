"""The server of the Python applications. It uses threads, because its default worker has no keep-alive."""
from pathlib import Path

from .peer import Material
from .place import Command, Place

THREADS = 4


def commands(
    application: str, folder: Path, environment: dict[str, str], material: Material, place: Place
) -> list[Command]:
    server = [material.python, "-m", "gunicorn", "--no-control-socket", "--worker-class", "gthread"]
    # (2 x cores) + 1 workers: "How Many Workers?" in gunicorn's documentation.
    workers = 2 * place.cores + 1
    size = ["--workers", str(workers), "--threads", str(THREADS), "--bind", f"127.0.0.1:{place.port}"]
    return [Command([*server, *size, application], material.environment | environment, folder)]
