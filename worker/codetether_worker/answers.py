"""A person's answer to a question that an earlier attempt has left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class PriorAnswer:
    """What was answered to which question; `seq` is the answer's place in the log."""

    seq: int
    question: str
    text: str
    options: tuple[Mapping[str, Any], ...] = ()
    data: Mapping[str, Any] = field(default_factory=dict)
    by: str = ""

    @property
    def said(self) -> str:
        """The answer in words: its text, else the label of the option that was chosen."""
        chosen = self.data.get("option_id") or self.data.get("option")
        labels = [str(option.get("label") or "") for option in self.options if option.get("id") == chosen]
        return self.text or next(filter(None, labels), "") or str(chosen or "")

    @classmethod
    def parse(cls, body: object) -> PriorAnswer | None:
        """As a claim tells it; None where it tells of none."""
        if not isinstance(body, Mapping):
            return None
        options, data = body.get("options"), body.get("data")
        return cls(
            seq=int(body.get("seq") or 0),
            question=str(body.get("question") or ""),
            text=str(body.get("message") or ""),
            options=tuple(option for option in options or () if isinstance(option, Mapping)),
            data=data if isinstance(data, Mapping) else {},
            by=str(body.get("by") or ""),
        )
