"""Runs the blocks of commands in the documents."""
import os
import re
import shutil
import signal
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

    def run(self, script, replacements, stops=True):
        return subprocess.run(self.bash(script, replacements, stops), capture_output=True, text=True, timeout=120, **self.options())

    def begin(self, script, replacements):
        """Starts a block that ends with a server."""
        return subprocess.Popen(self.bash(script, replacements), start_new_session=True, **self.options())

    @staticmethod
    def end(process):
        """Stops all that a block has started."""
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(15)

    def bash(self, script, replacements, stops=True):
        """`stops`: at the first command that fails. The shell into which a reader pastes a block goes on."""
        for old, new in replacements.items():
            script = script.replace(old, str(new))
        return ["bash", *(["-euo", "pipefail"] if stops else []), "-c", script]

    def options(self):
        return {"cwd": self.directory, "env": clean_environment() | {"PATH": self.search}}


def blocks(document):
    """The blocks of a document with the mark `run`."""
    found = re.findall(r"^<!-- run -->\n```sh\n(.*?)^```$", (ROOT / document).read_text(), re.M | re.S)
    assert found, document
    return found
