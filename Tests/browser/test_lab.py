"""The attack lab: the verdicts of Cloakroom's storage choices, with a control for each attack."""
import json
import os
import pathlib
import subprocess
import urllib.parse
import urllib.request

import pytest

from server import BINARY

LAB = pathlib.Path(BINARY).with_name("cloakroom-lab")
OURS = ["--storage", "cloakroom", "--storage", "cloakroom-step-up"]
ATTACKS = sum(path.is_dir() for path in (pathlib.Path(__file__).resolve().parents[2] / "Lab/attacks").iterdir())


def lab(tmp_path, *arguments, environment=None, timeout=3600):
    path = tmp_path / "run.json"
    result = subprocess.run(
        [LAB, "--json", str(path), *arguments], capture_output=True, text=True, timeout=timeout,
        env=os.environ | (environment or {}))
    run = json.loads(path.read_text()) if path.exists() else None
    return result, run


def verdicts(run):
    return {(cell["storage"], cell["attack"]): cell.get("verdict") for cell in run["cells"] if not cell["control"]}


def test_cloakroom_has_the_expected_verdicts_and_each_attack_succeeds_somewhere(tmp_path):
    result, run = lab(tmp_path, "--engine", "chromium", *OURS, "--html", str(tmp_path / "run.html"))
    assert result.returncode == 0, result.stdout[-3000:]
    assert len(verdicts(run)) == 2 * ATTACKS and run["problems"] == []
    controls = [cell for cell in run["cells"] if cell["control"]]
    assert len(controls) == ATTACKS and {cell.get("verdict") for cell in controls} == {"falls"}
    assert all(cell["records"][0]["entries"] for cell in run["cells"])
    assert "Where do I store the JWT?" in (tmp_path / "run.html").read_text()
    saved = tmp_path / "saved.html"
    subprocess.run([LAB, "--saved", tmp_path / "run.json", "--html", saved], check=True, timeout=120)
    assert saved.read_text() == (tmp_path / "run.html").read_text()


def test_a_file_that_is_not_a_saved_run_is_refused(tmp_path):
    for path, content in (("missing.json", None), ("wrong.json", "{}")):
        if content:
            (tmp_path / path).write_text(content)
        result = subprocess.run([LAB, "--saved", tmp_path / path], capture_output=True, text=True, timeout=120)
        assert result.returncode == 1 and f"{path} is no saved run" in result.stderr


def test_a_bank_can_be_attacked_by_hand(tmp_path):
    process = subprocess.Popen(
        [LAB, "--by-hand", "--storage", "cookie-samesite-none"], stdout=subprocess.PIPE, text=True)
    try:
        storage, address = process.stdout.readline().split()
        assert storage == "cookie-samesite-none" and "ann@example.com" in process.stdout.readline()
        port = urllib.parse.urlsplit(address).port
        login = json.dumps({"email": "ann@example.com", "password": "correct horse battery"}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/login", login, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=120) as answer:
            cookie = answer.headers.get_all("Set-Cookie")[0].split(";")[0]
        forged = urllib.request.Request(
            f"http://127.0.0.1:{port}/api/transfer", b"to=mallory@example.com&amount=100",
            {"Cookie": cookie, "Origin": "http://evil.localhost", "Content-Type": "application/x-www-form-urlencoded"})
        assert urllib.request.urlopen(forged, timeout=120).status == 200
    finally:
        process.terminate()
        assert process.wait(120) == 0


def test_a_sibling_s_form_through_a_service_worker_in_firefox_is_refused_by_its_referer(tmp_path):
    result, run = lab(tmp_path, "--engine", "firefox", "--attack", "worker-sibling-csrf", *OURS)
    assert result.returncode == 0 and set(verdicts(run).values()) == {"holds"}, result.stdout


def test_the_message_names_the_package_of_a_missing_browser(tmp_path):
    result, run = lab(tmp_path, "--engine", "webkit", environment={"PATH": str(tmp_path)})
    assert result.returncode == 69 and run is None
    assert "apt-get install webkit2gtk-driver xvfb" in result.stderr


@pytest.mark.parametrize("arguments", [["--attack", "x"], ["--storage", "x"], ["--engine", "safari"], ["--repeat", "0"], ["--browsers", "0"]])
def test_an_unknown_argument_is_refused(tmp_path, arguments):
    result, run = lab(tmp_path, *arguments)
    assert result.returncode == 64 and run is None
