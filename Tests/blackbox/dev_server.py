"""Starts the proxy of a development server with its configuration from docs/snippets/front-end."""
import contextlib
import os
import subprocess

from raw_backend import free_port
from server import ROOT

SNIPPETS = ROOT / "docs/snippets/front-end"
CONFIGURATIONS = {
    "vite": SNIPPETS / "vite.config.mjs", "webpack": SNIPPETS / "webpack.config.mjs", "next": ROOT / "Tests/blackbox/next.config.mjs"}


def with_ports(name, path, ports):
    """Copies a file of the documents, with the ports of this test in place of those of the documents."""
    text = (SNIPPETS / name).read_text()
    for shown, real in ports.items():
        text = text.replace(f"localhost:{shown}", f"localhost:{real}")
    path.write_text(text)
    return path


@contextlib.contextmanager
def dev_server(kind, directory, cloakroom_port, port=None):
    """Yields the port of the page."""
    port = port or free_port()
    file = with_ports(CONFIGURATIONS[kind], directory / CONFIGURATIONS[kind].name, {8080: cloakroom_port})
    command = ["node", ROOT / "Tests/blackbox/dev_server.mjs", kind, file, str(port)]
    # Another Node than Debian's does not look for Debian's modules by itself.
    environment = os.environ | {"NODE_PATH": "/usr/share/nodejs"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stdout.readline() == "ready\n"
        yield port
    finally:
        process.kill()
        process.wait()
