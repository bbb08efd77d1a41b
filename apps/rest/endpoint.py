"""The base of all REST views: what an operation needs, reads and answers is declared once, on its method.

`@operation(scope, answers=…)` marks a handler. The annotations of its `body` and `query` parameters (models of
`apps.rest.bodies` and `apps.rest.queries`) say what it reads. Permission, validation, idempotency and the OpenAPI
schema all follow from that.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ClassVar, cast, get_type_hints

from django.http import HttpResponse, StreamingHttpResponse
from pydantic import BaseModel
from rest_framework.request import Request
from rest_framework.views import APIView

from apps.accounts.admission import admit_stranger_now
from apps.accounts.idempotency import answer_once, digest_of
from apps.accounts.permissions import Scope
from apps.accounts.principals import Principal
from apps.core import jsontext
from apps.core.errors import NotFoundError, UnprocessableError
from apps.rest.authentication import Scopes
from apps.rest.parsers import object_in
from apps.rest.problems import json_answer
from apps.rest.reading import Body, Query

Answer = Mapping[str, Any]
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
JSON_LINES = "application/x-ndjson"
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one view needs (`scopes`: any of them), reads and answers."""

    scopes: Scopes
    body: type[Body]
    query: type[Query] | None
    answers: type[BaseModel]
    takes_body: bool
    shown_once: frozenset[str]
    media_type: str = "application/json"


def operation(
    *scopes: Scope, answers: type[BaseModel], shown_once: frozenset[str] = frozenset()
) -> Callable[[Callable[..., Answer]], Callable[..., HttpResponse]]:
    """Make a handler out of a method that takes the ids of its path, `body` and `query`, and returns the answer."""

    def mark(method: Callable[..., Answer]) -> Callable[..., HttpResponse]:
        hints = get_type_hints(method)
        declared = Operation(scopes, hints.get("body", Body), hints.get("query"), answers, "body" in hints, shown_once)

        @wraps(method)
        def handle(view: "Endpoint", request: Request, **ids: str) -> HttpResponse:
            return json_answer(perform(view, method, declared, _call_of(request, ids)))

        handle.operation = declared  # type: ignore[attr-defined]
        return handle

    return mark


def streamed(*scopes: Scope, line: type[BaseModel]) -> Callable[[Callable[..., Iterator[bytes]]], Callable[..., Any]]:
    """Make a GET handler out of a method that takes `query` and yields lines of JSON; it is refused before the first.

    The pieces are made one after the other in any thread, so what makes them keeps no cursor open.
    """

    def mark(method: Callable[..., Iterator[bytes]]) -> Callable[..., StreamingHttpResponse]:
        query = get_type_hints(method).get("query", Query)

        @wraps(method)
        def handle(view: "Endpoint", request: Request, **ids: str) -> StreamingHttpResponse:
            pieces = method(view, **ids, query=query.of(request.query_params))
            return StreamingHttpResponse(pieces, content_type=JSON_LINES)

        declared = Operation(scopes, Body, query, line, False, frozenset(), JSON_LINES)
        handle.operation = declared  # type: ignore[attr-defined]
        return handle

    return mark


@dataclass(frozen=True, slots=True)
class Call:
    """A request as operations see it, whichever lane it came by."""

    method: str
    path: str
    ids: Mapping[str, str]
    query: Mapping[str, str]
    content_type: str
    body: bytes
    idempotency_key: str | None


def _call_of(request: Request, ids: Mapping[str, str]) -> Call:
    return Call(
        method=str(request.method),
        path=request.path,
        ids=ids,
        query=request.query_params,
        content_type=request.META.get("CONTENT_TYPE", ""),
        body=request._request.body if request.method in WITH_BODY else b"",
        idempotency_key=request.META.get("HTTP_IDEMPOTENCY_KEY"),
    )


def perform(view: "Endpoint", method: Callable[..., Answer], declared: Operation, call: Call) -> bytes:
    """Read the call as declared, do the operation (once per Idempotency-Key), and give the JSON of its answer."""
    arguments: dict[str, Any] = dict(call.ids)
    if declared.query is not None:
        arguments["query"] = declared.query.of(call.query)
    if call.method not in WITH_BODY:
        return jsontext.dumps(method(view, **arguments))
    said = object_in(call.body, call.content_type)
    _check_agreement(call.ids, said)
    if declared.takes_body:
        arguments["body"] = declared.body.of(said)
    if call.idempotency_key is None or call.method != "POST" or view.is_open:
        return jsontext.dumps(method(view, **arguments))
    return answer_once(
        workspace_id=view.caller.workspace_id,
        key=call.idempotency_key,
        digest=digest_of("POST", call.path, said),
        work=lambda: method(view, **arguments),
        shown_once=declared.shown_once,
    )


def _check_agreement(ids: Mapping[str, str], said: Mapping[str, Any]) -> None:
    """An id in the body may repeat that of the path, but not contradict it."""
    for name, value in ids.items():
        for spelled in (name, "id"):
            other = said.get(spelled)
            if other is not None and other != value:
                raise UnprocessableError(
                    f"The body's {spelled} is not that of the address.", code="contradiction", errors={
                        spelled: ["Leave it out, or give the one in the address."]
                    }
                )  # fmt: skip


class Endpoint(APIView):
    """A REST view; every method is an `operation`, or the class cannot be made."""

    operations: ClassVar[dict[str, Operation]] = {}
    required_scopes: ClassVar[dict[str, Scopes]] = {}
    http_method_names: ClassVar[list[str]] = [name.lower() for name in (*METHODS, "HEAD")]  # type: ignore[misc]

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        handlers = {name: getattr(cls, name.lower(), None) for name in METHODS}
        cls.operations = {name: _operation_of(cls, handler) for name, handler in handlers.items() if handler}
        cls.required_scopes = {name: declared.scopes for name, declared in cls.operations.items()}

    is_open: ClassVar[bool] = False
    """Whether callers who are nobody yet may come."""
    caller: Principal
    """Who asks; known once `initial` has run."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate and check the scopes; there is nothing to negotiate: all answers are JSON."""
        self.perform_authentication(request)
        self.check_permissions(request)
        self.caller = cast(Principal, request.auth)
        if any("\0" in value for value in kwargs.values()):
            raise NotFoundError("There is nothing at this address.")


class OpenEndpoint(Endpoint):
    """A view for callers who are nobody yet: no token is asked for, and none is looked at. No answer is kept for an
    Idempotency-Key, since there is nobody to keep it for."""

    is_open = True

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        admit_stranger_now()


def _operation_of(cls: type, handler: Any) -> Operation:
    declared = getattr(handler, "operation", None)
    if not isinstance(declared, Operation):
        raise TypeError(f"{cls.__name__}.{handler.__name__} is not an operation: say which scope it needs.")
    return declared
