"""Rotates refresh tokens with one UPDATE, which succeeds only for the current token."""
import hashlib
import os
import secrets
import threading
import time
from pathlib import Path

import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from flask import Flask, abort, jsonify, request
from store import connect

KEY = load_pem_private_key(Path(os.environ["PEER_PRIVATE_KEY"]).read_bytes(), password=None)
ROTATE = "UPDATE session SET cur = ? WHERE id = ? AND cur = ? RETURNING user"

app = Flask(__name__)
mine = threading.local()


def sha256(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def database():
    if not hasattr(mine, "database"):
        mine.database = connect(os.environ["PEER_DATABASE"])
    return mine.database


def access_token(session: str, user: str) -> str:
    now = int(time.time())
    claims = {
        "iss": os.environ["PEER_ISSUER"],
        "sub": user,
        "aud": os.environ["PEER_AUDIENCE"],
        "iat": now,
        "exp": now + 300,
        "jti": secrets.token_urlsafe(16),
        "sid": session,
    }
    return jwt.encode(claims, KEY, "ES256", headers={"kid": os.environ["PEER_KID"]})


@app.post("/refresh")
def refresh():
    session, _, secret = request.get_json()["refresh"].partition(".")
    successor = secrets.token_urlsafe(32)
    rows = database().execute(ROTATE, (sha256(successor), session, sha256(secret))).fetchall()
    if not rows:
        abort(401)
    return jsonify(access=access_token(session, rows[0][0]), refresh=f"{session}.{successor}")
