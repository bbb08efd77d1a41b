"""What agents get into their environment is told to the holder of the task alone, and only where nobody listens."""

from typing import Any

import httpx
import pytest

from apps.codebases.variable_services import NewVariable, variable_set
from apps.core.db import in_database
from apps.tasks.models import Task, TaskEvent
from apps.workers.waiting import why_pending
from codetether.asgi import application
from tests.api.worker.laptop import Laptop
from tests.factories import Cast

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]
SECRET = "correct-horse-battery"


def set_up(cast: Cast, **more: Any) -> Task:
    """A task of a codebase with a secret and a variable."""
    shop = cast.codebase("shop", worker_id="w1")
    for name, kind, value in (("NPM_TOKEN", "secret", SECRET), ("LOG_LEVEL", "variable", "debug")):
        variable_set(
            workspace_id=cast.workspace.id, codebase_id=shop.id, name=name, new=NewVariable(value=value, kind=kind),
            by="ada",
        )  # fmt: skip
    return cast.task(codebase_id=shop.id, **more)


def from_afar(laptop: Laptop, address: str = "10.1.2.3", scheme: str = "http") -> None:
    """The laptop is another machine from now on."""
    transport = httpx.ASGITransport(application, client=(address, 4711))  # type: ignore[arg-type]
    laptop.http = httpx.AsyncClient(transport=transport, base_url=f"{scheme}://testserver", headers=laptop.headers)


async def test_claim_brings_it_and_nothing_else_ever_does(cast: Cast, w1: Laptop) -> None:
    task = await in_database(set_up, cast)
    held = await w1.take()
    assert held["environment"] == {"NPM_TOKEN": SECRET, "LOG_LEVEL": "debug"}
    assert held["secrets"] == ["NPM_TOKEN"]
    shown = await w1.http.get(f"/v1/opencode/tasks/{task.id}", headers={"authorization": "Bearer token-of-ci"})
    log = await in_database(lambda: [event.data for event in TaskEvent.objects.all()])
    row = await in_database(lambda: str(Task.objects.values().get()))
    for text in (shown.text, str(log), row, (await w1.beat(held)).text):
        assert SECRET not in text
        assert "LOG_LEVEL" not in text


async def test_without_variables_the_claim_asks_and_says_nothing_of_them(
    cast: Cast, w1: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.workers.claiming.environments_for", None)
    await in_database(cast.task)
    assert not {"environment", "secrets"} & (await w1.take()).keys()


async def test_without_tls_the_task_waits_and_says_why(cast: Cast, w1: Laptop) -> None:
    task = await in_database(set_up, cast)
    from_afar(w1)
    answer = await w1.claim()
    assert (answer.json()["task"], SECRET in answer.text) == (None, False)
    row = await in_database(Task.objects.get, id=task.id)
    assert (row.state, row.attempt, row.max_attempts) == ("pending", 1, 4)
    assert "over TLS only" in (await in_database(why_pending, row)).text


async def test_other_tasks_go_on_without_tls(cast: Cast, w1: Laptop) -> None:
    await in_database(set_up, cast, priority=5)
    other = await in_database(cast.task)
    from_afar(w1)
    assert (await w1.take())["id"] == str(other.id)


@pytest.mark.parametrize(("address", "scheme"), [("10.1.2.3", "https"), ("::1", "http"), ("192.168.7.7", "http")])
async def test_over_tls_from_here_and_from_named_networks_it_is_given(
    cast: Cast, w1: Laptop, settings: Any, address: str, scheme: str
) -> None:
    settings.SECRETS_PLAIN_NETWORKS = ["192.168.0.0/16"]
    await in_database(set_up, cast)
    from_afar(w1, address, scheme)
    assert (await w1.take())["environment"]["NPM_TOKEN"] == SECRET


async def test_named_task_is_refused_without_tls(cast: Cast, w1: Laptop) -> None:
    task = await in_database(set_up, cast)
    from_afar(w1)
    refused = await w1.claim(task_id=str(task.id))
    assert (refused.status_code, refused.json()["code"], SECRET in refused.text) == (409, "already_claimed", False)


async def test_secret_that_no_key_opens_keeps_its_task_waiting(cast: Cast, w1: Laptop, settings: Any) -> None:
    task = await in_database(set_up, cast)
    settings.SECRET_KEY = "another key " + "y" * 40
    assert (await w1.claim()).json()["task"] is None
    row = await in_database(Task.objects.get, id=task.id)
    assert "NPM_TOKEN cannot be opened" in (await in_database(why_pending, row)).text
