"""Does what the schedule says, brings back what is down, and counts."""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos import nemesis
from tests.chaos.history import History
from tests.chaos.nemesis import Fault
from tests.chaos.system import Part, StorePart

TICK_SECONDS = 0.05


@dataclass
class Striker:
    """`done` counts faults by (deed, kind), `ended` the parts that ended by themselves, which nobody had killed."""

    parts: Sequence[Part]
    history: History
    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: Counter[str] = field(default_factory=Counter)
    _back_at: dict[str, float] = field(default_factory=dict)
    _frozen: set[str] = field(default_factory=set)
    _victims: dict[str, int] = field(default_factory=dict)

    def strike(self, faults: Sequence[Fault], clock: Callable[[], float]) -> None:
        """Blocks until all are done, each when the run's `clock` (in seconds) has come to it.

        A fault whose every target is down already waits for one to come back.
        """
        waiting = list(faults)
        while waiting:
            self.tend()
            now = clock()
            waiting = [fault for fault in waiting if fault.at > now or not self._do(fault)]
            time.sleep(TICK_SECONDS)

    def settle(self) -> None:
        """Everything is thawed and up again."""
        while self._back_at:
            self._back_at = dict.fromkeys(self._back_at, 0.0)
            self.tend()

    def tend(self) -> None:
        """Thaw and start what is due; start what has ended by itself, as a service manager would."""
        now = time.monotonic()
        for part in self.parts:
            due = self._back_at.get(part.name)
            if due is None and not part.is_up:
                self.ended[part.kind] += 1
                self.history.note("ended by itself", part.name, "fail")
                part.start()
            elif due is not None and due <= now and self._bring_back(part):
                del self._back_at[part.name]

    def _bring_back(self, part: Part) -> bool:
        """False where the part is still about to die."""
        if part.name in self._frozen:
            self._frozen.discard(part.name)
            part.thaw()
            return True
        alive = part.pids()
        if alive and alive[0] == self._victims[part.name]:
            return False
        if not alive:
            part.start()
        return True

    def _do(self, fault: Fault) -> bool:
        """Whether there was somebody to do it to."""
        able = [
            part for part in self.parts if part.kind == fault.kind and part.name not in self._back_at and part.is_up
        ]
        if not able:
            return False
        part = able[int(fault.choice * len(able))]
        if fault.deed != nemesis.KILL_SESSION:
            self._back_at[part.name] = time.monotonic() + fault.lasts
        if fault.deed == nemesis.FREEZE:
            self._frozen.add(part.name)
            part.freeze()
        elif fault.deed == nemesis.KILL_SESSION and isinstance(part, StorePart):
            part.kill_one_child(fault.choice)
        else:
            self._victims[part.name] = part.pids()[0]
            part.kill()
        self.done[fault.deed, fault.kind] += 1
        self.history.note(fault.deed, part.name, lasts=round(fault.lasts, 2))
        return True
