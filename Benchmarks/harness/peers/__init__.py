"""The other products with which Cloakroom is compared."""
from . import apache, fastapi_pyjwt, flask_jwt_extended, flask_rotation, haproxy, nginx, node, simplejwt
from .peer import Peer

CHECK_PEERS: list[Peer] = [
    nginx.RETURN_204,
    nginx.AUTH_REQUEST,
    haproxy.JWT_VERIFY,
    nginx.LUA_CACHE,
    apache.OAUTH20,
    node.CRYPTO,
    fastapi_pyjwt.COOKIE,
    flask_jwt_extended.COOKIE,
]

RENEWAL_PEERS: list[Peer] = [flask_rotation.ONE_UPDATE, simplejwt.DEFAULTS, simplejwt.WAL_IMMEDIATE]

# With those of the proxies in `fronts`, and of PostgreSQL.
DEBIAN_PACKAGES: list[str] = [
    "apache2",
    "caddy",
    "haproxy",
    "libapache2-mod-auth-openidc",
    "libnginx-mod-http-lua",
    "lua-cjson",
    "lua-luaossl",
    "lua-socket",
    "nginx",
    "nodejs",
    "openssl",
    "pgbouncer",
    "postgresql",
]
