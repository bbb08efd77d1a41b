"""A running product with a console, and a browser to look at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from playwright.sync_api import Browser

from apps.accounts.models import Membership, User
from apps.accounts.permissions import Role
from tests.browsing.chromium import chromium
from tests.e2e.plant import Plant
from tests.factories import Cast

PASSWORD = "correct horse"


def hashed(password: str) -> str:
    """As outside tests, but quickly: the product under test knows nothing of the tests' own hashers."""
    return PBKDF2PasswordHasher().encode(password, "salt-of-tests", iterations=1)


@pytest.fixture
def admin(cast: Cast) -> User:
    """The first admin."""
    user = User.objects.create(username="admin", password=hashed(PASSWORD), is_staff=True, is_superuser=True)
    Membership.objects.create(user=user, workspace=cast.workspace, role=Role.ADMIN)
    return user


@pytest.fixture
def plant(admin: User, tmp_path: Path) -> Iterator[Plant]:
    """The running product. Of all addresses it may call loopback's, too."""
    with Plant(tmp_path, lease_seconds=60, A2A_OUTBOUND_ALLOWED="127.0.0.1") as running:
        yield running


@pytest.fixture
def browser(plant: Plant) -> Iterator[Browser]:
    """After `plant`, because Django's ORM refuses to work beside the browser's event loop."""
    with chromium() as started:
        yield started
