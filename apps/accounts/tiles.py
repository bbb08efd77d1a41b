"""One number of a page that shows how something is doing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """What it counts, how much of it there is, and where it leads (nowhere: only told)."""

    label: str
    value: int | str
    url: str = ""
    tone: str = ""
    note: str = ""
