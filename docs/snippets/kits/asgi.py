"""ASGI middleware, for FastAPI, Starlette and Django: the claims are in scope["claims"]."""
import os

from cloakroom_resource_server import RefusedRequest, ResourceServer, RevocationSource

ISSUER = "https://app.example.com"  # your publicURL
JWKS = "http://127.0.0.1:8080/.well-known/jwks.json"
PRIVATE_LISTENER = "http://127.0.0.1:8081"

server = ResourceServer(ISSUER, jwks=JWKS, revocations=RevocationSource(PRIVATE_LISTENER, os.environ["SERVICE_KEY"]))


class RequireToken:
    def __init__(self, app):
        self.app = app

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            return await self.app(scope, receive, send)
        values = [value.decode("latin-1") for name, value in scope["headers"] if name == b"authorization"]
        try:
            scope["claims"] = await server.authorize_async(",".join(values) if values else None)
        except RefusedRequest as refused:
            return await refuse(refused, scope["type"], send)
        await self.app(scope, receive, send)


async def refuse(refused, kind, send):
    if kind == "websocket":
        return await send({"type": "websocket.close", "code": 1008, "reason": refused.code})
    headers = [(name.lower().encode(), value.encode()) for name, value in refused.headers.items()]
    await send({"type": "http.response.start", "status": refused.status, "headers": headers})
    await send({"type": "http.response.body", "body": refused.body})
