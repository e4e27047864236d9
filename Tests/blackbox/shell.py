"""Runs the blocks of commands in the documents."""
import os
import re
import shutil
import subprocess

from server import BINARY, ROOT, clean_environment


class Shell:
    """A directory, and the commands that a reader of the documents has."""

    def __init__(self, directory):
        self.directory = directory
        commands = directory / "commands"
        commands.mkdir()
        (commands / "cloakroom").symlink_to(BINARY)
        # An HTTP error that the document does not mention fails the block.
        self.add("curl", f'exec {shutil.which("curl")} --silent --show-error --fail-with-body "$@"')
        self.add("sudo", 'exec "$@"')
        self.search = f"{commands}:{os.environ['PATH']}"

    def add(self, command, script):
        path = self.directory / "commands" / command
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, script, replacements):
        for old, new in replacements.items():
            script = script.replace(old, str(new))
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], capture_output=True, text=True, cwd=self.directory, timeout=120,
            env=clean_environment() | {"PATH": self.search})


def blocks(document):
    """The blocks of a document with the mark `run`."""
    found = re.findall(r"^<!-- run -->\n```sh\n(.*?)^```$", (ROOT / document).read_text(), re.M | re.S)
    assert found, document
    return found
