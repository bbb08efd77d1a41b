"""How much of what it can do a worker does."""

from dataclasses import dataclass

from apps.workers.models import Worker


@dataclass(frozen=True, slots=True)
class Load:
    """A worker, and how many tasks it works on of how many it takes at once (`most`; None: it did not say)."""

    worker: Worker
    busy: int
    most: int | None

    @property
    def share(self) -> int:
        """Percent."""
        return min(100, round(100 * self.busy / self.most)) if self.most else 0
