"""What changes accounts beside tokens and members: the first start makes the first admin, and what is old goes."""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path

from django.contrib.sessions.backends.db import SessionStore
from django.db import transaction
from django.utils import timezone

from apps.accounts.digests import digest_of
from apps.accounts.models import ApiToken, IdempotentResponse, Membership, User, Workspace
from apps.accounts.permissions import Role
from apps.accounts.private_files import write_private
from apps.accounts.tokens import token_create

IDEMPOTENCY_KEPT = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FirstLogin:
    """The login that a new installation begins with; kept in `credentials.json` (mode 0600)."""

    admin_username: str
    admin_password: str
    token: str


def installation_prepare(*, data_dir: Path) -> tuple[FirstLogin | None, bool]:
    """Make the first admin and token where there is none; returns (what credentials.json says, made now?)."""
    path = data_dir / "credentials.json"
    with transaction.atomic():
        workspace = Workspace.objects.select_for_update().get(slug=Workspace.DEFAULT_SLUG)
        if User.objects.filter(is_superuser=True).exists():
            return _read_login(path), False
        login = _first_login(workspace)
        write_private(path, json.dumps(asdict(login), indent=2) + "\n")
    return login, True


def _first_login(workspace: Workspace) -> FirstLogin:
    password = secrets.token_urlsafe(12)
    admin = User.objects.create_superuser("admin", password=password)
    Membership.objects.create(user=admin, workspace=workspace, role=Role.ADMIN)
    _, token = token_create(workspace=workspace, name="first admin", role=Role.ADMIN, user=admin)
    return FirstLogin(admin_username="admin", admin_password=password, token=token)


def idempotency_purge() -> int:
    """Remove kept answers older than IDEMPOTENCY_KEPT; returns how many."""
    removed, _ = IdempotentResponse.objects.filter(created_at__lt=timezone.now() - IDEMPOTENCY_KEPT).delete()
    return removed


def logins_purge() -> None:
    """Remove browser logins that are over; Django keeps them until somebody asks for them again."""
    SessionStore.clear_expired()


def local_worker_token(*, data_dir: Path) -> str:
    """The token of the worker that runs beside the server: kept in `worker-token` (mode 0600), made where it is
    missing or does not count any more. It can do what a worker does and nothing else."""
    path = data_dir / "worker-token"
    kept = path.read_text().strip() if path.exists() else ""
    if kept and ApiToken.objects.filter(digest=digest_of(kept), revoked_at=None).exists():
        return kept
    workspace = Workspace.objects.get(slug=Workspace.DEFAULT_SLUG)
    _, secret = token_create(workspace=workspace, name="local worker", role=Role.WORKER)
    write_private(path, secret + "\n")
    return secret


def _read_login(path: Path) -> FirstLogin | None:
    try:
        return FirstLogin(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
