"""The proxies that stand in front of a backend: each alone, and each with Cloakroom's recipe from deploy/proxies."""
from . import apache, caddy, haproxy, nginx
from .front import Front, gateway, proxy, prove

RECIPES: dict[str, tuple[Front, Front]] = {
    "nginx": (nginx.PLAIN, nginx.RECIPE),
    "HAProxy": (haproxy.PLAIN, haproxy.RECIPE),
    "Caddy": (caddy.PLAIN, caddy.RECIPE),
    "Apache": (apache.PLAIN, apache.RECIPE),
}
"""Each proxy without and with the check."""

FRONTS: list[Front] = [nginx.AUTH_REQUEST, *(front for pair in RECIPES.values() for front in pair)]
