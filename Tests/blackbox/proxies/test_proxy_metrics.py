"""The metrics behind nginx, for Prometheus."""
import http.client

import pytest

from browser import Answer
from nginx import Nginx
from place import Place
from proxy import PATIENCE

pytestmark = pytest.mark.skipif(not Nginx.is_installed(), reason="nginx is not installed")


@pytest.fixture(scope="module")
def place():
    place = Place(Nginx)
    yield place
    place.stop()


def ask(place, path, address="127.0.0.1", headers=None):
    connection = http.client.HTTPConnection("127.0.0.1", place.proxy.metrics_port, timeout=PATIENCE, source_address=(address, 0))
    connection.request("GET", path, headers=headers or {})
    answer = Answer(connection.getresponse())
    connection.close()
    return answer


@pytest.mark.parametrize("path, address, status", [
    ("/metrics", "127.0.0.1", 200), ("/metrics/", "127.0.0.1", 404), ("/auth/check", "127.0.0.1", 404), ("/metrics", "127.5.0.1", 403)])
def test_prometheus_alone_gets_the_metrics_and_nothing_else(place, path, address, status):
    answer = ask(place, path, address)
    assert answer.status == status and (b"cloakroom_sessions" in answer.body) == (status == 200)


def test_a_page_whose_name_resolves_to_the_proxy_reads_no_metrics(place):
    answer = ask(place, "/metrics", headers={"Host": f"evil.test:{place.proxy.metrics_port}"})
    assert answer.status == 421 and b"cloakroom_" not in answer.body
