"""Bad input to every route of both lanes: refused with 4xx as JSON, and nothing changes. `bad_input` has the table."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.apps import apps
from django.db import connection

from apps.a2a.models import PushConfig
from apps.accounts.invitations import invitation_create
from apps.accounts.models import ApiToken
from apps.accounts.permissions import Role
from apps.federation.models import RemoteAgent
from apps.sessions import reading
from apps.sessions.services import sessions_sync
from apps.workers.services import Registration, worker_register
from tests.api.bad_input import ROUTES, Found, found_routes
from tests.api.conftest import Api
from tests.api.good_calls import NOWHERE, Place, Route
from tests.api.spoilt_input import BAD_QUERIES, BROKEN_BODIES, UNKNOWN_IDS, spoilt
from tests.factories import Cast
from tests.fakes.session_stores import opencode_tree

FOUND = found_routes()
KNOWN = list({found.name: found for found in FOUND if found.name in ROUTES}.values())
WITH_BODY = [found for found in KNOWN if ROUTES[found.name].good is not None]
NAMED_ANEW = ("PUT /v1/workspace/variables/{name}",)
"""Ways in whose caller gives the id: an unknown one is none to refuse."""
WITH_ID = [found for found in KNOWN if "{" in found.path and found.name not in NAMED_ANEW]
GUARDED = [found for found in KNOWN if not ROUTES[found.name].open]


def over(routes: list[Found]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("found", routes, ids=[f"{found.method} {found.path}" for found in routes])


def furnish(cast: Cast) -> Place:
    """One of each thing in the cast's workspace."""
    shop = cast.codebase()
    agents = [{"role": "reviewer", "instance": "reviewer:w1"}]
    said = Registration(worker_id="w1", name="w1", global_codebase_id="global", agents=agents)
    worker_register(workspace_id=cast.workspace.id, registration=said)
    claim = cast.held(codebase_id=shop.id)
    cast.token(Role.VIEWER)
    token = ApiToken.objects.filter(workspace=cast.workspace).latest("created_at")
    sessions = reading.sessions([{"id": "ses_1", "title": "Till"}])
    sessions_sync(
        workspace_id=shop.workspace_id, codebase_id=shop.id, worker_id="w1", sessions=sessions, source="opencode"
    )
    cousin = RemoteAgent.objects.create(workspace=cast.workspace, name=f"cousin-of-{cast.workspace.slug}")
    PushConfig.objects.create(
        workspace=cast.workspace, task_id=claim.task_id, config_id="config-1", url="https://93.184.216.34/a", host="h",
        version="1.0", sent_seq=0,
    )  # fmt: skip
    file = cast.file(task_id=claim.task_id)
    member = cast.user(f"vera-of-{cast.workspace.slug}", Role.VIEWER)
    invitation, _ = invitation_create(workspace_id=cast.workspace.id, role=Role.VIEWER, made_by="ada")
    return Place(
        shop.id,
        str(claim.task_id),
        "w1",
        str(token.id),
        "ses_1",
        str(claim.token),
        name=cousin.name,
        file_id=str(file.id),
        workspace=cast.workspace.slug,
        user_id=str(member.pk),
        invitation_id=str(invitation.pk),
        run_id=f"{claim.task_id}:1",
    )


@pytest.fixture
def place(api: Api, cast: Cast, tmp_path: Path, settings: Any) -> Place:
    """Its session is also one on the server's own machine."""
    settings.A2A_SECRET_ENVIRONMENT = {"HOME": str(tmp_path)}
    opencode_tree(tmp_path / ".local" / "share" / "opencode" / "storage", tmp_path)
    return furnish(cast)


def digest() -> str:
    """A fingerprint of everything that the database holds of ours, but for the trail, where refusals are written."""
    known = [model._meta for model in apps.get_models(include_auto_created=True)]
    tables = sorted(one.db_table for one in known if one.managed and not one.proxy and one.app_label != "audit")
    parts = " UNION ALL ".join(
        f"SELECT '{table}' AS t, md5(string_agg(r::text, '|' ORDER BY r::text)) AS d FROM {table} r"  # noqa: S608
        for table in tables
    )
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT t, d FROM ({parts}) AS all_tables ORDER BY t")  # noqa: S608
        return json.dumps(cursor.fetchall())


class Watch:
    """Calls that must be refused and change nothing; `check` at the end compares the database."""

    def __init__(self, api: Api, route: Route) -> None:
        self.api = api
        self.route = route
        self.api.get("/v1/auth/me")  # so that the token's time of last use is noted before the first fingerprint
        self.before = digest()

    def refused(self, what: str, method: str, path: str, status: int = 0, **request: Any) -> None:
        answer = self.api.call(method, path, **request)
        assert answer.status_code < 500, f"{what}: {answer.status_code} {answer.text[:300]}"
        assert answer.headers["Content-Type"].startswith("application/json"), f"{what}: {answer.text[:200]}"
        assert self._is_refusal(answer), f"{what}: {answer.status_code} {answer.text[:300]}"
        assert status in (0, answer.status_code), f"{what}: {answer.status_code} {answer.text[:300]}"

    def _is_refusal(self, answer: httpx.Response) -> bool:
        return self.route.is_refusal(answer)

    def check(self) -> None:
        assert digest() == self.before


def good(route: Route, place: Place) -> dict[str, Any]:
    return {} if route.good is None else {"json": route.good(place)}


def test_every_route_is_in_the_table_and_the_table_has_no_other() -> None:
    assert {found.name for found in FOUND} == set(ROUTES)


@over(WITH_BODY)
def test_broken_bodies(admin: Api, place: Place, found: Found) -> None:
    route, path = ROUTES[found.name], place.fill(found.path)
    watch = Watch(admin, route)
    for what, body in BROKEN_BODIES.items():
        watch.refused(what, found.method, path, content=body, headers={"Content-Type": "application/json"})
    watch.check()


@over([found for found in WITH_BODY if ROUTES[found.name].good(NOWHERE)])  # type: ignore[misc]
def test_wrong_types(admin: Api, place: Place, found: Found) -> None:
    route, path = ROUTES[found.name], place.fill(found.path)
    watch = Watch(admin, route)
    for what, body in spoilt(route, place):
        watch.refused(what, found.method, path, json=body)
    watch.check()


@over(WITH_ID)
def test_unknown_ids(admin: Api, place: Place, found: Found) -> None:
    route = ROUTES[found.name]
    watch = Watch(admin, route)
    for unknown in UNKNOWN_IDS:
        path = place.unknown(unknown).fill(found.path + route.query)
        watch.refused(unknown[:40], found.method, path, **good(route, place))
    watch.check()


@over([found for found in WITH_ID if "/runtime/" not in found.path])  # what is on the machine is of no workspace
def test_ids_of_another_workspace(admin: Api, place: Place, cast: Cast, found: Found) -> None:
    theirs = furnish(cast.elsewhere())
    route = ROUTES[found.name]
    if "{worker_id}" in found.path:
        theirs = replace(theirs, worker_id="theirs-alone")
        worker_register(
            workspace_id=cast.elsewhere().workspace.id,
            registration=Registration(worker_id="theirs-alone", name="theirs"),
        )
    if "{role}" in found.path:
        theirs = replace(theirs, role="theirs-alone")
        worker_register(
            workspace_id=cast.elsewhere().workspace.id,
            registration=Registration(worker_id="w1", name="w1", agents=[{"role": "theirs-alone", "instance": "t"}]),
        )
    watch = Watch(admin, route)
    path = theirs.fill(found.path + route.query)
    watch.refused("foreign", found.method, path, status=404, **good(route, theirs))
    watch.check()


@over([found for found in GUARDED if found.method == "GET" and not ROUTES[found.name].endless])
def test_bad_queries_never_break_anything(admin: Api, place: Place, found: Found) -> None:
    watch = Watch(admin, ROUTES[found.name])
    for query in BAD_QUERIES:
        known = place.fill(found.path + ROUTES[found.name].query)
        answer = admin.call("GET", f"{known}{'&' if '?' in known else '?'}{query}")
        assert answer.status_code in (200, 400), f"{query}: {answer.text[:300]}"
    watch.check()


def test_both_prefixes_have_the_same_routes() -> None:
    paths = {f"{found.method} {found.path}": found.scopes for found in FOUND}
    newer = {
        name.replace("/v1/agent/", "/v1/opencode/"): scopes for name, scopes in paths.items() if "/v1/agent/" in name
    }
    older = {name: scopes for name, scopes in paths.items() if "/v1/opencode/" in name}
    assert newer == older
