"""The request headers that two peers cause with a default configuration."""
import json
import sys

from . import tool

SECRET = "0123456789abcdef0123456789abcdef0123456789abcdef"
SUBJECT = "4e9f0dd8-4f2c-4c43-9d5e-3b1c0a1d2e3f"

FLASK_JWT_EXTENDED = """
import json, sys
from flask import Flask, jsonify
from flask_jwt_extended import (
    JWTManager, create_access_token, create_refresh_token, set_access_cookies, set_refresh_cookies)
app = Flask(__name__)
app.config.update(JWT_SECRET_KEY=sys.argv[1], JWT_TOKEN_LOCATION=["cookies"])
JWTManager(app)
@app.post("/login")
def login():
    answer = jsonify()
    set_access_cookies(answer, create_access_token(sys.argv[2]))
    set_refresh_cookies(answer, create_refresh_token(sys.argv[2]))
    return answer
set_cookies = app.test_client().post("/login").headers.getlist("Set-Cookie")
print(json.dumps([cookie.partition(";")[0] for cookie in set_cookies if "Path=/" in cookie.split("; ")]))
"""

SIMPLEJWT = """
import sys
import django
from django.conf import settings
settings.configure(
    SECRET_KEY=sys.argv[1], USE_TZ=True, INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"])
django.setup()
from rest_framework_simplejwt.tokens import AccessToken
token = AccessToken()
token["user_id"] = sys.argv[2]
print(token)
"""


def flask_jwt_extended_headers() -> list[tuple[str, str]]:
    """Four cookies, all with the path `/`: two tokens and two anti-CSRF values."""
    return [("Cookie", "; ".join(json.loads(_printed(FLASK_JWT_EXTENDED))))]


def simplejwt_headers() -> list[tuple[str, str]]:
    return [("Authorization", f"Bearer {_printed(SIMPLEJWT).strip()}")]


def _printed(program: str) -> str:
    return tool.run([sys.executable, "-c", program, SECRET, SUBJECT], timeout=60)
