"""The container file: its steps run in a copy of this machine's file system, and its command as the first process of a
container, on a root that is read-only. Pulling the base image and packages takes a network, and is replaced."""
import os
import pathlib
import re
import signal
import subprocess
import threading

import pytest
import yaml

from browser import Client
from installation import Overlay
from server import NEEDS_ROOT, ROOT, START_TIMEOUT, Address

TEXT = (ROOT / "deploy/container/Containerfile").read_text()
INSTRUCTIONS = re.findall(r"^([A-Z]+) (.+)$", re.sub(r"\\\n *", "", re.sub(r"^#.*\n", "", TEXT, flags=re.M)), re.M)
pytestmark = NEEDS_ROOT


def instructions(name):
    return [argument for instruction, argument in INSTRUCTIONS if instruction == name]


ENVIRONMENT = dict(argument.split("=", 1) for argument in instructions("ENV"))
[USER], [VOLUME] = instructions("USER"), instructions("VOLUME")
COMMAND = sum((re.findall(r'"([^"]*)"', *instructions(name)) for name in ("ENTRYPOINT", "CMD")), [])


class Image(Overlay, Address):
    """What the steps of the container file make, and one container of it."""
    CONTAINER = """
    mount --bind "$0/$1" "$0/$1" && mount -o remount,bind,ro "$0" && mount -t proc proc "$0/proc" && cd "$0" && shift
    exec chroot . setpriv --reuid="${USER%:*}" --regid="${USER#*:}" --clear-groups --no-new-privs --bounding-set=-all env -u USER "$@"
    """

    def __init__(self, directory, package):
        super().__init__(directory)
        self.process = None
        self.path("/packages").mkdir()
        self.path(f"/packages/{package.name}").write_bytes(package.read_bytes())
        for step in instructions("RUN"):
            step = step.removeprefix("--mount=type=bind,target=/packages ").replace("apt-get update", "true")
            self.run("sh", "-c", step)

    def start(self, **settings):
        """Runs the command of the image in namespaces of its own, with its user and environment."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "USER": USER} | ENVIRONMENT | settings
        self.process = subprocess.Popen(
            ["nsenter", f"--target={self.keeper.pid}", "--mount", "env", "-i", *(f"{name}={value}" for name, value in environment.items()),
             "unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", self.CONTAINER, str(self.root), VOLUME, *COMMAND],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        watchdog = threading.Timer(START_TIMEOUT, self.process.kill)
        watchdog.start()
        line = self.process.stdout.readline()
        watchdog.cancel()
        if line:
            self.port = int(line.rsplit(":", 1)[1])
            self.origin = f"http://127.0.0.1:{self.port}"

    def first_process(self):
        [first] = pathlib.Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(first)

    def terminate(self):
        """Sends SIGTERM to the first process of the container, as podman and Kubernetes do, and returns its exit code."""
        os.kill(self.first_process(), signal.SIGTERM)
        return self.process.wait(20)

    def stop(self):
        if self.process and self.process.poll() is None:
            # unshare would leave it behind: a process that changes its user loses the signal of its parent's death.
            os.kill(self.first_process(), signal.SIGKILL)
            self.process.wait()
        super().stop()


@pytest.fixture
def image(tmp_path, packages):
    image = Image(tmp_path, packages[0])
    yield image
    image.stop()


LOOPBACK = {"CLOAKROOM_HOST": "127.0.0.1", "CLOAKROOM_PORT": "0", "CLOAKROOM_SIGNUP": "open"}


def test_the_image_serves_without_root_on_a_read_only_root(image):
    image.start(**LOOPBACK)
    assert os.statvfs(f"/proc/{image.first_process()}/root").f_flag & os.ST_RDONLY
    client = Client(image)
    client.sign_up()
    assert client.get("/readyz").status == 200
    directory = image.path(ENVIRONMENT["CLOAKROOM_DATA_DIR"])
    owner = tuple(map(int, USER.split(":")))
    assert 0 not in owner
    assert {(path.stat().st_uid, path.stat().st_gid) for path in [directory, *directory.iterdir()]} == {owner}
    assert directory.stat().st_mode & 0o777 == 0o700
    assert image.terminate() == 0
    image.start(**LOOPBACK)
    assert Client(image, client.cookie).get("/auth/session").json["authenticated"] is True, "the volume keeps it"


def test_the_image_names_the_setting_that_it_lacks(image):
    image.start()
    assert image.process.wait(20) == 78
    assert "publicURL" in image.process.stderr.read()


@pytest.mark.parametrize("mode", [0o777, 0o2777, 0o2775, 0o2770])
def test_the_volume_can_have_the_mode_that_kubernetes_gives_it(image, mode):
    """An emptyDir is 0777; `fsGroup` sets the group and 02770, or 02775 on a new disk with a lost+found of root."""
    volume = image.path(VOLUME)
    os.chown(volume, 0, int(USER.split(":")[1]))
    volume.chmod(mode)
    (volume / "lost+found").mkdir(mode=0o700)
    image.start(**LOOPBACK)
    assert Client(image).get("/readyz").status == 200
    assert image.terminate() == 0
    for path in image.path(ENVIRONMENT["CLOAKROOM_DATA_DIR"]).iterdir():
        path.chmod(0o660)
    image.path(ENVIRONMENT["CLOAKROOM_DATA_DIR"]).chmod(0o2770)
    image.start(**LOOPBACK)
    assert Client(image).get("/readyz").status == 200, "after the next mount"


SERVICE_LINKS = {
    "CLOAKROOM_SERVICE_HOST": "10.0.0.1", "CLOAKROOM_SERVICE_PORT": "8080", "CLOAKROOM_PORT_8080_TCP_PROTO": "tcp",
    "CLOAKROOM_PORT_8080_TCP": "tcp://10.0.0.1:8080", "CLOAKROOM_PORT_8080_TCP_PORT": "8080", "CLOAKROOM_PORT_8080_TCP_ADDR": "10.0.0.1"}


@pytest.mark.parametrize("links", [{}, SERVICE_LINKS], ids=["without", "with"])
def test_the_image_takes_what_the_kubernetes_manifest_gives_it(image, links):
    """Port and host are of this test: the manifest's are those of a pod."""
    deployment, _, service = yaml.safe_load_all((ROOT / "deploy/kubernetes/cloakroom.yaml").read_text())
    pod = deployment["spec"]["template"]
    [container] = pod["spec"]["containers"]
    identity = pod["spec"]["securityContext"]
    assert f"{identity['runAsUser']}:{identity['runAsGroup']}" == USER and str(identity["fsGroup"]) == USER.split(":")[1]
    assert [mount["mountPath"] for mount in container["volumeMounts"]] == [VOLUME]
    assert [str(port["containerPort"]) for port in container["ports"]] == instructions("EXPOSE")
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    image.start(**LOOPBACK | {item["name"]: item["value"] for item in container["env"]} | links)
    for probe in ("livenessProbe", "readinessProbe"):
        assert Client(image).get(container[probe]["httpGet"]["path"]).status == 200
    assert image.terminate() == 0


def test_a_volume_of_root_is_named(image):
    os.chown(image.path(VOLUME), 0, 0)
    image.start(**LOOPBACK)
    assert image.process.wait(20) == 78
    assert ENVIRONMENT["CLOAKROOM_DATA_DIR"] in image.process.stderr.read()
