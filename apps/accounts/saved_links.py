"""Lists of the console that a person has kept under a name: their filter, words and order, by its address."""

import uuid
from urllib.parse import urlsplit

from django.db import IntegrityError, models, transaction
from django.db.models.functions import Now
from django.urls import Resolver404, resolve

from apps.accounts.models import User
from apps.core.errors import ConflictError, InvalidError, NotFoundError
from apps.core.ids import new_id

NAME_LENGTH = 60
PATH_LENGTH = 2_000
MOST = 30
"""What one person may keep: the menu shows them all."""
LIST = "_changelist"


class SavedLink(models.Model):
    """Of one person, and of no workspace: whoever opens the address sees there what they may see."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="saved_links", db_index=False)
    name = models.CharField(max_length=NAME_LENGTH)
    path = models.CharField(max_length=PATH_LENGTH, help_text="Path and query of a list below /admin/.")
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["user", "name"], name="saved_link_name_once")]

    def __str__(self) -> str:
        return self.name


def links_of(user: User) -> models.QuerySet[SavedLink]:
    """What a person has kept, by name."""
    return SavedLink.objects.filter(user=user)


def link_save(*, user: User, name: str, path: str) -> SavedLink:
    """Keep a list. InvalidError for a name or path that cannot be, ConflictError for a name that is taken."""
    name, path = _name(name), _path(path)
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)  # else two at once could pass MOST
        if links_of(user).count() >= MOST:
            raise ConflictError(f"{MOST} lists are saved already. Remove one that you need no more.")
        with _once(name):
            return SavedLink.objects.create(user=user, name=name, path=path)


def link_rename(*, user: User, link_id: uuid.UUID, name: str) -> SavedLink:
    """Give a kept list another name."""
    link = _own(user, link_id)
    link.name = _name(name)
    with _once(link.name):
        link.save(update_fields=["name"])
    return link


def link_remove(*, user: User, link_id: uuid.UUID) -> SavedLink:
    """Keep a list no more."""
    link = _own(user, link_id)
    links_of(user).filter(pk=link.pk).delete()
    return link


def _own(user: User, link_id: uuid.UUID) -> SavedLink:
    link = links_of(user).filter(pk=link_id).first()
    if link is None:
        raise NotFoundError("There is no such saved list.")
    return link


class _once:  # noqa: N801 (a context manager, used as a statement)
    """A name that is taken is a conflict."""

    def __init__(self, name: str) -> None:
        self.name, self.atomic = name, transaction.atomic()

    def __enter__(self) -> None:
        self.atomic.__enter__()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        self.atomic.__exit__(kind, error, trace)
        if isinstance(error, IntegrityError):
            raise ConflictError(f"“{self.name}” is the name of another saved list of yours.") from error


def _name(said: str) -> str:
    name = " ".join(said.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidError(f"Give it a name of at most {NAME_LENGTH} characters.")
    return name


def _path(said: str) -> str:
    """The path and query of one of the console's lists: never another host, nor an address that does something."""
    refusal = InvalidError("Only lists of the console can be saved.")
    if len(said) > PATH_LENGTH or not said.isprintable() or "\\" in said or not said.startswith("/admin/"):
        raise refusal
    parts = urlsplit(said)
    try:
        found = resolve(parts.path)
    except Resolver404 as error:
        raise refusal from error
    if parts.scheme or parts.netloc or found.app_name != "admin" or not (found.url_name or "").endswith(LIST):
        raise refusal
    return f"{parts.path}?{parts.query}" if parts.query else parts.path
