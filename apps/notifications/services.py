"""Devices: turned on, told what they want to hear of, turned off. By their person, for themselves alone."""

import hmac
import uuid
from collections.abc import Collection
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.accounts.models import User
from apps.accounts.refusals import home_of, trail_of
from apps.audit.actions import Action
from apps.audit.recording import record
from apps.core.errors import ConflictError, NotFoundError
from apps.core.sealing import opened, sealed
from apps.core.tenancy import EVERYWHERE, acting
from apps.notifications.kinds import Kind
from apps.notifications.models import PushSubscription

DEVICES_LIMIT = 20
"""Devices of one person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewDevice:
    """A subscription as a browser made it; the keys in base64url. `auth` is a secret, and no part of its text form."""

    endpoint: str
    p256dh: str
    auth: str = field(repr=False)
    name: str

    @property
    def host(self) -> str:
        return urlsplit(self.endpoint).netloc


def device_add(*, user: User, new: NewDevice) -> PushSubscription:
    """Tell this device from now on. One that is known already keeps what it wants to hear of.

    Whoever signs in at a device that was another's takes it over, if they show that it is the same browser's
    subscription; ConflictError else, and where the person has too many.
    """
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # one at a time, so that the limit holds
        known = PushSubscription.objects.select_for_update().filter(endpoint=new.endpoint).first()
        if known is not None and known.user_id == user.pk:
            return _renewed(known, new)
        if known is not None:
            _take_from_its_person(known, new)
        if PushSubscription.objects.filter(user=user).count() >= DEVICES_LIMIT:
            raise ConflictError(f"You have {DEVICES_LIMIT} devices already; remove one that you no longer use.")
        made = PushSubscription(user=user, endpoint=new.endpoint, host=new.host, p256dh=new.p256dh, name=new.name)
        made.auth = sealed(made, "auth", new.auth)
        made.save(force_insert=True)
        _note(Action.DEVICE_ADD, user, made)
    return made


def _renewed(known: PushSubscription, new: NewDevice) -> PushSubscription:
    known.p256dh, known.name, known.auth = new.p256dh, new.name, sealed(known, "auth", new.auth)
    known.failing_since, known.last_error = None, ""
    known.save(update_fields=["p256dh", "name", "auth", "failing_since", "last_error"])
    return known


def _take_from_its_person(known: PushSubscription, new: NewDevice) -> None:
    if not hmac.compare_digest(opened(known, "auth"), new.auth):
        raise ConflictError("This endpoint is another browser's.")
    known.delete()


def device_forget(*, user: User, endpoint: str) -> bool:
    """Whoever signs out at a device, or turns it off there: whether it was theirs."""
    return _remove(user, PushSubscription.objects.filter(user=user, endpoint=endpoint))


def device_remove(*, user: User, device_id: uuid.UUID) -> None:
    """Tell this device no more. NotFoundError where it is not the person's own."""
    if not _remove(user, PushSubscription.objects.filter(user=user, id=device_id)):
        raise NotFoundError("There is no such device.")


def device_choose(*, user: User, device_id: uuid.UUID, kinds: Collection[Kind]) -> None:
    """Tell this device of these kinds only. NotFoundError where it is not the person's own."""
    wanted = [str(kind) for kind in Kind if kind in kinds]
    if not PushSubscription.objects.filter(user=user, id=device_id).update(kinds=wanted):
        raise NotFoundError("There is no such device.")


def device_sent(*, device_id: uuid.UUID) -> None:
    """Its push service has taken something for it: what was wrong is over."""
    PushSubscription.objects.filter(id=device_id).update(last_sent_at=Now(), failing_since=None, last_error="")


def device_drop(*, device_id: uuid.UUID) -> None:
    """Its push service says that it is gone: the person has removed the browser, or withdrawn the permission."""
    PushSubscription.objects.filter(id=device_id).delete()


def _remove(user: User, found: QuerySet[PushSubscription]) -> bool:
    with transaction.atomic():
        device = found.select_for_update().first()
        if device is None:
            return False
        PushSubscription.objects.filter(pk=device.pk).delete()
        _note(Action.DEVICE_REMOVE, user, device)
    return True


def _note(action: Action, user: User, device: PushSubscription) -> None:
    """In the trail of the person's own workspace, as their signing in is."""
    with acting(EVERYWHERE):
        record(
            action, workspace_id=trail_of(home_of(user)), by=user.get_username(), target=f"device:{device.pk}",
            details={"name": device.name, "host": device.host},
        )  # fmt: skip
