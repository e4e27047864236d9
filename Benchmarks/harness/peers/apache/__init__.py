import shutil
import subprocess
from pathlib import Path

from .. import versions
from ..peer import Material, Peer
from ..place import Command, Place, free_port

HERE = Path(__file__).parent
THREADS = 128
"""Threads per process: one for each connection of the load, and some for key requests to the same server."""


def _commands(material: Material, place: Place) -> list[Command]:
    _write_documents(material, place)
    _make_certificate(place.directory)
    configuration = place.write(
        HERE / "apache.conf",
        jwks_port=free_port(),
        issuer=material.issuer,
        audience=material.audience,
        threads=THREADS,
        total=THREADS * place.cores,
    )
    return [Command(["apache2", "-D", "FOREGROUND", "-f", str(configuration)])]


def _write_documents(material: Material, place: Place) -> None:
    documents = place.directory / "documents"
    documents.mkdir(exist_ok=True)
    (documents / "check").write_text("ok")
    shutil.copy(material.jwks, documents / "jwks")
    # If root starts it, Apache runs as www-data, who needs access to the directory.
    material.directory.chmod(0o711)
    place.directory.chmod(0o711)


def _make_certificate(directory: Path) -> None:
    request = ["openssl", "req", "-x509", "-nodes", "-subj", "/CN=127.0.0.1", "-days", "2"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", str(directory / "tls.key")]
    subprocess.run([*request, *key, "-out", str(directory / "tls.crt")], check=True, capture_output=True)


OAUTH20 = Peer(
    "Apache mod_auth_openidc oauth20",
    lambda: versions.debian("apache2", "libapache2-mod-auth-openidc"),
    _commands,
    ok=200,
)
