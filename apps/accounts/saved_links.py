"""Lists of the console that a person has kept under a name: their filters, words and order, by their address."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.urls import Resolver404, resolve

from apps.accounts.models import SavedLink, User
from apps.accounts.saved_models import NAME_LENGTH, PATH_LENGTH
from apps.core.errors import ConflictError, InvalidError, NotFoundError

MOST = 30
"""What one person may keep: the menu shows them all."""
LIST = "_changelist"


def links_of(user: User) -> QuerySet[SavedLink]:
    """What a person has kept, by name."""
    return SavedLink.objects.filter(user=user)


def link_save(*, user: User, name: str, path: str) -> SavedLink:
    """Keep a list. InvalidError for a name or path that cannot be, ConflictError for a name that is taken."""
    name, path = _name(name), list_path(path)
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


def list_path(said: str) -> str:
    """The address of one of the console's lists: never another host's, nor one that does something. InvalidError."""
    refusal = InvalidError("Only lists of the console can be saved.")
    if len(said) > PATH_LENGTH or not said.isprintable() or "\\" in said or not said.startswith("/admin/"):
        raise refusal
    parts = urlsplit(said)
    try:
        found = resolve(parts.path)
    except Resolver404 as error:
        raise refusal from error
    if found.app_name != "admin" or not (found.url_name or "").endswith(LIST):
        raise refusal
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def _own(user: User, link_id: uuid.UUID) -> SavedLink:
    link = links_of(user).filter(pk=link_id).first()
    if link is None:
        raise NotFoundError("There is no such saved list.")
    return link


def _name(said: str) -> str:
    name = " ".join(said.split())
    if not name or len(name) > NAME_LENGTH or not name.isprintable():
        raise InvalidError(f"Give it a name of at most {NAME_LENGTH} characters.")
    return name


@contextmanager
def _once(name: str) -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        raise ConflictError(f"“{name}” is the name of another saved list of yours.") from error
