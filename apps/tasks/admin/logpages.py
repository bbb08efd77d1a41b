"""What the page of a task asks for while it is open: parts of the log, what is new, words in it, and all of it."""

from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.admin.utils import unquote
from django.http import Http404, HttpRequest, JsonResponse, StreamingHttpResponse
from django.template.loader import render_to_string
from django.urls import URLPattern, path

from apps.accounts.reach import reach_of
from apps.tasks.admin.export import as_json_lines, as_markdown
from apps.tasks.admin.parts import PART, Part, number_of, part
from apps.tasks.admin.steps import Steps
from apps.tasks.models import Task
from apps.tasks.selectors import log_search

ENOUGH = 100
"""Events that fill the place in which a log is shown."""
PARTS_TOLD = 2
"""Parts that one look at what is new brings; a page that is further behind asks for the others as it shows them."""

FORMS: dict[str, tuple[str, str, Callable[[Task], Iterator[bytes]]]] = {
    "jsonl": ("application/x-ndjson", "jsonl", as_json_lines),
    "markdown": ("text/markdown; charset=utf-8", "md", as_markdown),
}


class LogPages(Steps):
    """The answers that belong to one task's page."""

    def get_urls(self) -> list[URLPattern]:
        views = {"tail": self.tail_view, "part": self.part_view, "search": self.search_view, "log": self.log_view}
        own = [
            path(f"<path:object_id>/{name}/", self.admin_site.admin_view(view), name=f"tasks_task_{name}")
            for name, view in views.items()
        ]
        return [*own, *super().get_urls()]

    def head(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        """What is shown above the log; the page itself says."""
        raise NotImplementedError

    def log_shown(self, request: HttpRequest, task: Task) -> dict[str, Any]:
        """What the page comes with: the part of `?at=` (a seq), by default the last; the one before, if it is short."""
        at = _number(request, "at", default=task.last_seq)
        last = number_of(min(at, task.last_seq) or task.last_seq)
        is_short = task.last_seq - last * PART < ENOUGH
        numbers = range(max(0, last - is_short), last + 1)
        reach = reach_of(request)
        return {
            "parts": [part(task.pk, number) for number in numbers],
            "last_part": number_of(task.last_seq),
            "part_length": PART,
            "at": at if at < task.last_seq else "",
            "earlier": numbers[0] * PART or None,
            "later": (last + 1) * PART + 1 if last < number_of(task.last_seq) else None,
            "stream": reach.address_of(f"/v1/opencode/tasks/{task.pk}/output/stream", task.workspace_id),
        }

    def tail_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """What is new after `?after=` (a seq): the head, the last parts as HTML, and how the task stands."""
        task = self._task(request, object_id)
        after = _number(request, "after", default=task.last_seq)
        head = self.head(request, task)
        return JsonResponse(
            {
                "head": render_to_string("admin/tasks/task/head.html", head, request),
                "question": render_to_string("admin/tasks/task/question.html", head, request),
                "asking": head["question"].seq if head["question"] else 0,
                "parts": [_told(one, head, request) for one in _parts_after(task, after)],
                "last_seq": task.last_seq,
                "last_part": number_of(task.last_seq),
                "state": task.state,
                "live": head["live"],
            }
        )

    def part_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Part `?number=` of the log."""
        task = self._task(request, object_id)
        number = _number(request, "number", default=0)
        return JsonResponse(_told(part(task.pk, number), {"task": task, "live": not task.is_terminal}, request))

    def search_view(self, request: HttpRequest, object_id: str) -> JsonResponse:
        """Where in the log the words `?q=` are: `{hits: [{seq, part, kind, excerpt}]}`."""
        task = self._task(request, object_id)
        hits = log_search(task.pk, request.GET.get("q", "")[:200])
        found = [{"seq": hit.seq, "part": number_of(hit.seq), "kind": hit.kind, "excerpt": hit.excerpt} for hit in hits]
        return JsonResponse({"hits": found})

    def log_view(self, request: HttpRequest, object_id: str) -> StreamingHttpResponse:
        """The whole log as a file; `?as=` names the form."""
        task = self._task(request, object_id)
        form = FORMS.get(request.GET.get("as", "jsonl"))
        if form is None:
            raise Http404
        media_type, suffix, written = form
        answer = StreamingHttpResponse(written(task), content_type=media_type)
        answer["Content-Disposition"] = f'attachment; filename="task-{task.pk}.{suffix}"'
        return answer

    def _task(self, request: HttpRequest, object_id: str) -> Task:
        task: Task | None = self.get_object(request, unquote(object_id))
        if task is None or not self.has_view_permission(request, task):
            raise Http404
        return task


def _parts_after(task: Task, after: int) -> list[Part]:
    """The parts that hold what came after a seq, PARTS_TOLD at most, and the one that they complete."""
    if after >= task.last_seq:
        return []
    last = number_of(task.last_seq)
    told = [part(task.pk, number) for number in range(max(number_of(after + 1), last - PARTS_TOLD + 1), last + 1)]
    if told[0].joins_before:
        told.insert(0, part(task.pk, told[0].number - 1))
    return told


def _told(one: Part, context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    html = render_to_string("admin/tasks/task/blocks.html", {**context, "blocks": one.blocks}, request)
    return {"number": one.number, "html": html}


def _number(request: HttpRequest, name: str, *, default: int) -> int:
    """A number of the query, where it is one that can be meant."""
    given = request.GET.get(name, "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 15 else default
