import os
from pathlib import Path

SECRET_KEY = "unused: the tokens have a key of their own"
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
ROOT_URLCONF = "urls"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "rest_framework_simplejwt.token_blacklist",
]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]

SQLITE_OPTIONS = {
    "defaults": {},
    "wal-immediate": {"transaction_mode": "IMMEDIATE", "init_command": "PRAGMA journal_mode = WAL"},
}
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ["PEER_DATABASE"],
        "OPTIONS": SQLITE_OPTIONS[os.environ["PEER_SQLITE"]],
    }
}

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
SIMPLE_JWT = {
    "ALGORITHM": "ES256",
    "SIGNING_KEY": Path(os.environ["PEER_PRIVATE_KEY"]).read_text(),
    "VERIFYING_KEY": Path(os.environ["PEER_PUBLIC_KEY"]).read_text(),
    "ISSUER": os.environ["PEER_ISSUER"],
    "AUDIENCE": os.environ["PEER_AUDIENCE"],
    "ROTATE_REFRESH_TOKENS": True,
    "BLACKLIST_AFTER_ROTATION": True,
}
