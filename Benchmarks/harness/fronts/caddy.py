from pathlib import Path

from ..peers import versions
from ..peers.place import Command, Place
from .front import Front, Site
from .recipe import written

HERE = Path(__file__).parent / "configurations"


def _plain(place: Place, site: Site) -> list[Command]:
    return _command(place, place.write(HERE / "Caddyfile", backend_port=site.backend_port))


def _recipe(place: Place, site: Site) -> list[Command]:
    configuration = written(place, "caddy/Caddyfile", {
        "unix//run/cloakroom/private.sock": f"unix/{site.private_socket}",
        "reverse_proxy 127.0.0.1:8080": f"reverse_proxy 127.0.0.1:{site.cloakroom_port}",
        "reverse_proxy 127.0.0.1:3000": f"reverse_proxy 127.0.0.1:{site.backend_port}",
        "app.example.com {\n": f"http://localhost:{place.port} {{\n\tbind 127.0.0.1\n",
    })
    # No second listener.
    configuration.write_text("{\n\tadmin off\n}\n" + configuration.read_text())
    return _command(place, configuration)


def _command(place: Place, configuration: Path) -> list[Command]:
    own = {name: str(place.directory) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME")}
    return [Command(["caddy", "run", "--config", str(configuration), "--adapter", "caddyfile"], own)]


def _version() -> str:
    return versions.debian("caddy")


PLAIN = Front("Caddy, no check", _plain, _version, is_checked=False)
RECIPE = Front("Caddy, deploy/proxies/caddy", _recipe, _version)
