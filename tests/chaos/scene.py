"""What a run is: its sizes, its seed and its addresses; every process of the harness gets it whole."""

from dataclasses import dataclass
from pathlib import Path

TOKEN = "token-of-chaos"
LEASE_SECONDS = 2
"""The shortest that the product allows."""
FAULT_GAP_SECONDS = 1.2
TASKS_PER_SECOND = 16.0
NARROW, WIDE = "narrow", "wide"
"""Concurrency keys that some tasks have."""


def limits(codebase_id: str) -> dict[tuple[str, str], int]:
    """(kind, key) of the queue's parts that are bounded → how many of their tasks may be held at once."""
    return {("workspace", ""): 60, ("codebase", codebase_id): 5, ("key", NARROW): 2, ("key", WIDE): 6}


@dataclass(frozen=True, kw_only=True)
class Scene:
    """One run. `tasks` and `faults` are made over about `seconds`."""

    seed: int
    tasks: int
    faults: int
    folder: Path
    driver: int
    webs: int = 2
    daemons: int = 4
    hands: int = 4
    proxy_port: int = 0
    web_ports: tuple[int, ...] = ()
    codebase_id: str = ""

    @property
    def seconds(self) -> float:
        """How long tasks are made and faults happen, on a machine that keeps up; else both take longer together."""
        return max(self.faults * FAULT_GAP_SECONDS, self.tasks / TASKS_PER_SECOND)

    @property
    def calm_flag(self) -> Path:
        """This file appears when the faults are over: the proxy passes everything on, the workers behave."""
        return self.folder / "calm"

    @property
    def progress_file(self) -> Path:
        """Grows by one byte with every task that clients begin to make."""
        return self.folder / "progress"

    def progress(self) -> float:
        """The share of the tasks that clients have begun to make, 0 to 1."""
        try:
            return self.progress_file.stat().st_size / self.tasks
        except FileNotFoundError:
            return 0.0

    @property
    def created_flag(self) -> Path:
        """This file appears when nobody makes tasks any more."""
        return self.folder / "created"

    @property
    def ended_flag(self) -> Path:
        """This file appears when every task has ended."""
        return self.folder / "ended"

    @property
    def content_flag(self) -> Path:
        """This file appears when clients have nothing left to do: who watches a task has seen its end."""
        return self.folder / "content"

    @property
    def done_flag(self) -> Path:
        """This file appears when everybody should go home."""
        return self.folder / "done"

    @property
    def histories(self) -> Path:
        return self.folder / "history"

    def is_calm(self) -> bool:
        return self.calm_flag.exists()

    def is_done(self) -> bool:
        """Also where the one who would say so has gone."""
        return self.done_flag.exists() or not Path(f"/proc/{self.driver}").exists()
