"""Push notification configs as clients send them: 0.3 nests them below the task's id, 1.0 has them flat."""

import base64
import re
import uuid
from collections.abc import Mapping
from typing import Any

from a2a.utils.constants import PROTOCOL_VERSION_0_3

from apps.a2a.incoming import pick, text_of, wrong
from apps.a2a.push_wish import PushWish
from apps.core.outbound import OutboundRefusedError, check_url

Json = dict[str, Any]

SECRET_LIMIT = 4_096
DEFAULT_ID = "default"
"""What 0.3 calls the config of a client that has only one."""
INLINE = ("pushNotificationConfig", "taskPushNotificationConfig", "task_push_notification_config")
NESTED = ("pushNotificationConfig", "push_notification_config")
_SCHEME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,50}")
_IDS = uuid.UUID("5a1c5d3e-3c0b-4b62-9d0e-0c6f3d2f8a11")
"""The name space of the ids that we give to configs."""


async def read_inline(params: Json, version: str) -> PushWish | None:
    """The config that came along with a message, if one did; its address has been checked."""
    options = params.get("configuration")
    if not isinstance(options, dict):
        return None
    given = pick(options, *INLINE)
    if given is None:
        return None
    name = next(one for one in INLINE if options.get(one) is not None)
    return await _checked(_read(given, f"configuration.{name}", version))


async def read_create(params: Json, version: str) -> tuple[str, PushWish]:
    """(task id, config) of a call that makes or changes one; its address has been checked."""
    task_id = text_of(params, "taskId", "task_id")
    if not task_id:
        raise wrong("taskId", "Give the task's id.")
    name = next((one for one in NESTED if params.get(one) is not None), "")
    wish = _read(params[name], name, version) if name else _read(params, "", version)
    return task_id, await _checked(wish)


def read_place(params: Json, version: str) -> tuple[str, str]:
    """(task id, config id) of a call that names one; without an id 0.3 means its only one, then it is empty here.

    1.0 says `{taskId, id}`, 0.3 `{id, pushNotificationConfigId}`; a task's id may always be spelled `taskId`.
    """
    old_id = text_of(params, "pushNotificationConfigId", "push_notification_config_id")
    task_id, config_id = text_of(params, "taskId", "task_id"), text_of(params, "id")
    if not task_id:
        task_id, config_id = config_id, ""
    if not task_id:
        raise wrong("id" if version == PROTOCOL_VERSION_0_3 else "taskId", "Give the task's id.")
    found = old_id or config_id
    if not found and version != PROTOCOL_VERSION_0_3:
        raise wrong("id", "Give the config's id.")
    return task_id, found


def _read(given: Any, name: str, version: str) -> PushWish:
    if not isinstance(given, dict):
        raise wrong(name, "Give an object.")
    under = f"{name}." if name else ""
    url = given.get("url")
    if not isinstance(url, str) or not url:
        raise wrong(f"{under}url", "Give the address to call.")
    scheme, credentials = _authentication(given, under)
    # flat, the params' own `id` is the config's, as the task's is `taskId`
    return PushWish(
        config_id=_id_of(given, under) or _id_for(url, version),
        url=url,
        token=_secret(given, "token", under),
        scheme=scheme,
        credentials=credentials,
        version=version,
        named=f"{under}url",
    )


def _id_of(given: Json, under: str) -> str:
    found = text_of(given, "id")
    if not found.isprintable():
        raise wrong(f"{under}id", "Give printable characters.")
    return found


def _id_for(url: str, version: str) -> str:
    """The same address asked for twice is one config; different ones are several, but for 0.3."""
    return DEFAULT_ID if version == PROTOCOL_VERSION_0_3 else str(uuid.uuid5(_IDS, url))


def _authentication(given: Mapping[str, Any], under: str) -> tuple[str, str]:
    """(scheme, credentials) as they go into the Authorization header; 0.3 lists schemes, of which we take the first."""
    found = given.get("authentication")
    if found is None:
        return "", ""
    name = f"{under}authentication"
    if not isinstance(found, dict):
        raise wrong(name, "Give an object.")
    scheme = found.get("scheme")
    if scheme is None:
        schemes = found.get("schemes") or [""]
        if not isinstance(schemes, list):
            raise wrong(f"{name}.schemes", "Give a list of texts.")
        scheme = schemes[0]
    if not isinstance(scheme, str) or (scheme and not _SCHEME.fullmatch(scheme)):
        raise wrong(f"{name}.scheme", "Give the name of an HTTP authentication scheme, such as Bearer.")
    credentials = _secret(found, "credentials", f"{name}.")
    if scheme.lower() == "basic" and ":" in credentials:  # which base64 has not: it came as user:password
        credentials = base64.b64encode(credentials.encode()).decode()
    return scheme, credentials


def _secret(given: Mapping[str, Any], name: str, under: str) -> str:
    """A text that will be a header's value."""
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > SECRET_LIMIT:
        raise wrong(f"{under}{name}", f"Give a text of at most {SECRET_LIMIT} characters.")
    if not (value.isascii() and value.isprintable() and value == value.strip()):
        raise wrong(f"{under}{name}", "Give printable ASCII without blanks around it: it is sent in a header.")
    return value


async def _checked(wish: PushWish) -> PushWish:
    try:
        await check_url(wish.url)
    except OutboundRefusedError as error:
        raise wrong(wish.named, (error.errors or {})["url"][0]) from error
    return wish
