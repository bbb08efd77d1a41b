"""Charts of the first page, as what an SVG needs: drawn by the server, so they need no script and no style."""

from dataclasses import dataclass

from apps.tasks.selectors import Hour, Lately

HEIGHT = 100
STEP = 20
GAP = 4


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle in units of the chart's view box; `y` counts from above."""

    x: int
    y: float
    height: float
    tone: str
    words: str
    width: int = STEP - GAP


@dataclass(frozen=True, slots=True)
class Chart:
    """`most` is what a bar of the whole height means, in words; `words` tell the chart to who cannot see it."""

    title: str
    words: str
    most: str
    bars: list[Bar]
    hours: int
    legend: tuple[tuple[str, str], ...] = ()
    height: int = HEIGHT

    @property
    def width(self) -> int:
        return self.hours * STEP


def ended_chart(recent: Lately) -> Chart:
    """How many tasks ended in each hour, by how."""
    most = max((hour.ended for hour in recent.hours), default=0) or 1
    bars = [bar for at, hour in enumerate(recent.hours) for bar in _stack(at, hour, most)]
    words = f"{recent.completed} completed and {recent.failed} failed in {len(recent.hours)} hours"
    legend = (("success", "completed"), ("danger", "failed"), ("plain", "cancelled"))
    return Chart("Tasks ended per hour", words, f"{most}", bars, len(recent.hours), legend)


def _stack(at: int, hour: Hour, most: int) -> list[Bar]:
    bars: list[Bar] = []
    top = float(HEIGHT)
    words = f"{_when(hour)}: {hour.completed} completed, {hour.failed} failed, {hour.others} cancelled"
    for number, tone in ((hour.completed, "success"), (hour.failed, "danger"), (hour.others, "plain")):
        height = round(HEIGHT * number / most, 2)
        top = round(top - height, 2)
        if number:
            bars.append(Bar(at * STEP, top, height, tone, words))
    return bars


def time_chart(recent: Lately) -> Chart:
    """The median time that the tasks took which were completed in each hour."""
    times = [(at, hour, hour.seconds) for at, hour in enumerate(recent.hours)]
    most = max((seconds for _, _, seconds in times if seconds is not None), default=0.0) or 1.0
    bars = [
        Bar(at * STEP, round(HEIGHT - height, 2), height, "info", f"{_when(hour)}: {duration(seconds)}")
        for at, hour, seconds in times
        if seconds is not None and (height := max(1.0, round(HEIGHT * seconds / most, 2)))
    ]
    words = f"Median time of completed tasks for each of {len(recent.hours)} hours, {duration(most)} at most"
    return Chart("Median time to complete", words, duration(most), bars, len(recent.hours))


def _when(hour: Hour) -> str:
    return "the last hour" if hour.hours_ago == 0 else f"{hour.hours_ago} to {hour.hours_ago + 1} hours ago"


def duration(seconds: float) -> str:
    """`40 s`, `3 min`, `2.5 h`."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
