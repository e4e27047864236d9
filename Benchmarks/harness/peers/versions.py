"""The versions of the installed products, for the tables."""
import importlib.metadata
import subprocess


def debian(*packages: str) -> str:
    return ", ".join(f"{package} {_debian(package)}" for package in packages)


def python(*packages: str) -> str:
    """The harness runs in the peers' environment, so it sees their packages."""
    return ", ".join(f"{package} {importlib.metadata.version(package)}" for package in packages)


def _debian(package: str) -> str:
    query = ["dpkg-query", "--show", "--showformat=${Version}", package]
    return subprocess.run(query, capture_output=True, text=True, check=True).stdout
