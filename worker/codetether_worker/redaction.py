"""Keeps keys and tokens of the environment out of texts that leave this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_SHORTEST = 8


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """The text with every value of a secret-looking variable replaced by ***."""
    secrets = {v for k, v in environment.items() if _SECRET_NAME.search(k) and len(v) >= _SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
