"""The proxies that the tests start."""
from apache import Apache
from caddy import Caddy
from envoy_proxy import Envoy
from haproxy import HAProxy
from nginx import Nginx

PROXIES = [Nginx, Caddy, HAProxy, Apache, Envoy]
