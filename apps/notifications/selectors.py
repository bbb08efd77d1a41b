"""Reading people's devices: each sees their own and no others."""

import hashlib
import uuid

from apps.accounts.models import User
from apps.core.errors import NotFoundError
from apps.notifications.models import PushSubscription


def devices_of(user: User) -> list[PushSubscription]:
    """The person's devices, the newest first."""
    return list(PushSubscription.objects.filter(user=user))


def device_get(*, user: User, device_id: uuid.UUID) -> PushSubscription:
    """NotFoundError where it is not the person's own."""
    device = PushSubscription.objects.filter(user=user, id=device_id).first()
    if device is None:
        raise NotFoundError("There is no such device.")
    return device


def device_digest(device: PushSubscription) -> str:
    """By which a browser knows itself in the list: the SHA-256 of its endpoint, which the page need not tell."""
    return hashlib.sha256(device.endpoint.encode()).hexdigest()
