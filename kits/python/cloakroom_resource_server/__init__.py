"""Verifies the access tokens of a Cloakroom that runs elsewhere, and refuses revoked sessions within a second."""
from .address import UnusableAddress
from .refused_request import RefusedRequest
from .resource_server import ResourceServer
from .revocation_stream import RevocationSource

__all__ = ["RefusedRequest", "ResourceServer", "RevocationSource", "UnusableAddress"]
