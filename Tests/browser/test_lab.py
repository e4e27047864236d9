"""The attack lab: our own rows, and that its attacks are attacks."""
import json
import os
import subprocess

import pytest

from server import BINARY

OURS = ["--storage", "cloakroom", "--storage", "cloakroom-step-up"]


def lab(tmp_path, *arguments, environment=None, timeout=400):
    path = tmp_path / "run.json"
    result = subprocess.run(
        [BINARY, "lab", "--json", str(path), *arguments], capture_output=True, text=True, timeout=timeout,
        env=os.environ | (environment or {}))
    run = json.loads(path.read_text()) if path.exists() else None
    return result, run


def verdicts(run):
    return {(cell["storage"], cell["attack"]): cell["verdict"] for cell in run["cells"]}


def test_our_rows_are_as_promised(tmp_path):
    result, run = lab(tmp_path, "--engine", "chromium", *OURS, "--html", str(tmp_path / "run.html"))
    assert result.returncode == 0, result.stdout[-3000:]
    assert len(run["cells"]) == 44 and run["problems"] == []
    assert "Where do I store the JWT?" in (tmp_path / "run.html").read_text()


@pytest.mark.parametrize("attack, storage", [
    ("read-and-send", "local-storage"), ("stay-and-take", "memory"), ("fresh-tokens", "hybrid"),
    ("ride-sensitive", "cloakroom"), ("cross-site-request", "cookie-hurried"), ("sibling-request", "cookie-lax"),
    ("login-forgery", "cookie-lax"), ("cookie-tossing", "hybrid"), ("plant-session", "local-storage"),
    ("logout-forgery", "cookie-hurried"), ("take-from-now-on", "hybrid"), ("attackers-worker", "cookie-lax"),
    ("laundered-request", "service-worker"), ("laundered-sibling-request", "cookie-lax"),
    ("websocket", "cookie-hurried"), ("sibling-websocket", "cookie-lax"), ("jar-after-logout", "local-storage"),
    ("addresses", "memory"),
])
def test_each_attack_fells_somebody(tmp_path, attack, storage):
    result, run = lab(tmp_path, "--engine", "chromium", "--attack", attack, "--storage", storage)
    assert result.returncode == 0 and verdicts(run) == {(storage, attack): "falls"}, result.stdout


def test_firefox_launders_a_sibling_s_form_and_is_told_apart_by_its_referer(tmp_path):
    result, run = lab(tmp_path, "--engine", "firefox", "--attack", "laundered-sibling-request", *OURS)
    assert result.returncode == 0 and set(verdicts(run).values()) == {"holds"}, result.stdout


def test_a_browser_that_is_missing_is_named_by_its_package(tmp_path):
    result, run = lab(tmp_path, "--engine", "webkit", environment={"PATH": str(tmp_path)})
    assert result.returncode == 69 and run is None
    assert "apt-get install webkit2gtk-driver xvfb" in result.stderr


@pytest.mark.parametrize("arguments", [["--attack", "x"], ["--storage", "x"], ["--engine", "safari"], ["--repeat", "0"], ["--browsers", "0"]])
def test_what_there_is_not_is_refused(tmp_path, arguments):
    result, run = lab(tmp_path, *arguments)
    assert result.returncode == 64 and run is None
