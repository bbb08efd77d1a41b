"""Keeps secrets out of texts that leave this machine: what the environment holds, and what looks like a secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

HIDDEN = "***"
SHORTEST_TOLD = 6
"""Of a secret that we are told to keep: a shorter one would be found in texts that have nothing to do with it."""
_SECRET_NAME = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIALS?)$", re.IGNORECASE)
_SHORTEST = 8
_LONGEST_NAME = 200
_SHORTEST_SAID = 12
"""No rule finds anything in a text shorter than this: the shortest is TOKEN= with six characters."""
_SECRET_FILE = re.compile(
    r"\.env(?:[._-].*)?|.*\.env|.*\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|gpg|age|tfstate|tfvars)"
    r"|id_(?:rsa|dsa|ecdsa|ed25519).*|credentials.*|(?:.*[._-])?(?:credentials?|secrets?)(?:\.[a-z0-9]{2,10})?"
    r"|\.?htpasswd|[._]netrc|\.npmrc|\.pypirc|\.pgpass|\.dockercfg|\.git-credentials|kubeconfig.*"
)
_SECRET_FOLDERS = frozenset({".ssh", ".aws", ".gnupg", ".kube"})

_ISSUED = re.compile(
    r"(?<![A-Za-z0-9_-])(?:"
    r"sk-(?:ant-|proj-|or-|svcacct-|admin-)?(?=[\w-]*\d)[A-Za-z0-9_-]{20,}"  # Anthropic, OpenAI, OpenRouter, DeepSeek
    r"|AIza[\w-]{35}|ya29\.[\w-]{20,}|GOCSPX-[\w-]{20,}"  # Google
    r"|(?:AKIA|ASIA)[A-Z0-9]{16}"  # AWS
    r"|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}"  # GitHub, GitLab
    r"|xox[abeoprs]-[\w-]{10,}|xapp-\d-[\w-]{10,}"  # Slack
    r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/=]{20,}"  # Stripe
    r"|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|hf_[A-Za-z0-9]{30,}|xai-[A-Za-z0-9]{40,}|gsk_[A-Za-z0-9]{40,}"
    r"|SG\.[\w-]{16,}\.[\w-]{16,}|do[opr]_v1_[0-9a-f]{64}|shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"
    r"|ATATT3[\w=-]{20,}|lin_api_[A-Za-z0-9]{30,}|hvs\.[\w-]{20,}|pplx-[A-Za-z0-9]{40,}|r8_[A-Za-z0-9]{37}"
    r"|\d{8,10}:AA[\w-]{33}"  # Telegram
    r"|AGE-SECRET-KEY-1[0-9A-Z]{58}"
    r"|ct_[A-Za-z0-9_-]{20,}"  # CodeTether
    r"|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"  # a signed JSON web token
    r")"
)
"""Keys and tokens that say by their own shape whose they are."""
_LONG_WORD = re.compile(r"[\w=+/.-]{15}")
"""Each of them holds so many such characters in a row: most texts do not, and need no closer look."""
_PRIVATE_KEY = re.compile(
    r"-----BEGIN (?P<of>[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?)-----(?:.*?-----END (?P=of)-----|.*)", re.DOTALL
)
_WEBHOOK = re.compile(r"(https://(?:hooks\.slack\.com/services|discord(?:app)?\.com/api/webhooks)/)[\w/-]{20,}")
_HEADER = re.compile(
    r"\b(bearer|basic|authorization:\s{0,3}token|x-api-key:)(\s{1,3})(?=[^\s\"']{0,200}\d)[A-Za-z0-9._~+/=-]{16,}",
    re.IGNORECASE,
)
_BEFORE_SECRETS = ("bearer", "basic", "authorization", "x-api-key")
"""One of them is in whatever _HEADER finds, in any case of letters."""
_IN_URL = re.compile(r"(://[^\s:/@\"']{0,100}:)(?![$<{*%])[^\s@/\"']{1,200}(?=@)")

_SECRET_WORD = (
    r"(?:(?:api|access|private|secret|signing|encryption)[_-]?key(?:[_-]?id)?"
    r"|token|secret|passw(?:or)?d|passphrase|credentials?)"
)
"""How the names of secrets end."""
_IN_SECRET_NAMES = ("key", "token", "secret", "passw", "passphrase", "credential")
"""One of them is in each such name, in any case of letters."""
_PLACEHOLDER = r"(?!(?:your|my|example|placeholder|change[_-]?me|xxx|todo|none|null|true|false|redacted)\b|your[_-])"
_ENV_LINE = re.compile(
    r"^(\s{0,8}(?:[+ -]\s{0,8})?(?:export\s|set\s)?\s{0,3}"
    rf"(?=[A-Z])[A-Z0-9_]{{0,60}}?(?i:{_SECRET_WORD})=)(?i:{_PLACEHOLDER})"
    r"[^\s\"'`,;(){}<>$]{6,}(?=\s|$)",
    re.MULTILINE,
)
"""NAME=value, as in `.env` files. A value with brackets or a $ is code, not a secret."""
_QUOTED = re.compile(
    rf"({_SECRET_WORD}\\{{0,3}}[\"']?\s{{0,3}}(?::|=>?|:=)\s{{0,3}}\\{{0,3}}[\"']){_PLACEHOLDER}"
    r"[^\s\"'\\${}<>()]{6,200}(?=\\{0,3}[\"'])",
    re.IGNORECASE,
)
"""name = "value" and "name": "value", also inside JSON that is itself a text."""
_SECRET_KEY = re.compile(
    rf"(?:[\w-]*[_-])?{_SECRET_WORD}|(?:[\w]*[a-z0-9])?(?:ApiKey|Token|Secret|Password|PrivateKey)"
)


def redacted(text: str, environment: Mapping[str, str]) -> str:
    """The text with every value of a secret-looking variable replaced by ***."""
    return _without(text, _secrets_of(environment))


def _secrets_of(environment: Mapping[str, str]) -> list[str]:
    """The longest first: one may be part of another."""
    found = {value for name, value in environment.items() if _SECRET_NAME.search(name) and len(value) >= _SHORTEST}
    return sorted(found, key=len, reverse=True)


def _without(text: str, secrets: Iterable[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, HIDDEN)
    return text


def without_secrets(text: str) -> str:
    """The text with everything that looks like a secret replaced by ***.

    Known are: keys and tokens of some thirty services by their shape, private keys, what follows `Bearer` and its
    like, passwords in URLs, and values assigned to names such as API_KEY or password.
    """
    if len(text) < _SHORTEST_SAID:
        return text
    if "PRIVATE KEY" in text:
        text = _PRIVATE_KEY.sub(rf"-----BEGIN \g<of>-----{HIDDEN}", text)
    if _LONG_WORD.search(text):
        text = _ISSUED.sub(HIDDEN, text)
    folded = text.casefold()
    if any(word in folded for word in _BEFORE_SECRETS):
        text = _HEADER.sub(rf"\1\2{HIDDEN}", text)
    if "://" in text:
        text = _WEBHOOK.sub(rf"\1{HIDDEN}", _IN_URL.sub(rf"\1{HIDDEN}", text))
    if any(word in folded for word in _IN_SECRET_NAMES):
        text = _QUOTED.sub(rf"\1{HIDDEN}", _ENV_LINE.sub(rf"\1{HIDDEN}", text))
    return text


def spellings_of(secret: str) -> set[str]:
    """How a secret may stand in a text: as it is, each longer line of it, in JSON, in an address, and in base64."""
    whole = secret.strip()
    found = {whole, *(line.strip() for line in whole.splitlines()), quote(whole, safe=""), *_in_base64(whole)}
    found |= {json.dumps(text)[1:-1] for text in list(found)}
    return {text for text in found if len(text) >= SHORTEST_TOLD}


def _in_base64(secret: str) -> Iterator[str]:
    """The part of its base64 that stays the same whatever stands before and after it, as in `user:secret`."""
    raw = secret.encode("utf-8", "surrogatepass")
    for before, cut in ((0, 0), (1, 2), (2, 3)):
        coded = base64.b64encode(bytes(before) + raw).decode().rstrip("=")
        inner = coded[cut : len(coded) - (1 if (before + len(raw)) % 3 else 0)]
        if len(inner) >= _SHORTEST:
            yield from {inner, inner.translate(_URLSAFE)}


_URLSAFE = str.maketrans("+/", "-_")


def _overlap(text: str, secret: str) -> int:
    """The length of the longest end of the text that is a beginning of the secret, and not all of it."""
    at = max(0, len(text) - len(secret) + 1)
    while (at := text.find(secret[0], at)) >= 0:
        if secret.startswith(text[at:]):
            return len(text) - at
        at += 1
    return 0


class Redactor:
    """Takes secrets out of JSON values: the environment's, those that it was told of, and what looks like one."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._secrets = _secrets_of(environment)
        self._told: list[str] = []

    def learn(self, secrets: Iterable[str]) -> None:
        """Keep these out too, however they are spelled. Threads may be reading meanwhile."""
        new = set().union(*map(spellings_of, secrets)).difference(self._secrets)
        if new:
            self._secrets = sorted({*self._secrets, *new}, key=len, reverse=True)
            self._told = [*self._told, *new]

    def unfinished(self, text: str) -> int:
        """How many characters at the text's end may be the beginning of a secret that we were told of."""
        return max((_overlap(text, secret) for secret in self._told), default=0)

    def text(self, text: str) -> str:
        return without_secrets(_without(text, self._secrets))

    def value(self, value: Any) -> Any:
        """The same value with every text in it clean; a text under a name such as `password` goes wholly."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {name: self._named(name, item) for name, item in value.items()}
        return [self.value(item) for item in value] if isinstance(value, list) else value

    def _named(self, name: str, item: Any) -> Any:
        if isinstance(item, str) and item and len(name) <= _LONGEST_NAME and _names_a_secret(name):
            return HIDDEN
        return self.value(item)


@lru_cache(maxsize=4096)
def _names_a_secret(name: str) -> bool:
    """The same few names come in every message."""
    return _SECRET_KEY.fullmatch(name) is not None


def looks_secret(path: str) -> bool:
    """Whether a file with this (relative) path is, by its name alone, one that holds keys or passwords."""
    *folders, name = path.lower().split("/")
    return bool(_SECRET_FILE.fullmatch(name) or _SECRET_FOLDERS.intersection(folders))
