"""What operators do to parts of the queue: limits, set, raised, lowered and taken away, and pauses."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model.ground import Ground
from tests.model.queue import Place

PLACES = st.sampled_from(
    [("workspace", ""), ("codebase", "global"), ("codebase", "shop"), ("worker", "w1"), ("key", "k1")]
)
MOST = st.sampled_from([1, 2, 3, 1, None])


class LimitRules(Ground):
    @rule(place=PLACES, most=MOST)
    def bind(self, place: Place, most: int | None) -> None:
        self.tell(lambda target: target.bind(place, most), "", lambda: self.queue.set(place, most=most))

    @rule(place=PLACES, paused=st.booleans())
    def stop_or_go_on(self, place: Place, paused: bool) -> None:
        """Pauses and resumptions also where there is nothing to pause or resume."""
        self.tell(
            lambda target: target.pause(place) if paused else target.resume(place),
            "",
            lambda: self.queue.set(place, paused=paused),
        )

    @rule()
    def open_all(self) -> None:
        """So that claims stay common in these lives."""
        for place in list(self.queue.limits):
            self.bind(place, None)
            self.stop_or_go_on(place, paused=False)
