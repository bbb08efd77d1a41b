"""A2A 1.0's tenant is a workspace: that of the caller, or one that the person behind the call is in."""

from typing import Any

import pytest

from apps.accounts.permissions import Role
from apps.tasks.models import Task
from tests.api.conftest import Api
from tests.factories import Cast

MESSAGE = {"role": "ROLE_USER", "messageId": "m1", "parts": [{"text": "hello"}]}
SEND = {"message": MESSAGE, "configuration": {"returnImmediately": True}}
NEW = {"A2A-Version": "1.0"}


def by_rpc(api: Api, tenant: str, **more: Any) -> Any:
    said = {"jsonrpc": "2.0", "id": 1, "method": "SendMessage", "params": {**SEND, "tenant": tenant}}
    return api.call("POST", "/a2a/jsonrpc", json=said, headers={**NEW, **more})


def by_path(api: Api, tenant: str, **more: Any) -> Any:
    return api.call("POST", f"/a2a/rest/{tenant}/message:send", json=SEND, headers={**NEW, **more})


def by_body(api: Api, tenant: str, **more: Any) -> Any:
    return api.call("POST", "/a2a/rest/message:send", json={**SEND, "tenant": tenant}, headers={**NEW, **more})


WAYS = pytest.mark.parametrize("send", [by_rpc, by_path, by_body])


@WAYS
def test_own_workspace_is_named_by_slug_or_id(api: Api, cast: Cast, send: Any) -> None:
    for name in (cast.workspace.slug, str(cast.workspace.id)):
        assert send(api, name).status_code == 200
    assert Task.objects.filter(workspace=cast.workspace).exists()


@WAYS
def test_another_workspace_is_refused(api: Api, cast: Cast, send: Any) -> None:
    for name in (cast.elsewhere().workspace.slug, "nowhere"):
        assert send(api, name).status_code == 403
    assert not Task.objects.exists()


@WAYS
def test_person_chooses_among_their_workspaces(api: Api, cast: Cast, send: Any) -> None:
    far, ada = cast.elsewhere(), cast.user("ada", Role.VIEWER)
    ada.memberships.create(workspace=far.workspace, role=Role.OPERATOR)
    said = {"username": "ada", "password": "correct horse"}
    access = api.bearing("").post("/v1/auth/login", said).json()["access_token"]
    person = api.bearing(access)
    assert send(person, far.workspace.slug).status_code == 200
    assert Task.objects.get().workspace == far.workspace
    assert send(person, cast.workspace.slug).status_code in (200, 403)
    assert Task.objects.count() == 1


def test_header_that_names_another_contradicts(api: Api, cast: Cast) -> None:
    assert "error" in by_body(api, cast.workspace.slug, **{"X-Workspace": "other"}).json()
    assert not Task.objects.exists()
