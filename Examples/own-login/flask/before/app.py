"""An app with a login of its own."""
import os
import time

import jwt
from flask import Flask, request
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
SECRET = os.environ["SECRET"]
USERS = {"ann@example.com": {"id": "42", "hash": generate_password_hash("correct horse battery"), "roles": ["editor"]}}


def token(user, minutes):
    return jwt.encode({"sub": user["id"], "roles": user["roles"], "exp": int(time.time()) + 60 * minutes}, SECRET, "HS256")


@app.post("/login")
def log_in():
    user = USERS.get(request.json["email"])
    if not user or not check_password_hash(user["hash"], request.json["password"]):
        return {"error": "wrong e-mail address or password"}, 401
    return {"access_token": token(user, 5), "refresh_token": token(user, 60 * 24 * 30)}


@app.get("/me")
def me():
    bearer = request.headers["Authorization"].removeprefix("Bearer ")
    claims = jwt.decode(bearer, SECRET, ["HS256"])
    return {"id": claims["sub"], "roles": claims["roles"]}
