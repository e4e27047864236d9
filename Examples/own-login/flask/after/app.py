"""An app with a login of its own."""
import os

import jwt
import requests
from flask import Flask, request
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
KEYS = jwt.PyJWKClient(os.environ["JWKS_URL"])
USERS = {"ann@example.com": {"id": "42", "hash": generate_password_hash("correct horse battery"), "roles": ["editor"]}}


def cookies(user):
    names = ("Host", "Origin", "Sec-Fetch-Site", "Cookie", "User-Agent")
    browser = {name.lower().replace("-", "_"): request.headers.get(name) for name in names} | {"method": request.method}
    session = {"subject": user["id"], "authentication": {"amr": ["pwd"]}, "claims": {"roles": user["roles"]}, "browser": browser}
    answer = requests.post(os.environ["SERVICE_URL"], json=session, headers={"Authorization": f"Bearer {os.environ['SERVICE_KEY']}"})
    answer.raise_for_status()
    return [("Set-Cookie", cookie) for cookie in answer.json()["set_cookie"]]


@app.post("/login")
def log_in():
    user = USERS.get(request.json["email"])
    if not user or not check_password_hash(user["hash"], request.json["password"]):
        return {"error": "wrong e-mail address or password"}, 401
    return {"id": user["id"]}, cookies(user)


@app.get("/me")
def me():
    bearer = request.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(bearer, KEYS.get_signing_key_from_jwt(bearer).key, ["ES256"], audience=os.environ["PUBLIC_URL"])
    return {"id": claims["sub"], "roles": claims["roles"]}
