"""Calls made from the OpenAPI description by schemathesis, each sent by every role, and what is wrong with the answers.

The library is used as a library: its pytest plugin and its own transports stay out, so that every call goes by the
product's whole application in the test's own transaction and is undone again.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import httpx
import schemathesis
from django.db import transaction
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.settings import patched_settings
from hypothesis import HealthCheck, Phase, given
from hypothesis import seed as hypothesis_seed
from hypothesis import settings as hypothesis_settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from schemathesis import Case as SchemaCase
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import AcceptedNegativeData, Failure, FailureGroup
from schemathesis.core.result import Err, Ok
from schemathesis.openapi.checks import RejectedPositiveData
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi import checks

from apps.accounts.principals import forget_tokens
from apps.rest.schema import PAGE_SETTINGS
from tests.api.bad_input import ROUTES
from tests.api.conftest import Api
from tests.api.good_calls import Place

Operation = APIOperation[Any, Any, Any, Any]
Case = SchemaCase[Any]
CHECKS = [
    not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_headers_conformance,
    checks.response_schema_conformance,
    checks.negative_data_rejection,
    checks.positive_data_acceptance,
]
NOBODY, ADMIN = "nobody", "admin"
EVERYBODY_EACH = 5
SEMANTIC = ["2xx", "401", "403", "404", "409", "410", "422", "429"]
"""What may become of a request that fits its description: 422 is for what only its meaning makes wrong."""


def described() -> dict[str, Any]:
    """The OpenAPI description as `/v1/schema` gives it."""
    with patched_settings(PAGE_SETTINGS):
        found: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return found


def operations() -> list[Operation]:
    """Every operation that the description has; an error in the description is an error here."""
    config = SchemathesisConfig()
    config.projects.default.checks.positive_data_acceptance.expected_statuses = SEMANTIC
    config.projects.default.generation.with_security_parameters = False  # who calls is ours to say
    config.projects.default.generation.allow_x00 = False  # no text may hold a NUL: tests/api/test_bad_input.py
    found = schemathesis.openapi.from_dict(described(), config=config)
    results = list(found.get_all_operations())
    wrong = [result.err() for result in results if isinstance(result, Err)]
    assert not wrong, wrong
    return [result.ok() for result in results if isinstance(result, Ok)]


class Faults:
    """What was wrong, by operation, role and kind; each with its first example."""

    def __init__(self) -> None:
        self.found: dict[tuple[str, str], str] = {}
        self.statuses: Counter[int] = Counter()

    def add(self, operation: str, kind: str, example: str) -> None:
        self.found.setdefault((operation, kind), example)

    def told(self) -> str:
        return "\n".join(f"{operation}: {kind}\n{example}\n" for (operation, kind), example in self.found.items())


class Crowd:
    """Everybody who calls: a client for each role, and one of nobody."""

    def __init__(self, clients: dict[str, Api], place: Place) -> None:
        self.clients = clients
        self.place = place
        self.faults = Faults()

    def try_operation(
        self, operation: Operation, *, count: int, seed: int, others: bool, modes: Sequence[GenerationMode]
    ) -> None:
        """The good call by everybody, then `count` of each mode: that fit the description, and that do not.

        They are about things that are there, and with `others` again as many about things that may not be. The admin
        makes them, who is let in everywhere; each fifth is everybody's.
        """
        for role, api in self.clients.items():
            self._try(role, api, self._good(operation))
        found = cases(operation, self.place, count=count, seed=seed, others=others, modes=modes)
        for number, case in enumerate(found):
            for role, api in self.clients.items():
                if role == ADMIN or number % EVERYBODY_EACH == EVERYBODY_EACH - 1:
                    self._try(role, api, case)

    def _good(self, operation: Operation) -> Case:
        """The good call that the table of routes knows."""
        route = ROUTES[f"{operation.method.upper()} {operation.path}"]
        query = dict(httpx.QueryParams(self.place.fill(route.query)))
        body: dict[str, Any] = (
            {} if route.good is None else {"body": route.good(self.place), "media_type": "application/json"}
        )
        return operation.Case(path_parameters=_known(operation, self.place), query=query, **body)

    def _try(self, role: str, api: Api, case: Case) -> None:
        """The call is made, judged, and undone."""
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent.pop("cookies")
        if isinstance(sent.get("data"), bytes | str):
            sent["content"] = sent.pop("data")
        forget_tokens()
        with transaction.atomic():
            answer = api.call(sent.pop("method"), sent.pop("url"), **sent)
            transaction.set_rollback(True)
        self.faults.statuses[answer.status_code] += 1
        for kind, example in _wrong(role, case, answer):
            self.faults.add(case.operation.label, kind, f"  {role}: {example[:1500]}")


def cases(
    operation: Operation, place: Place, *, count: int, seed: int, others: bool, modes: Sequence[GenerationMode]
) -> list[Case]:
    """About what there is and, with `others`, about what there may not be; the same for the same seed."""
    known = _known(operation, place)
    found: list[Case] = []
    for mode in modes:
        for ids in [known, None] if known and others else [known or None]:
            seed += 1
            found += _made(operation.as_strategy(generation_mode=mode, path_parameters=ids), count, seed)
    return found


def _made(strategy: SearchStrategy[Case], count: int, seed: int) -> list[Case]:
    """None where there is nothing in the operation that could be sent wrong."""
    found: list[Case] = []
    only_made = hypothesis_settings(
        max_examples=count, phases=[Phase.generate], deadline=None, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    with suppress(Unsatisfiable):
        hypothesis_seed(seed)(only_made(given(strategy)(lambda case: found.append(case))))()
    return found


def _known(operation: Operation, place: Place) -> dict[str, str]:
    """The ids of `place` that the operation's path names."""
    names = re.findall(r"{(\w+)}", operation.path)
    return {name: str(getattr(place, name)) for name in names}


def _wrong(role: str, case: Case, answer: httpx.Response) -> Iterator[tuple[str, str]]:
    """(kind, example) of each thing that is wrong with the answer."""
    guarded = bool(case.operation.definition.raw.get("security"))
    if role == NOBODY and guarded and answer.status_code != 401:
        yield "nobody is let in", f"{answer.status_code} {answer.text}"
    if role == NOBODY and not guarded and answer.status_code == 401 and "WWW-Authenticate" in answer.headers:
        if case.operation.label not in GIVES_CREDENTIALS:
            yield "asks for a token, and does not say so", answer.text
    try:
        case.validate_response(answer, checks=CHECKS)
    except FailureGroup as group:
        for failure in group.exceptions:
            if isinstance(failure, Failure) and not _is_meant(failure, case, answer):
                yield type(failure).__name__, _shown(failure, case, answer)


def _is_meant(failure: Failure, case: Case, answer: httpx.Response) -> bool:
    """Whether a request is refused for what its description cannot tell, and the refusal names only that."""
    if not isinstance(failure, RejectedPositiveData) or answer.status_code != 400:
        return False
    wrong = {name.partition("[")[0] for name in answer.json().get("errors") or {}}
    return bool(wrong) and wrong <= MEANING.get(case.operation.label, frozenset()) | set(case.path_parameters or {})


def _shown(failure: Failure, case: Case, answer: httpx.Response) -> str:
    sent = f"{case.method} {case.formatted_path} {dict(case.query or {})!r} {case.body!r:.700}"
    about = (AcceptedNegativeData, RejectedPositiveData)
    told = failure.message if isinstance(failure, about) else f"{failure.title}: {failure.message}"
    return f"{sent}\n  -> {answer.status_code} {answer.text[:300]}\n  {told[:400]}"


GIVES_CREDENTIALS = frozenset({"POST /v1/auth/login", "POST /v1/auth/refresh", "POST /v1/invitations/accept"})
"""Where 401 is about what the body says."""
_ENTRIES = frozenset({"sessions", "messages"})
_CREDENTIALS = frozenset({"name", "token", "api_key", "api_key_header", "metadata"})
MEANING = {
    "POST /v1/agents/remote": _CREDENTIALS,
    "PATCH /v1/agents/remote/{name}": _CREDENTIALS,
    "POST /v1/opencode/codebases/{codebase_id}/sessions/sync": _ENTRIES,
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/ingest": _ENTRIES,
    "POST /v1/opencode/codebases/{codebase_id}/sessions/{session_id}/messages/sync": _ENTRIES,
    "POST /v1/opencode/tasks/{task_id}/output": frozenset({"output"}),
    "POST /v1/users/api-keys": frozenset({"codebases", "expires_at"}),
    "POST /v1/users/api-keys/{token_id}/rotate": frozenset({"expires_at"}),
}
"""Fields that a service may refuse though they fit their description: entries that are read in the spellings of all
programs, one secret or the other, a call without any body, times that are over, codebases of tokens that are no
worker's. Ids in paths too."""
