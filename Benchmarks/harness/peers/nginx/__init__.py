import os
from pathlib import Path

from .. import versions
from ..peer import Material, Peer
from ..place import Command, Place, free_port

HERE = Path(__file__).parent
MODULES = Path("/usr/lib/nginx/modules")


def commands(site: Path, place: Place, modules: tuple[str, ...] = (), **values: object) -> list[Command]:
    """Runs nginx with a template for the inside of `http`."""
    return framed(place.write(site, **values), place, modules)


def framed(site: Path, place: Place, modules: tuple[str, ...] = ()) -> list[Command]:
    """Runs nginx with a file for the inside of `http`."""
    loads = "\n".join(f"load_module {MODULES / module};" for module in modules)
    # The user that Debian's nginx.conf names. Only root can change the user.
    user = "user www-data;" if os.getuid() == 0 else ""
    frame = place.write(HERE / "nginx.conf", modules=loads, user=user, site=site)
    prefix = str(place.directory)
    return [Command(["nginx", "-p", prefix, "-e", f"{prefix}/error.log", "-c", str(frame)])]


def _return_204(material: Material, place: Place) -> list[Command]:
    return commands(HERE / "return_204.conf", place)


def _auth_request(material: Material, place: Place) -> list[Command]:
    return commands(HERE / "auth_request.conf", place, decision_port=free_port())


def _lua_cache(material: Material, place: Place) -> list[Command]:
    return commands(
        HERE / "lua.conf",
        place,
        ("ndk_http_module.so", "ngx_http_lua_module.so"),
        here=HERE,
        key=material.ec_public_pem,
        issuer=material.issuer,
        audience=material.audience,
    )


RETURN_204 = Peer("nginx return 204", lambda: versions.debian("nginx"), _return_204, algorithm="-")
AUTH_REQUEST = Peer("nginx auth_request -> nginx 204", lambda: versions.debian("nginx"), _auth_request, algorithm="-")
LUA_CACHE = Peer(
    "nginx + Lua, token cache",
    lambda: versions.debian("nginx", "libnginx-mod-http-lua", "lua-luaossl"),
    _lua_cache,
)
