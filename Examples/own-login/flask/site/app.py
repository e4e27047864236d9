"""An app with a login of its own behind Cloakroom: its login page, its login, its step-up, and what they protect."""
import json
import os

import requests
from flask import Flask, request, send_from_directory
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
USERS = [{
    "id": "42", "email": "ann@example.com", "name": "Ann", "hash": generate_password_hash("correct horse battery"), "roles": ["editor"]}]
HEADERS = {
    "host": "Host", "origin": "Origin", "sec_fetch_site": "Sec-Fetch-Site", "cookie": "Cookie", "user_agent": "User-Agent",
    "ip": "X-Forwarded-For"}


def find(field, value):
    return next((user for user in USERS if user[field] == value), None)


def call(path, **fields):
    """Sends a call of the service API about the browser whose request this is. Returns the response for the browser."""
    browser = {field: request.headers.get(name) for field, name in HEADERS.items()} | {"method": request.method}
    key = {"Authorization": f"Bearer {os.environ['SERVICE_KEY']}"}
    answer = requests.post(os.environ["SERVICE_URL"] + path, json=fields | {"browser": browser}, headers=key, timeout=5)
    if not answer.ok:
        app.logger.error(answer.text)
        later = {"Retry-After": answer.headers["Retry-After"]} if "Retry-After" in answer.headers else {}
        return {"error": answer.json()["code"]}, answer.status_code, later
    cookies = [("Set-Cookie", cookie) for cookie in answer.json()["set_cookie"]]
    return {}, [("Cache-Control", "no-store"), *cookies]


@app.get("/login")
def login_page():
    return send_from_directory(app.root_path, "login.html")


@app.post("/login")
def log_in():
    user = find("email", request.json["email"])
    if not user or not check_password_hash(user["hash"], request.json["password"]):
        return {"error": "wrong e-mail address or password"}, 401
    return call("", subject=user["id"], authentication={"amr": ["pwd"]}, claims={"roles": user["roles"]}, remember=True)


# The rule of this path demands a session, so the headers name the user. Compare the password of this user and of no other.
@app.post("/step-up")
def step_up():
    user = find("id", request.headers["X-Auth-Subject"])
    if not user or not check_password_hash(user["hash"], request.json["password"]):
        return {"error": "wrong password"}, 403
    return call(f"/{request.headers['X-Auth-Session']}/step-up", authentication={"amr": ["pwd"]})


# Cloakroom knows the id and the claims. The name is in the app's own database.
@app.get("/me")
def me():
    user = find("id", request.headers["X-Auth-Subject"])
    return {"id": user["id"], "name": user["name"], "roles": json.loads(request.headers["X-Auth-Claims"])["roles"]}


@app.route("/payments", methods=["GET", "POST"])
def payments():
    return {"payments": []}


@app.get("/")
def home():
    return """<!doctype html><meta charset="utf-8"><title>My app</title>
        <p><a href="/me">Who am I?</a> <a href="/payments">Payments</a></p>
        <form method="post" action="/auth/logout">
        <input type="hidden" name="return_to" value="/login"><button>Log out</button>
        </form>"""
