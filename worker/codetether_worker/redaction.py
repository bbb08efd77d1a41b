"""Keeps keys and tokens of the environment out of texts that leave this machine."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_SHORTEST = 8
_SECRET_FILE = re.compile(
    r"\.env(?:[._-].*)?|.*\.env|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|gpg|age|tfstate|tfvars)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519).*|credentials.*|(?:.*[._-])?(?:credentials?|secrets?)(?:\.[a-z0-9]{2,10})?"
    r"|\.?htpasswd|[._]netrc|\.npmrc|\.pypirc|\.pgpass|\.dockercfg|\.git-credentials|kubeconfig.*"
)
_SECRET_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube"})


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """The text with every value of a secret-looking variable replaced by ***."""
    secrets = {v for k, v in environment.items() if _SECRET_NAME.search(k) and len(v) >= _SHORTEST}
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def looks_secret(path: str) -> bool:
    """Whether a file with this (relative) path is, by its name alone, one that holds keys or passwords."""
    *folders, name = path.lower().split("/")
    return bool(_SECRET_FILE.fullmatch(name) or _SECRET_FOLDERS.intersection(folders))
