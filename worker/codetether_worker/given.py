"""What the server gives an attempt's agent for its environment. It is kept in memory alone, and never logged."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from codetether_sessions.variable_names import refusal_of

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Given:
    """Variables by name; `secrets` are the values among them that must not be told to anybody."""

    variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def parse(cls, body: Mapping[str, Any]) -> Given:
        """Of a claim. What decides how this machine works is left out, whoever says it."""
        said = body.get("environment")
        texts = {name: value for name, value in said.items() if _fits(value)} if isinstance(said, Mapping) else {}
        refused = sorted(name for name in texts if refusal_of(name) is not None)
        if refused:
            log.warning("variables left out, since they are this machine's own: %s", ", ".join(refused)[:200])
        named = body.get("secrets")
        hidden = set(named) if isinstance(named, list) else set(texts)
        return cls(
            variables={name: value for name, value in texts.items() if name not in refused},
            secrets=tuple(value for name, value in texts.items() if name in hidden),
        )


def _fits(value: object) -> bool:
    """Whether an environment can hold it."""
    return isinstance(value, str) and "\0" not in value
