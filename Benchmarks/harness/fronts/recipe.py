"""The files of deploy/proxies, with the addresses of a run."""
from pathlib import Path

from ..peers.place import Place

PROXIES = Path(__file__).parents[3] / "deploy" / "proxies"


def written(place: Place, name: str, replacements: dict[str, object]) -> Path:
    """Copies a recipe's file, such as `nginx/forward-auth.conf`, into the place. Each text that is replaced must be in
    it."""
    text = (PROXIES / name).read_text()
    for old, new in replacements.items():
        if old not in text:
            raise RuntimeError(f"deploy/proxies/{name} does not have {old.strip()}")
        text = text.replace(old, str(new))
    target = place.directory / Path(name).name
    target.write_text(text)
    return target
