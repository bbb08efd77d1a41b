"""The form by which a person hands a task to a codebase's agents, as `POST …/trigger` does."""

import hashlib
from collections.abc import Sequence
from typing import Any

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.codebases.models import Codebase
from apps.core.ids import new_id
from apps.tasks.admin.surroundings import Machine
from apps.tasks.models import PRIORITY_LIMIT, Task
from apps.tasks.services import TITLE_LIMIT, Wish, codebase_trigger

AGENT_TYPES = [
    ("build", "Build: does everything that is allowed here"),
    ("plan", "Plan: reads, and says what it would do"),
    ("explore", "Explore: reads, and answers"),
    ("general", "General: does everything that is allowed here"),
]
PROMPT_LIMIT = 100_000


class TriggerForm(forms.Form):
    """Programs and models are those that the codebase's connected workers have, and what the codebase itself names.

    `once` makes the same form, sent twice, one task.
    """

    prompt = forms.CharField(
        max_length=PROMPT_LIMIT,
        widget=UnfoldAdminTextareaWidget(
            attrs={"rows": 4, "placeholder": "What should be done, and how you will know"}
        ),
    )
    title = forms.CharField(
        max_length=TITLE_LIMIT,
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "The prompt’s first line"}),
    )
    agent_type = forms.ChoiceField(choices=AGENT_TYPES, label="Way of working", widget=UnfoldAdminSelectWidget())
    program = forms.ChoiceField(required=False, label="Agent program", widget=UnfoldAdminSelectWidget())
    model = forms.ChoiceField(required=False, widget=UnfoldAdminSelectWidget())
    priority = forms.IntegerField(
        min_value=-PRIORITY_LIMIT,
        max_value=PRIORITY_LIMIT,
        initial=0,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text="Higher goes first.",
    )
    once = forms.UUIDField(required=False, initial=new_id, widget=forms.HiddenInput())

    def __init__(self, *args: Any, codebase: Codebase, machines: Sequence[Machine], **kwargs: Any) -> None:
        super().__init__(*args, **{"auto_id": "trigger_%s", **kwargs})
        config = codebase.agent_config
        here = [machine for machine in machines if machine.takes_work]
        self._offer(
            "program", config.get("program"), "the worker’s choice", [name for m in here for name in m.programs]
        )
        self._offer(
            "model", config.get("default_model"), "the program’s own", [name for m in here for name in m.models]
        )

    def _offer(self, name: str, usual: Any, otherwise: str, offered: Sequence[str]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        known = sorted({*offered, *([usual] if isinstance(usual, str) and usual else [])})
        field.choices = [("", f"As usual: {usual or otherwise}"), *((one, one) for one in known)]

    def clean_priority(self) -> int:
        return self.cleaned_data["priority"] or 0

    def create(self, codebase: Codebase, by: str) -> Task:
        """Make the task. Raises what `codebase_trigger` raises."""
        said = self.cleaned_data
        wish = Wish(
            prompt=said["prompt"],
            title=said["title"],
            agent_type=said["agent_type"],
            model=said["model"],
            priority=said["priority"],
            idempotency_key=self._key(by),
            metadata={"agent": said["program"]} if said["program"] else {},
        )
        return codebase_trigger(workspace_id=codebase.workspace_id, codebase_id=codebase.pk, wish=wish, by=by)

    def _key(self, by: str) -> str | None:
        """The same for the same form with the same words in it; one that was changed and sent again is another task."""
        once = self.cleaned_data["once"]
        if once is None:
            return None
        words = repr(sorted((name, str(value)) for name, value in self.cleaned_data.items()))
        return f"console/{hashlib.sha256(f'{by} {words}'.encode()).hexdigest()}"
