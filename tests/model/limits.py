"""What operators do to parts of the queue: limits, set, raised, lowered and taken away, and pauses."""

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.model.ground import Ground
from tests.model.queue import Place

PLACES = st.sampled_from(
    [("workspace", ""), ("codebase", "global"), ("codebase", "shop"), ("worker", "w1"), ("key", "k1")]
)


class LimitRules(Ground):
    @rule(place=PLACES, most=st.sampled_from([None, 1, 1, 2, 3]))
    def bind(self, place: Place, most: int | None) -> None:
        self.tell(lambda target: target.bind(place, most), "", lambda: self.queue.set(place, most=most))

    @rule(place=PLACES)
    def pause(self, place: Place) -> None:
        self.tell(lambda target: target.pause(place), "", lambda: self.queue.set(place, paused=True))

    @rule(place=PLACES)
    def resume(self, place: Place) -> None:
        self.tell(lambda target: target.resume(place), "", lambda: self.queue.set(place, paused=False))

    @rule()
    def open_all(self) -> None:
        """So that claims stay common in these lives."""
        for place in list(self.queue.limits):
            self.resume(place)
            self.bind(place, None)
