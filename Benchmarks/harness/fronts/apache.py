import os
from pathlib import Path

from ..peers import versions
from ..peers.place import Command, Place
from .front import Front, Site
from .recipe import written

HERE = Path(__file__).parent / "configurations"
MODULES = Path("/usr/lib/apache2/modules")
PROXYING = ["mpm_event", "authz_core", "proxy", "proxy_http"]
CHECKING = ["lua", "headers", "rewrite", "setenvif"]
THREADS = 64
"""Threads per core: enough for every connection of the load."""


def _plain(place: Place, site: Site) -> list[Command]:
    return _command(place, place.write(HERE / "apache-site.conf", backend_port=site.backend_port), PROXYING)


def _recipe(place: Place, site: Site) -> list[Command]:
    lua = written(place, "apache/cloakroom.lua", {"/run/cloakroom/private.sock": site.private_socket})
    recipe = written(place, "apache/forward-auth.conf", {
        # Debian listens in a file of its own.
        "LuaScope thread\n": f"LuaScope thread\nListen 127.0.0.1:{place.port}\n",
        "*:443>": f"*:{place.port}>",
        "    SSLEngine on\n": "",
        "    SSLCertificateFile    /etc/ssl/app.example.com/fullchain.pem\n": "",
        "    SSLCertificateKeyFile /etc/ssl/app.example.com/privkey.pem\n": "",
        "/etc/apache2/cloakroom.lua check": f"{lua} check",
        "http://127.0.0.1:8080/": f"http://127.0.0.1:{site.cloakroom_port}/",
        "http://127.0.0.1:3000/": f"http://127.0.0.1:{site.backend_port}/",
    })
    return _command(place, recipe, PROXYING + CHECKING)


def _command(place: Place, site: Path, modules: list[str]) -> list[Command]:
    frame = place.write(
        HERE / "apache.conf",
        modules="\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in modules),
        user="User www-data\nGroup www-data" if os.getuid() == 0 else "",
        threads=THREADS * place.cores,
        site=site)
    return [Command(["apache2", "-D", "FOREGROUND", "-f", str(frame)])]


def _version() -> str:
    return versions.debian("apache2", "lua-socket")


PLAIN = Front("Apache, no check", _plain, _version, is_checked=False)
RECIPE = Front("Apache, deploy/proxies/apache", _recipe, _version)
