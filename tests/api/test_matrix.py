"""The matrix: every way in × everybody who may not come by it. Each is refused, and the database stays as it was.

The ways in are those of the product's own URL configuration, both lanes, and must be the ones of the permission table
(`apps/accounts/ways_in.py`): a new one fails here until its line there says who may use it. What a token's last
use was is noted once before the first look at the database, and is the only thing that a refused call may write.

After each way in the database is asked how many rows were written since (a test is one transaction, whose writes it
counts); at the end of each test, and where any was written, all that it holds is compared.
"""

import json
from collections.abc import Awaitable, Callable, Iterator
from datetime import timedelta
from typing import Any

import grpc
import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.utils import timezone

from apps.a2a.methods import METHODS
from apps.accounts.models import ApiToken
from apps.accounts.permissions import ROLE_SCOPES, Role, Scope
from apps.accounts.ways_in import EVERYBODY, ROUTES
from apps.live.sockets import websocket_urlpatterns
from tests.api.bad_input import ROUTES as GOOD
from tests.api.bad_input import Found, found_routes
from tests.api.conftest import Api
from tests.api.good_calls import Place
from tests.api.matrix import by_grpc, grpc_methods, http, websocket
from tests.api.test_bad_input import NAMED_ANEW, digest, furnish
from tests.factories import Cast
from tests.fakes.forged_tokens import forged
from tests.fakes.identity_provider import IdentityProvider

FORGERIES = ("algorithm none", "HS256 with the public key", "audience", "issuer", "expired", "key id of nobody")
FOUND = list({found.name: found for found in found_routes()}.values())
"""Each once: that the paths of both prefixes are the same is another test."""
GUARDED = [found for found in FOUND if ROUTES.get(found.name) != EVERYBODY]


@pytest.fixture
def strangers(cast: Cast, settings: Any) -> Iterator[dict[str, str]]:
    """Tokens that open nothing, by what is wrong with them."""
    with IdentityProvider() as provider:
        settings.OIDC = provider.settings()
        settings.OUTBOUND_ALLOWED = ["127.0.0.1"]
        ended = {name: cast.token(Role.ADMIN) for name in ("expired token", "revoked token")}
        now = timezone.now()
        newest = ApiToken.objects.order_by("-created_at")
        newest.filter(pk=newest[0].pk).update(revoked_at=now)
        newest.filter(pk=newest[1].pk).update(expires_at=now - timedelta(seconds=1))
        made = forged(provider)
        yield {"nobody": "", "unknown": "ct_unknown", "no JWT": "a.b.c", **ended} | {
            name: made[name] for name in FORGERIES
        }


@pytest.fixture
def members(cast: Cast) -> dict[Role, str]:
    """A token of each role."""
    return {role: cast.token(role) for role in Role}


NAMES_NO_TASK = {"SendMessage", "SendStreamingMessage", "ListTasks", "GetExtendedAgentCard", "GetAgentCard"}


def narrowed(cast: Cast) -> dict[Scope, str]:
    """An admin's token for each scope, which holds nothing else."""
    return {scope: cast.token(Role.ADMIN, scopes=[scope]) for scope in Scope}


def written() -> int:
    """How many rows this transaction has added, changed and removed so far, but for the trail's."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_xact_user_tables "
            "WHERE relname NOT IN ('audit_auditentry', 'audit_audithead')"
        )
        return int(cursor.fetchone()[0])


class Watched:
    """Runs calls, and compares the database with what it was before them."""

    def __init__(self, api: Api) -> None:
        self.run: Callable[[Awaitable[Any]], Any] = api.runner.run  # type: ignore[assignment]
        self.before, self.written = digest(), written()
        self.wrong: list[str] = []

    def expect(self, what: str, wanted: Any, call: Awaitable[Any]) -> None:
        found = self.run(call)
        status = found[0] if isinstance(found, tuple) else found
        if status != wanted:
            self.wrong.append(f"{what}: {found} instead of {wanted}")

    def unchanged(self, what: str) -> None:
        """To be asked after each way in: nothing was written."""
        if written() != self.written:
            self._compare(what)

    def assert_refused(self) -> None:
        """Each call was answered as was expected, and the database is byte for byte what it was."""
        self._compare("after all")
        assert not self.wrong

    def _compare(self, what: str) -> None:
        self.written, found = written(), digest()
        if found != self.before:
            self.wrong.append(f"{what}: the database has changed")
            self.before = found


def call(found: Found, place: Place, token: str) -> Awaitable[tuple[int, bytes]]:
    """A good call, so that nothing but who makes it can be the reason to refuse it."""
    route = GOOD[found.name]
    body = json.dumps(route.good(place)).encode() if route.good is not None else b""
    return http(found.method, place.fill(found.path + route.query), token, body)


def needed(found: Found) -> frozenset[Scope]:
    """Any of these scopes opens the route to its good call; A2A's address is one for reading and writing."""
    if GOOD[found.name].rpc:
        return frozenset({Scope.TASKS_WRITE})
    return frozenset(ROUTES[found.name] or ())


@pytest.fixture
def settled(api: Api) -> Callable[..., Watched]:
    """Begins to watch once every token has been used."""

    def begin(*tokens: str) -> Watched:
        for token in tokens:
            api.runner.run(http("GET", "/v1/auth/me", token))
        return Watched(api)

    return begin


def test_every_way_in_is_in_the_permission_table_and_asks_for_what_that_says() -> None:
    sockets = {"WS /ws/monitor/": (Scope.TASKS_READ,), "WS /ws/tasks/{task_id}/": (Scope.TASKS_READ,)}
    assert len(websocket_urlpatterns) == len(sockets) + 1, "the last pattern refuses all others"
    declared = {found.name: found.scopes for found in FOUND} | sockets
    assert declared.keys() == ROUTES.keys()
    differing = {name for name, scopes in declared.items() if set(scopes) != set(ROUTES[name] or ())}
    assert not differing
    assert {name for name, route in GOOD.items() if route.open} == {n for n, s in ROUTES.items() if s == EVERYBODY}


def test_strangers_get_nothing(
    api: Api, cast: Cast, strangers: dict[str, str], settled: Callable[..., Watched]
) -> None:
    place = furnish(cast)
    watched = settled()
    for found in GUARDED:
        for who, token in strangers.items():
            watched.expect(f"{who}: {found.method} {found.path}", 401, call(found, place, token))
        watched.unchanged(f"{found.method} {found.path}")
    watched.assert_refused()


def test_members_without_the_scope_get_nothing(
    api: Api, cast: Cast, members: dict[Role, str], settled: Callable[..., Watched]
) -> None:
    place, alone = furnish(cast), narrowed(cast)
    watched = settled(*members.values(), *alone.values())
    for found in GUARDED:
        scopes = needed(found)
        callers = {str(role): token for role, token in members.items() if not scopes & ROLE_SCOPES[role]}
        callers |= {f"only {scope}": token for scope, token in alone.items() if scope not in scopes}
        for who, token in callers.items() if scopes else ():
            watched.expect(f"{who}: {found.method} {found.path}", 403, call(found, place, token))
        watched.unchanged(f"{found.method} {found.path}")
    watched.assert_refused()


def test_another_workspaces_admin_finds_nothing_here(api: Api, cast: Cast, settled: Callable[..., Watched]) -> None:
    place, theirs = furnish(cast), cast.elsewhere().token(Role.ADMIN)
    watched = settled(theirs)
    for found in GUARDED:
        if "{" in found.path:
            status, body = watched.run(call(found, place, theirs))
            if status not in (403, 404) and found.name not in NAMED_ANEW:
                # 403: a body's tenant, or what only the default workspace's admins may do
                watched.wrong.append(f"theirs: {found.method} {found.path}: {status} {body[:100]!r}")
            watched.unchanged(f"{found.method} {found.path}")
    watched.assert_refused()


def test_members_with_the_scope_are_let_in(
    api: Api, cast: Cast, members: dict[Role, str], settled: Callable[..., Watched]
) -> None:
    """Else the refusals above would show nothing. A body that cannot be read stops them from doing anything."""
    place = furnish(cast)
    watched = settled(*members.values())
    for found in GUARDED:
        for role, token in members.items():
            scopes = needed(found)
            if (not scopes or scopes & ROLE_SCOPES[role]) and found.method != "DELETE":
                path = place.fill(found.path + GOOD[found.name].query)
                status, _ = watched.run(http(found.method, path, token, b"{"))
                if status in (401, 403):
                    watched.wrong.append(f"{role}: {found.method} {found.path}: {status}")
    assert not watched.wrong


def test_sockets(
    api: Api, cast: Cast, strangers: dict[str, str], members: dict[Role, str], settled: Callable[..., Watched]
) -> None:
    task, alone, theirs = cast.task(), narrowed(cast), cast.elsewhere().token(Role.ADMIN)
    watched = settled(*members.values(), *alone.values(), theirs)
    members_only = {f"only {scope}": token for scope, token in alone.items() if scope != Scope.TASKS_READ}
    for path in (f"/ws/tasks/{task.id}/", "/ws/monitor/"):
        for who, token in strangers.items():
            watched.expect(f"{who}: {path}", 4401, websocket(path, token))
            watched.expect(f"{who}, in the first frame: {path}", 4401, websocket(path, "", told(token)))
            watched.unchanged(f"{who}: {path}")
        for who, token in {"worker": members[Role.WORKER], **members_only}.items():
            watched.expect(f"{who}: {path}", 4403, websocket(path, token))
            watched.expect(f"{who}, in the first frame: {path}", 4403, websocket(path, "", told(token)))
            watched.unchanged(f"{who}: {path}")
    watched.expect("theirs", 4404, websocket(f"/ws/tasks/{task.id}/", theirs))
    watched.expect("viewer", 0, websocket(f"/ws/tasks/{task.id}/", members[Role.VIEWER]))
    watched.assert_refused()


def told(token: str) -> str:
    """A socket's first frame."""
    return json.dumps({"token": token} if token else {})


def test_grpc(
    api: Api, cast: Cast, strangers: dict[str, str], members: dict[Role, str], settled: Callable[..., Watched]
) -> None:
    scope_of = {name: method.operation.scope for name, method in METHODS.items()}
    task, alone = str(cast.task().id), narrowed(cast)
    watched = settled(*members.values(), *alone.values())
    for path, name in grpc_methods():
        scope = scope_of.get(name, Scope.TASKS_READ)
        callers = {str(role): token for role, token in members.items() if scope not in ROLE_SCOPES[role]}
        callers |= {f"only {one}": token for one, token in alone.items() if one != scope}
        for who, token in strangers.items():
            watched.expect(f"{who}: {path}", grpc.StatusCode.UNAUTHENTICATED, by_grpc(path, token, task))
        for who, token in callers.items():
            watched.expect(f"{who}: {path}", grpc.StatusCode.PERMISSION_DENIED, by_grpc(path, token, task))
        watched.unchanged(path)
    watched.assert_refused()


def test_another_workspaces_admin_finds_no_task_of_ours_by_grpc(
    api: Api, cast: Cast, settled: Callable[..., Watched]
) -> None:
    task, theirs = str(cast.task().id), cast.elsewhere().token(Role.ADMIN)
    watched = settled(theirs)
    for path, name in grpc_methods():
        if name not in NAMES_NO_TASK:
            watched.expect(f"theirs: {path}", grpc.StatusCode.NOT_FOUND, by_grpc(path, theirs, task))
            watched.unchanged(path)
    watched.assert_refused()


def console_paths() -> list[str]:
    """Every page of the console but the way in."""
    admin.autodiscover()
    pages = [str(entry.pattern) for entry in admin.site.get_urls() if hasattr(entry, "lookup_str")]
    for model, options in admin.site._registry.items():
        own = [str(entry.pattern) for entry in options.get_urls()]
        pages += [f"{model._meta.app_label}/{model._meta.model_name}/{page}" for page in own]
    filled = [page.replace("<path:object_id>", "x") for page in pages]
    return [f"/admin/{page}" for page in filled if "<" not in page]


def test_the_console_is_for_staff(api: Api, cast: Cast) -> None:
    nobody, visitor = Client(), Client()
    visitor.force_login(cast.user("visitor", Role.ADMIN))
    watched = Watched(api)
    for path in console_paths():
        if path.rstrip("/").endswith(("login", "logout", "jsi18n")) or "^" in path:
            continue
        for who, browser in {"nobody": nobody, "visitor": visitor}.items():
            for answer in (browser.get(path), browser.post(path)):
                away = answer.status_code == 302 and "/login/" in answer["Location"]
                if not (away or answer.status_code in (403, 404)):
                    watched.wrong.append(f"{who}: {path}: {answer.status_code}")
    watched.assert_refused()
