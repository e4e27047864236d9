from pathlib import Path

from .. import versions
from ..peer import Material, Peer
from ..place import Command, Place

HERE = Path(__file__).parent


def _commands(material: Material, place: Place) -> list[Command]:
    configuration = place.write(
        HERE / "haproxy.cfg", key=material.ec_public_pem, issuer=material.issuer, audience=material.audience
    )
    return [Command(["haproxy", "-db", "-f", str(configuration)])]


JWT_VERIFY = Peer("HAProxy jwt_verify", lambda: versions.debian("haproxy"), _commands)
