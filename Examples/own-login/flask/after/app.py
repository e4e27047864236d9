"""An app with a login of its own."""
import os

import jwt
import requests
from flask import Flask, request
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
SITE, KEYS = os.environ["PUBLIC_URL"], jwt.PyJWKClient(os.environ["JWKS_URL"])
USERS = {"ann@example.com": {"id": "42", "hash": generate_password_hash("correct horse battery"), "roles": ["editor"]}}


def begin(user):
    names = {"host": "Host", "origin": "Origin", "sec_fetch_site": "Sec-Fetch-Site", "cookie": "Cookie", "user_agent": "User-Agent", "ip": "X-Forwarded-For"}
    browser = {field: request.headers.get(name) for field, name in names.items()} | {"method": request.method}
    session = {"subject": user["id"], "authentication": {"amr": ["pwd"]}, "claims": {"roles": user["roles"]}, "browser": browser}
    answer = requests.post(os.environ["SERVICE_URL"], json=session, headers={"Authorization": f"Bearer {os.environ['SERVICE_KEY']}"}, timeout=5)
    if not answer.ok:
        app.logger.error(answer.text)
        return {"error": answer.json()["code"]}, answer.status_code
    return {"id": user["id"]}, [("Cache-Control", "no-store"), *(("Set-Cookie", cookie) for cookie in answer.json()["set_cookie"])]


@app.post("/login")
def log_in():
    user = USERS.get(request.json["email"])
    if not user or not check_password_hash(user["hash"], request.json["password"]):
        return {"error": "wrong e-mail address or password"}, 401
    return begin(user)


@app.get("/me")
def me():
    bearer = request.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(bearer, KEYS.get_signing_key_from_jwt(bearer).key, ["ES256"], issuer=SITE, audience=SITE, leeway=10)
    return {"id": claims["sub"], "roles": claims["roles"]}
