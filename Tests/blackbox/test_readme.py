"""What the README says, done as it says it."""
import pathlib
import re
import shutil
import subprocess

import pytest

from browser import Client, tokens
from server import ROOT

README = (ROOT / "README.md").read_text()


def snippet(language):
    return re.search(rf"```{language}\n(.*?)```", README, re.S)[1]


@pytest.fixture
def client(shared):
    client = Client(shared)
    client.sign_up()
    return client


def test_the_python_snippet_verifies_a_token(client):
    code = snippet("python").replace("http://localhost:8080", client.server.origin)
    namespace = {}
    exec(code, namespace)
    token = tokens(client.cookie)[0]
    assert namespace["verify"](token)["client_id"] == "browser"
    with pytest.raises(Exception):
        namespace["verify"](token[:-4] + "AAAA")


@pytest.mark.skipif(shutil.which("node") is None, reason="there is no Node here")
def test_the_node_snippet_verifies_a_token(client, tmp_path):
    code = snippet("js").replace("http://localhost:8080", client.server.origin)
    token = tokens(client.cookie)[0]
    script = tmp_path / "verify.mjs"
    script.write_text(code + f"\nconsole.log(verifyToken({token!r}).client_id);\n")
    assert subprocess.run(["node", script], capture_output=True, text=True).stdout == "browser\n"
    script.write_text(code + f"\nverifyToken({token[:-4] + 'AAAA'!r});\n")
    assert subprocess.run(["node", script], capture_output=True, text=True).returncode != 0


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_curl_commands_work_as_they_stand(client, tmp_path):
    block = next(text for text in re.findall(r"```sh\n(.*?)```", README, re.S) if "curl" in text)
    script = block.replace("localhost:8080", f"localhost:{client.server.port}").replace("ann@", "readme@")
    result = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, cwd=tmp_path)
    answers = re.findall(r'"authenticated":(\w+)', result.stdout)
    assert result.returncode == 0 and answers == ["true", "true"], result.stdout
    logged_out = subprocess.run(
        ["curl", "-s", "-b", tmp_path / "jar", f"http://localhost:{client.server.port}/auth/session"], capture_output=True, text=True)
    assert logged_out.stdout == '{"authenticated":false}'


def test_every_document_that_is_named_is_there():
    for target in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / pathlib.Path(target)).exists(), target
