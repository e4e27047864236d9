"""Runs the blocks of docs/several-hosts.md."""
import re

import pytest

from browser import PASSWORD
from gateway import Gateway
from host_browser import APP, FLOW, LOGIN, SHOP, HostBrowser, target
from raw_backend import free_port
from server import ROOT
from shell import blocks
from test_gateway_guide import running, through
from test_readme import shell  # noqa: F401 (a fixture)

PAGE = (ROOT / "docs/several-hosts.md").read_text()
SNIPPETS = ROOT / "docs/snippets/several-hosts"


def test_the_commands_of_the_page_start_a_hand_over(shell):  # noqa: F811
    (shell.directory / "Examples").symlink_to(ROOT / "Examples")
    port = free_port()
    with running(shell, (SNIPPETS / "try.sh").read_text().replace(":8080", f":{port}"), free_port(), port):
        [asked] = blocks("docs/several-hosts.md")
        # The names resolve by themselves where the system's resolver or curl knows `localhost` as a domain.
        shell.add("resolved", f'exec curl --resolve shop.localhost:{port}:127.0.0.1 "$@"')
        result = shell.run(asked.replace("curl -i", "resolved -i"), {".localhost:8080": f".localhost:{port}"})
        assert result.returncode == 0, result
        assert re.findall(r"HTTP/1\.1 (\d+)", result.stdout) == ["302", "302"]
        assert f"Location: http://login.localhost:{port}/auth/hand-over/code?state=" in result.stdout
        assert f"Set-Cookie: {FLOW}=" in result.stdout
        assert through(port, "/", None, {"Host": f"other.localhost:{port}"}).status == 421


@pytest.fixture(scope="module")
def configured(tmp_path_factory):
    """The configuration of the page, with a backend of the test."""
    directory = tmp_path_factory.mktemp("page")
    text = (SNIPPETS / "cloakroom.yaml").read_text()
    settings = dict(re.findall(r"^(publicURL|hosts): \[?([^\]#\n]+?)\]?\s*(?:#.*)?$", text, re.M))
    gateway = Gateway(directory / "data", **settings)
    yield gateway
    assert gateway.stop() == 0


def test_the_links_of_the_page_work_at_every_host(configured):
    links = re.findall(r'(?:href|action)="([^"]+)"', (SNIPPETS / "links.html").read_text())
    log_in, pay, account, log_out = (link.replace("&amp;", "&") for link in links)
    browser = HostBrowser(configured)
    browser.sign_up("links@example.com")
    for host in (APP, SHOP):
        assert browser.follow(host, log_in, until="/cart")[:2] == (host, "/cart")
        assert target(browser.open(host, account), host) == (LOGIN, "/auth/pages/account")
        assert browser.follow(host, pay)[0] == LOGIN, "it asks for the password"
        answer = browser.send(LOGIN, "POST", "/auth/step-up", {"password": PASSWORD})
        assert answer.status in (200, 503), answer
    form = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Mode": "navigate"}
    assert browser.send(SHOP, "POST", log_out, headers=form).status == 303
    assert browser.session(APP) == {"authenticated": False}


def test_the_page_lists_every_refusal():
    source = (ROOT / "Sources/CloakroomCore/HandOver.swift").read_text()
    header, *listed = re.findall(r"^\| `(\w+)` \|", PAGE.split("## Find out why")[1], re.M)
    assert header == "refusal" and set(listed) == set(re.findall(r'case \w+ = "(\w+)"', source))
