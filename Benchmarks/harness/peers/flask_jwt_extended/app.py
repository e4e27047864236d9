import os
from pathlib import Path

from flask import Flask
from flask_jwt_extended import JWTManager, jwt_required

app = Flask(__name__)
app.config.update(
    JWT_ALGORITHM="ES256",
    JWT_PUBLIC_KEY=Path(os.environ["PEER_PUBLIC_KEY"]).read_text(),
    JWT_DECODE_ISSUER=os.environ["PEER_ISSUER"],
    JWT_DECODE_AUDIENCE=os.environ["PEER_AUDIENCE"],
    JWT_TOKEN_LOCATION=["cookies"],
    JWT_ACCESS_COOKIE_NAME="access",
)
JWTManager(app)


@app.get("/check")
@jwt_required()
def check():
    return "", 204
