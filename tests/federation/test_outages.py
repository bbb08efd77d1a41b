"""What goes wrong on the way to a remote agent, and that nothing is sent or told twice because of it."""

from typing import Any

import pytest
from a2a.types import TaskState
from django.db import OperationalError
from starlette.responses import JSONResponse, Response

from apps.core.db import in_database
from apps.federation import holding
from apps.federation.models import RemoteAgent, RemoteTask
from apps.federation.services import bearer
from apps.tasks.models import Task
from apps.tasks.services import leases_reap, task_answer, task_cancel, task_progress, task_requeue
from tests.fakes.remote_agent import Cousin, Stage
from tests.federation.conftest import Scene, until

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def two_halves(stage: Stage) -> None:
    await stage.work()
    await stage.say("first ")
    await stage.go.wait()
    await stage.say("second", append=True)
    await stage.done()


async def half_done(scene: Scene, cousin: Cousin, **more: object) -> Task:
    """A task whose first half has been told."""
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.task("halves", **more)
    await until(lambda: scene.said(task), "the first half")
    return task


async def test_lost_connection_is_taken_up_where_it_stopped(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    task = await half_done(scene, cousin)
    await cousin.stop()
    cousin.go.set()
    await cousin.start()
    ended = await scene.ended(task)
    assert (ended.state, ended.result, ended.attempt) == ("completed", "first second", 1)
    assert await scene.said(task) == "first second"
    assert len(cousin.messages) == 1


async def lease_runs_out(task: Task) -> None:
    """As if its time had passed; the reaper gives the task to whoever comes next."""
    await in_database(Task.objects.filter(id=task.id).update, lease_expires_at="2020-01-01T00:00:00Z")
    await in_database(leases_reap)
    await in_database(Task.objects.filter(id=task.id).update, available_at="2020-01-01T00:00:00Z")


async def test_killed_bridges_task_goes_on_with_the_same_remote_task(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    task = await half_done(scene, cousin)
    await scene.kill_bridge()
    await lease_runs_out(task)
    cousin.go.set()
    await scene.bridge("bridge-2")
    ended = await scene.ended(task)
    assert (ended.state, ended.result, ended.attempt) == ("completed", "first second", 2)
    assert len(cousin.messages) == 1
    assert await scene.said(task) == "first " + "first second"  # what a new attempt says replaces the former


async def test_answer_to_a_killed_bridges_question_arrives_once(scene: Scene) -> None:
    async def ask(stage: Stage) -> None:
        if stage.words == "ask":
            await stage.ask("Well?")

    async def answer(stage: Stage) -> None:
        await stage.done("thanks")

    cousin = await scene.cousin({"ask": ask, "yes": answer})
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.in_state(await scene.task("ask"), "input_required")
    await scene.kill_bridge()
    await lease_runs_out(task)
    await in_database(task_answer, workspace_id=task.workspace_id, task_id=task.id, message="yes", by="ada")
    await scene.bridge("bridge-2")
    assert (await scene.ended(task)).result == "thanks"
    assert len(cousin.messages) == 2
    assert len(await scene.events(task, "asked")) == 1


async def test_bridge_that_stops_gives_back_at_once_and_burns_nothing(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    task = await half_done(scene, cousin)
    await scene.stop_bridges()
    assert (await scene.now(task)).state == "pending"
    assert not cousin.cancelled
    cousin.go.set()
    await scene.bridge()
    ended = await scene.ended(task)
    assert (ended.result, ended.max_attempts - ended.attempt) == ("first second", 2)
    assert len(cousin.messages) == 1


async def test_two_bridges_share_the_work(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    cousin.go.set()
    await scene.register(cousin)
    await scene.bridge("bridge-1")
    await scene.bridge("bridge-2")
    tasks = [await scene.task("halves") for _ in range(6)]
    assert {(await scene.ended(task)).result for task in tasks} == {"first second"}
    assert len(cousin.messages) == 6


async def test_unreachable_agent_is_tried_again_and_then_given_up(scene: Scene) -> None:
    cousin = await scene.cousin({})
    await scene.register(cousin)
    await cousin.stop()
    await scene.bridge()
    task = await scene.ended(await scene.task("hello", max_attempts=2))
    assert (task.state, task.attempt, task.error_code) == ("failed", 2, "remote_unreachable")
    assert "cousin cannot be reached" in task.error
    agent = await in_database(RemoteAgent.objects.get, name="cousin")
    assert "cannot be reached" in agent.last_error


async def test_wrong_token_is_told_in_plain_words(scene: Scene) -> None:
    cousin = await scene.cousin({}, token="good")
    await scene.register(cousin, credentials=bearer("bad"))
    await scene.bridge()
    task = await scene.ended(await scene.task("hello"))
    assert (task.state, task.attempt, task.error_code) == ("failed", 1, "remote_denied")
    assert task.error == "The remote agent cousin does not accept our credentials (HTTP 401)."
    assert cousin.messages == []


async def test_right_token_is_shown(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves}, token="good")
    cousin.go.set()
    await scene.register(cousin, credentials=bearer("good"))
    await scene.bridge()
    assert (await scene.ended(await scene.task("halves"))).state == "completed"


@pytest.mark.parametrize("status", [429, 503])
async def test_busy_agent_is_asked_later_and_no_attempt_is_burned(scene: Scene, status: int) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    cousin.go.set()
    cousin.refusals.append(Response(status_code=status, headers={"retry-after": "1"}))
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.ended(await scene.task("halves"))
    assert (task.state, task.max_attempts - task.attempt) == ("completed", 2)
    (again,) = await scene.events(task, "requeued")
    assert (again["delay_seconds"], again["burn"]) == (1.0, False)


async def test_message_that_is_refused_fails_the_task_at_once(scene: Scene) -> None:
    cousin = await scene.cousin({})
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "hops is 9"}}
    cousin.refusals.append(JSONResponse(error))
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.ended(await scene.task("hello"))
    assert (task.state, task.attempt, task.error_code) == ("failed", 1, "remote_refused")
    assert "hops is 9" in task.error


async def test_answer_that_is_no_a2a_fails_the_task(scene: Scene) -> None:
    cousin = await scene.cousin({})
    cousin.refusals.append(Response("<html>", media_type="text/html"))
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.ended(await scene.task("hello"))
    assert (task.state, task.error_code) == ("failed", "remote_unreadable")


async def test_task_that_the_agent_has_forgotten_is_not_sent_again(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    task = await half_done(scene, cousin)
    await cousin.stop()
    cousin._app = None
    await cousin.start()
    ended = await scene.ended(task)
    assert (ended.state, ended.error_code) == ("failed", "remote_task_lost")
    assert len(cousin.messages) == 1


async def test_cancel_while_no_bridge_runs_reaches_the_agent_later(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    task = await half_done(scene, cousin)
    await scene.stop_bridges()
    await in_database(task_cancel, workspace_id=task.workspace_id, task_id=task.id, by="ada")
    await scene.bridge()

    async def cancelled() -> bool:
        return bool(cousin.cancelled)

    await until(cancelled, "the agent hears of it")
    link = await in_database(RemoteTask.objects.get, task_id=task.id)
    assert cousin.cancelled == [link.remote_task_id]


async def test_disabled_agents_tasks_wait(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    await scene.register(cousin, enabled=False)
    task = await scene.task("halves")
    await scene.register(cousin, name="other")
    await scene.bridge()
    cousin.go.set()
    await scene.ended(await scene.task("halves", target_agent="other"))
    assert (await scene.now(task)).state == "pending"


async def test_stream_that_ends_too_early_is_followed_anew(scene: Scene) -> None:
    async def long(stage: Stage) -> None:
        await stage.work()
        await stage.say("first ")
        await stage.end(TaskState.TASK_STATE_WORKING, "still here")
        await stage.go.wait()
        await stage.say("second", append=True)
        await stage.done()

    cousin = await scene.cousin({"long": long})
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.task("long")
    await until(lambda: scene.said(task), "the first half")
    for connection in list(cousin._server.server_state.connections):  # type: ignore[union-attr]
        connection.transport.abort()  # type: ignore[union-attr]
    cousin.go.set()
    assert (await scene.ended(task)).result == "first second"
    assert await scene.said(task) == "first second"


async def test_database_that_is_away_for_a_moment_loses_and_doubles_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    failures = iter([True, False, True, False])

    def write_and_lose_the_answer(**said: Any) -> Any:
        written = task_progress(**said)
        if next(failures, False):
            raise OperationalError("the connection was lost")
        return written

    monkeypatch.setattr(holding, "task_progress", write_and_lose_the_answer)
    cousin = await scene.cousin({"halves": two_halves})
    cousin.go.set()
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.ended(await scene.task("halves"))
    assert (task.result, task.attempt) == ("first second", 1)
    assert await scene.said(task) == "first second"


async def test_task_that_is_put_back_goes_on_by_a_new_claim(scene: Scene) -> None:
    cousin = await scene.cousin({"halves": two_halves})
    task = await half_done(scene, cousin)
    await in_database(task_requeue, workspace_id=task.workspace_id, task_id=task.id, by="ada")

    async def claimed() -> bool:
        return (await scene.now(task)).attempt == 2

    await until(claimed, "it is claimed again")
    cousin.go.set()
    assert (await scene.ended(task)).result == "first second"
    assert (len(cousin.messages), cousin.cancelled) == (1, [])
