"""Creates the database with one user and one refresh token per session, and prints the tokens."""
import json
import sys

import django
from django.core.management import call_command
from django.db import transaction

django.setup()
call_command("migrate", verbosity=0)

from django.contrib.auth.models import User  # noqa: E402 (needs the setup)
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402

with transaction.atomic():
    users = User.objects.bulk_create(
        User(username=f"user-{number}", password="!") for number in range(int(sys.argv[1]))
    )
    print(json.dumps([str(RefreshToken.for_user(user)) for user in users]))
