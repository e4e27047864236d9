"""The systemd unit of deploy/, and what it has in common with the settings of the proxies."""
import re
import shutil
import subprocess

import pytest

from server import BINARY, ROOT

UNIT = (ROOT / "deploy/systemd/cloakroom.service").read_text()


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
@pytest.mark.parametrize("name", ["cloakroom.service", "cloakroom.socket"])
def test_systemd_takes_the_unit(tmp_path, name):
    unit, socket = tmp_path / "cloakroom.service", tmp_path / "cloakroom.socket"
    unit.write_text(UNIT.replace("/usr/bin/cloakroom", BINARY))
    socket.write_text((ROOT / "deploy/systemd/cloakroom.socket").read_text())
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / name], capture_output=True, text=True)
    about_it = [line for line in verified.stderr.splitlines() if "cloakroom" in line]
    assert verified.returncode == 0 and about_it == []


SETTINGS = sorted((ROOT / "deploy/proxies").glob("*/cloakroom.yaml"))


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda path: path.parent.name)
def test_the_unit_makes_the_directories_that_the_settings_name(settings):
    text = settings.read_text()
    assert "StateDirectory=cloakroom\n" in UNIT and "dataDir: /var/lib/cloakroom " in text
    if "privateListen: unix:" in text:
        assert "RuntimeDirectory=cloakroom\n" in UNIT and "privateListen: unix:/run/cloakroom/private.sock " in text
        [group] = re.findall(r"^privateSocketGroup: (\S+)", text, re.M)
        addition = settings.parent / "cloakroom.service.conf"
        units = UNIT + (addition.read_text() if addition.exists() else "")
        assert f"SupplementaryGroups={group}\n" in units


def test_there_are_settings_for_each_proxy():
    assert {path.parent.name for path in SETTINGS} >= {"apache", "caddy", "haproxy", "nginx"}
