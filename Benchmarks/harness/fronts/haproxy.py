from pathlib import Path

from ..peers import versions
from ..peers.place import Command, Place
from .front import Front, Site
from .recipe import written

HERE = Path(__file__).parent / "configurations"


def _plain(place: Place, site: Site) -> list[Command]:
    return _command(place.write(HERE / "haproxy.cfg", backend_port=site.backend_port))


def _recipe(place: Place, site: Site) -> list[Command]:
    lua = written(place, "haproxy/cloakroom.lua", {"/run/cloakroom/private.sock": site.private_socket})
    return _command(written(place, "haproxy/haproxy.cfg", {
        # Only root can change the user, and no proxy of this benchmark writes an access log.
        "    log /dev/log local0\n    user haproxy\n    group haproxy\n": "",
        "    log global\n    option httplog\n": "",
        "/etc/haproxy/cloakroom.lua\n\n": f"{lua}\n\n",
        "bind :443 ssl crt /etc/ssl/app.example.com/app.pem alpn h2,http/1.1": f"bind 127.0.0.1:{place.port}",
        "server app 127.0.0.1:3000": f"server app 127.0.0.1:{site.backend_port}",
        "server cloakroom 127.0.0.1:8080": f"server cloakroom 127.0.0.1:{site.cloakroom_port}",
    }))


def _command(configuration: Path) -> list[Command]:
    return [Command(["haproxy", "-db", "-f", str(configuration)])]


def _version() -> str:
    return versions.debian("haproxy")


PLAIN = Front("HAProxy, no check", _plain, _version, is_checked=False)
RECIPE = Front("HAProxy, deploy/proxies/haproxy", _recipe, _version)
