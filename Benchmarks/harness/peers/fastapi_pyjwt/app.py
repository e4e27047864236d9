import os
from pathlib import Path
from typing import Annotated

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from fastapi import Cookie, Depends, FastAPI, HTTPException

KEY = load_pem_public_key(Path(os.environ["PEER_PUBLIC_KEY"]).read_bytes())
ISSUER = os.environ["PEER_ISSUER"]
AUDIENCE = os.environ["PEER_AUDIENCE"]

app = FastAPI()


async def claims(access: Annotated[str | None, Cookie()] = None) -> dict:
    if access is None:
        raise HTTPException(401)
    try:
        return jwt.decode(
            access, KEY, algorithms=["ES256"], issuer=ISSUER, audience=AUDIENCE, options={"require": ["exp"]}
        )
    except jwt.InvalidTokenError:
        raise HTTPException(401)


@app.get("/check", status_code=204)
async def check(claims: Annotated[dict, Depends(claims)]) -> None:
    return None
