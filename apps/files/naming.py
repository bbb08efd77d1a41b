"""Names and media types as strangers give them, made safe to keep and to send back."""

import mimetypes
import re

NAME_LIMIT = 255
UNNAMED = "file"
UNKNOWN_TYPE = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,62}/[a-z0-9][a-z0-9!#$&^_.+-]{0,62}")
_CHARSET = re.compile(r"charset=\"?([a-z0-9_-]{1,20})\"?", re.IGNORECASE)


def safe_name(given: str) -> str:
    """A relative path without control characters, `.` and `..`; `file` where nothing is left.

    The end is what tells files apart, so a long one loses its beginning.
    """
    printable = "".join(c for c in given.replace("\\", "/") if c.isprintable())
    steps = [step.strip() for step in printable.split("/")]
    return "/".join(step for step in steps if step not in ("", ".", ".."))[-NAME_LIMIT:].lstrip("/ ") or UNNAMED


def last_step(name: str) -> str:
    """A name without the folders before it."""
    return name.rpartition("/")[2]


def safe_media_type(given: str, name: str) -> str:
    """The media type, with a charset at most; guessed from the name where none is given, or none that is one."""
    kind, _, parameters = given.strip().partition(";")
    kind = kind.strip().lower()
    if not _MEDIA_TYPE.fullmatch(kind):
        return mimetypes.guess_type(last_step(name))[0] or UNKNOWN_TYPE
    charset = _CHARSET.search(parameters)
    return f"{kind}; charset={charset[1].lower()}"[:127] if charset else kind
