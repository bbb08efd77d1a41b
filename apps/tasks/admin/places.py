"""The parts of the queue as people choose and read them, and the forms in which they do."""

import uuid
from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any, ClassVar

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.accounts.console import DialogForm
from apps.accounts.models import Workspace
from apps.accounts.permissions import Scope
from apps.accounts.reach import reach_of
from apps.codebases.models import Codebase
from apps.tasks.models import GLOBAL_QUEUE, QueueLimit
from apps.tasks.services import MOST_LIMIT, NAME_LIMIT

SHOWN = 200
"""Workspaces, codebases and workers to choose from, each; others are reached from their own pages, or by REST."""

Kind = QueueLimit.Kind
Choices = list[tuple[str, list[tuple[str, str]]]]
WorkerNames = Callable[[Collection[uuid.UUID]], Iterable[tuple[uuid.UUID, str, str]]]


def place_name(kind: str, name: str) -> str:
    """A part of the queue in words; `name` of a codebase where it is known."""
    match kind:
        case Kind.WORKSPACE:
            return "The whole workspace"
        case Kind.CODEBASE:
            return "Tasks of no codebase" if name == GLOBAL_QUEUE else f"Codebase {name}"
        case Kind.WORKER:
            return f"Worker {name}"
        case _:
            return f"Concurrency key {name}"


class Places:
    """What a person may choose: the parts of the queue of all workspaces where they hold a scope."""

    worker_names: ClassVar[WorkerNames] = staticmethod(lambda workspace_ids: [])
    """(workspace, worker id, name) of workers. Only the app of workers knows, and the heart may not ask it."""

    def __init__(self, request: HttpRequest, scope: Scope) -> None:
        self.workspaces = list(reach_of(request).workspaces(scope)[:SHOWN])

    def choices(self) -> Choices:
        ids = [workspace.id for workspace in self.workspaces]
        present = Codebase.objects.filter(workspace_id__in=ids).exclude(status=Codebase.Status.REMOVED)
        codebases = list(present.order_by("name").values_list("workspace_id", "id", "name")[:SHOWN])
        workers = list(type(self).worker_names(ids))[:SHOWN]
        return [group for workspace in self.workspaces for group in self._groups(workspace, codebases, workers)]

    def _groups(
        self,
        workspace: Workspace,
        codebases: list[tuple[uuid.UUID, str, str]],
        workers: list[tuple[uuid.UUID, str, str]],
    ) -> Iterator[tuple[str, list[tuple[str, str]]]]:
        prefix = f"{workspace.name} · " if len(self.workspaces) > 1 else ""
        value = f"{workspace.id}/{{}}/{{}}".format
        yield f"{prefix}Workspace", [(value(Kind.WORKSPACE, ""), "The whole workspace")]
        none = [(value(Kind.CODEBASE, GLOBAL_QUEUE), "Tasks of no codebase")]
        found = [(value(Kind.CODEBASE, key), name) for owner, key, name in codebases if owner == workspace.id]
        yield f"{prefix}Codebases", none + found
        machines = [(value(Kind.WORKER, key), name) for owner, key, name in workers if owner == workspace.id]
        if machines:
            yield f"{prefix}Workers", machines
        yield f"{prefix}Concurrency keys", [(value(Kind.KEY, ""), "Tasks of the key below")]


class _Placed(DialogForm):
    """Asks for a part of the queue in which the person holds `scope`."""

    scope: ClassVar[Scope]

    where = forms.ChoiceField(label="Part of the queue", widget=UnfoldAdminSelectWidget())
    concurrency_key = forms.CharField(
        required=False,
        max_length=NAME_LIMIT,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Only for “Tasks of the key below”: the concurrency key that they were made with.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["where"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101
        field.choices = Places(kwargs["request"], self.scope).choices()

    def clean(self) -> dict[str, Any]:
        said: dict[str, Any] = super().clean() or self.cleaned_data
        is_key = said.get("where", "").endswith(f"/{Kind.KEY}/")
        if is_key and not said.get("concurrency_key"):
            self.add_error("concurrency_key", "Name the key.")
        if said.get("where") and not is_key and said.get("concurrency_key"):
            self.add_error("concurrency_key", "Leave it empty, or choose “Tasks of the key below”.")
        return said

    @property
    def place(self) -> dict[str, Any]:
        """What every service of limits asks for."""
        workspace_id, kind, key = self.cleaned_data["where"].split("/", 2)
        return {
            "workspace_id": uuid.UUID(workspace_id),
            "kind": kind,
            "key": key or self.cleaned_data["concurrency_key"],
        }


def _reason() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=NAME_LIMIT,
        widget=UnfoldAdminTextInputWidget(),
        help_text="Shown to everybody who asks why a task waits. Optional.",
    )


def _most(**more: Any) -> forms.IntegerField:
    widget = UnfoldAdminIntegerFieldWidget()
    return forms.IntegerField(label="Tasks held at once", min_value=1, max_value=MOST_LIMIT, widget=widget, **more)


class PlaceForm(_Placed):
    scope = Scope.ADMIN
    most = _most()


class PausePlaceForm(_Placed):
    scope = Scope.TASKS_WRITE
    reason = _reason()


class LimitForm(DialogForm):
    most = _most(required=False, help_text="Empty: no limit any more.")


class PauseForm(DialogForm):
    reason = _reason()


def pausing(title: str, form: type[DialogForm] = PauseForm) -> dict[str, Any]:
    """What `@action` is told of a button that pauses."""
    dialog = {
        "title": title,
        "description": "Nothing more is taken there until it is resumed; what runs goes on.",
        "form_class": form,
        "form_submit_text": "Pause",
    }
    return {"description": "Pause", "permissions": ["steer"], "icon": "pause", "variant": "warning", "dialog": dialog}


def resuming(title: str) -> dict[str, Any]:
    """What `@action` is told of a button that ends a pause."""
    dialog = {
        "title": title,
        "description": "What waits there may be taken again.",
        "form_class": DialogForm,
        "form_submit_text": "Resume",
    }
    return {
        "description": "Resume",
        "permissions": ["steer"],
        "icon": "play_arrow",
        "variant": "primary",
        "dialog": dialog,
    }


def limiting(whose: str) -> dict[str, Any]:
    """What `@action` is told of a button that sets how many tasks are held at once."""
    dialog = {
        "title": f"How many of {whose} tasks may be held at once?",
        "description": "A task counts from its claim until its lease ends. What is held beyond that may end.",
        "form_class": LimitForm,
        "form_submit_text": "Set",
    }
    return {"description": "Limit", "permissions": ["limit"], "icon": "speed", "dialog": dialog}


class SwitchForm(forms.Form):
    """What the first page sends to pause or resume a part of a workspace's queue."""

    verb = forms.ChoiceField(choices=[("pause", "Pause"), ("resume", "Resume")])
    workspace = forms.ModelChoiceField(Workspace.objects.all())
    kind = forms.ChoiceField(choices=Kind.choices)
    key = forms.CharField(max_length=NAME_LIMIT, required=False, strip=False)
    reason = _reason()
