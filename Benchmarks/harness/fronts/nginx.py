import shutil
from pathlib import Path

from ..peers import nginx, versions
from ..peers.place import Command, Place
from .front import Front, Site
from .recipe import PROXIES, written

HERE = Path(__file__).parent / "configurations"


def _plain(place: Place, site: Site) -> list[Command]:
    return nginx.commands(HERE / "proxy_pass.conf", place, backend_port=site.backend_port)


def _auth_request(place: Place, site: Site) -> list[Command]:
    return nginx.commands(
        HERE / "auth_request.conf", place, backend_port=site.backend_port, private_socket=site.private_socket)


def _recipe(place: Place, site: Site) -> list[Command]:
    shutil.copytree(PROXIES / "nginx" / "snippets", place.directory / "snippets", dirs_exist_ok=True)
    recipe = written(place, "nginx/forward-auth.conf", {
        "server 127.0.0.1:8080;": f"server 127.0.0.1:{site.cloakroom_port};",
        "server unix:/run/cloakroom/private.sock;": f"server unix:{site.private_socket};",
        "server 127.0.0.1:3000;": f"server 127.0.0.1:{site.backend_port};",
        "listen 443 ssl;": f"listen 127.0.0.1:{place.port};",
        "    ssl_certificate     /etc/ssl/app.example.com/fullchain.pem;\n": "",
        "    ssl_certificate_key /etc/ssl/app.example.com/privkey.pem;\n": "",
    })
    return nginx.framed(recipe, place)


def _version() -> str:
    return versions.debian("nginx")


PLAIN = Front("nginx proxy_pass", _plain, _version, is_checked=False)
AUTH_REQUEST = Front("nginx auth_request, asks cloakroom", _auth_request, _version)
RECIPE = Front("nginx, deploy/proxies/nginx", _recipe, _version)
