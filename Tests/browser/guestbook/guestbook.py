"""A site of Flask and Jinja without any script: pages, links, pictures, forms. The gateway in front of it says who the user is.

With SERVICE_URL and SERVICE_KEY the site has a login page of its own."""
import collections
import hashlib
import os

import requests
from flask import Flask, flash, redirect, render_template, request
from werkzeug.security import check_password_hash, generate_password_hash

app = Flask(__name__)
app.secret_key = os.urandom(32)     # for the cookie that carries `flash` to the next page
PICTURES = 24
LETTER = "".join(f"{number} ä & <b>\n" for number in range(3000))
USERS = {"ann@example.com": {"id": "42", "hash": generate_password_hash("correct horse battery")}}
entries = collections.defaultdict(list)


def user():
    return request.headers.get("X-Auth-Subject")


def page(name, **values):
    return render_template(f"{name}.html", user=user(), session_id=request.headers.get("X-Auth-Session"), **values)


@app.get("/")
def home():
    word = request.args.get("word", "")
    return page("home", word=word, entries=[text for text in entries[user()] if word in text])


@app.post("/entries")
def write():
    entries[user()].append(request.form["text"])
    flash(f"Saved: {request.form['text']}")
    return redirect("/", 303)


@app.get("/entries/<int:number>")
def entry(number):
    return page("entry", number=number, text=entries[user()][number])


@app.get("/gallery")
def gallery():
    return page("gallery", number=request.args.get("number", "1"), pictures=range(PICTURES))


@app.get("/pictures/<int:number>.svg")
def picture(number):
    shape = f'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><circle cx="4" cy="4" r="{number % 4 + 1}"/></svg>'
    return shape, {"Content-Type": "image/svg+xml", "Cache-Control": "no-store"}


@app.get("/letter")
def letter():
    return page("letter", text=LETTER)


@app.post("/letter")
def send_letter():
    """Answers a multipart form without a redirect."""
    content = request.files["file"].read() + request.form["text"].replace("\r\n", "\n").encode()
    return page("letter", sent=hashlib.sha256(content).hexdigest())


@app.get("/login")
def login_page():
    return page("login", return_to=request.args.get("return_to", "/"))


@app.post("/login")
def log_in():
    found = USERS.get(request.form["email"])
    if not found or not check_password_hash(found["hash"], request.form["password"]):
        return page("login", return_to=request.form["return_to"], problem="Wrong e-mail address or password"), 401
    return "", 303, [("Location", local(request.form["return_to"])), ("Cache-Control", "no-store"), *cookies(found["id"])]


def local(target):
    """A path of this site: a login page must not redirect to another."""
    return target if target.startswith("/") and not target.startswith(("//", "/\\")) else "/"


def cookies(subject):
    names = ("Host", "Origin", "Sec-Fetch-Site", "Cookie", "User-Agent")
    browser = {name.lower().replace("-", "_"): request.headers.get(name) for name in names} | {"method": request.method}
    answer = requests.post(
        os.environ["SERVICE_URL"], json={"subject": subject, "authentication": {"amr": ["pwd"]}, "browser": browser},
        headers={"Authorization": f"Bearer {os.environ['SERVICE_KEY']}"}, timeout=60)
    answer.raise_for_status()
    return [("Set-Cookie", cookie) for cookie in answer.json()["set_cookie"]]
