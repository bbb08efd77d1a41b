"""Tasks that a remote agent works on: the whole way over the wire, against the SDK's own server."""

import io

import pytest
from a2a.types import Part, TaskState
from google.protobuf.json_format import ParseDict

from apps.core.db import in_database
from apps.core.extension import EXTENSION
from apps.federation.models import RemoteAgent, RemoteTask
from apps.files.models import StoredFile
from apps.files.services import NewFile, file_store
from apps.tasks.services import task_answer, task_cancel, task_message
from apps.workers.offers import discoverable_agents
from tests.fakes.remote_agent import Stage
from tests.federation.conftest import Scene, until

pytestmark = [pytest.mark.asyncio, pytest.mark.django_db(transaction=True)]


async def sing(stage: Stage) -> None:
    await stage.work("Clearing my throat.")
    await stage.say("do ")
    await stage.say("re ", append=True)
    await stage.show(ParseDict({"data": {"notes": 2}}, Part()), artifact="score")
    await stage.say("mi", append=True, last_chunk=True)
    await stage.done(metadata={EXTENSION: {"usage": {"input_tokens": 3, "output_tokens": 4}}})


@pytest.mark.parametrize("version", ["1.0", "0.3"])
@pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
async def test_stream_becomes_the_tasks_log(scene: Scene, version: str, binding: str) -> None:
    cousin = await scene.cousin({"sing": sing}, versions=(version,), binding=binding)
    agent = await scene.register(cousin)
    assert (agent.binding, agent.protocol_version[:3]) == (binding, version)
    await scene.bridge()
    task = await scene.ended(await scene.task("sing a song"))
    assert (task.state, task.result, task.error) == ("completed", "do re mi", "")
    assert await scene.said(task) == "do re mi"
    assert {"message": "Clearing my throat."} in await scene.events(task, "status")
    (score,) = await scene.events(task, "artifact")
    assert (score["artifact_id"], score["parts"]) == ("score", [{"data": {"notes": 2}}])
    assert len(cousin.messages) == 1


async def test_usage_comes_over(scene: Scene) -> None:
    await scene.register(await scene.cousin({"sing": sing}))
    await scene.bridge()
    task = await scene.ended(await scene.task("sing a song"))
    assert task.usage == {"input_tokens": 3, "output_tokens": 4}


async def test_agent_that_does_not_stream_is_polled(scene: Scene) -> None:
    async def slowly(stage: Stage) -> None:
        await stage.work("Thinking.")
        await stage.go.wait()
        await stage.say("42")
        await stage.done()

    cousin = await scene.cousin({"think": slowly}, streaming=False)
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.task("think hard")
    await until(lambda: scene.events(task, "status"), "it thinks")
    cousin.go.set()
    assert (await scene.ended(task)).result == "42"


async def test_direct_answer_is_the_result(scene: Scene) -> None:
    async def greet(stage: Stage) -> None:
        await stage.queue.enqueue_event(stage.updater.new_agent_message([Part(text="Hello!")]))

    await scene.register(await scene.cousin({"direct": greet}))
    await scene.bridge()
    task = await scene.ended(await scene.task("direct greeting"))
    assert (task.state, task.result) == ("completed", "Hello!")


async def ask_colour(stage: Stage) -> None:
    if stage.context.current_task is None or stage.words.startswith("paint"):
        await stage.work()
        await stage.say("A wall. ")
        await stage.ask("Which colour?")


async def paint(stage: Stage) -> None:
    await stage.work("Painting.")
    await stage.say(f"It is {stage.words}.", append=True)
    await stage.done()


@pytest.mark.parametrize("streaming", [True, False])
async def test_question_and_answer_go_across(scene: Scene, streaming: bool) -> None:
    cousin = await scene.cousin({"paint": ask_colour, "red": paint}, streaming=streaming)
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.in_state(await scene.task("paint the wall"), "input_required")
    (asked,) = await scene.events(task, "asked")
    assert asked["question"] == "Which colour?"
    await in_database(task_answer, workspace_id=task.workspace_id, task_id=task.id, message="red", by="ada")
    ended = await scene.ended(task)
    assert (ended.state, ended.result) == ("completed", "A wall. It is red.")
    assert await scene.said(task) == "A wall. It is red."
    first, second = cousin.messages
    assert (second.task_id, second.context_id) == (cousin.messages[0].task_id or second.task_id, second.context_id)
    assert len(await scene.events(task, "asked")) == 1
    assert first.message_id == str(task.id)


async def wait_for_ever(stage: Stage) -> None:
    await stage.work("Waiting.")
    await stage.go.wait()


async def test_cancel_here_is_a_cancel_there(scene: Scene) -> None:
    cousin = await scene.cousin({"wait": wait_for_ever})
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.task("wait for me")
    await until(lambda: scene.events(task, "status"), "it waits")
    await in_database(task_cancel, workspace_id=task.workspace_id, task_id=task.id, by="ada")

    async def told() -> bool:
        return bool(cousin.cancelled)

    await until(told, "the agent hears of it")
    assert (await scene.now(task)).state == "cancelled"

    async def closed() -> bool:
        return not await in_database(RemoteTask.objects.filter(is_open=True).exists)

    await until(closed, "nothing is left to be done")


async def test_message_to_the_running_task_is_passed_on(scene: Scene) -> None:
    async def wait(stage: Stage) -> None:
        await stage.work("Waiting.")
        await stage.go.wait()
        await stage.say("ok")
        await stage.done()

    cousin = await scene.cousin({"wait": wait})
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.task("wait for me")
    await until(lambda: scene.events(task, "status"), "it waits")
    await in_database(task_message, workspace_id=task.workspace_id, task_id=task.id, message="hurry up", by="ada")

    async def heard() -> bool:
        return [call["path"] for call in cousin.headers].count("/rpc") == 2

    await until(heard, "it is passed on")
    cousin.go.set()
    assert (await scene.ended(task)).result == "ok"


@pytest.mark.parametrize(("state", "ours"), [("FAILED", "failed"), ("REJECTED", "rejected"), ("CANCELED", "cancelled")])
async def test_remote_end_is_ours(scene: Scene, state: str, ours: str) -> None:
    async def end(stage: Stage) -> None:
        await stage.end(TaskState.Value(f"TASK_STATE_{state}"), "I would rather not.")

    await scene.register(await scene.cousin({"try": end}))
    await scene.bridge()
    task = await scene.ended(await scene.task("try this"))
    assert (task.state, task.error, task.attempt) == (ours, "I would rather not.", 1)
    assert task.error_code == ("remote_failed" if ours == "failed" else "")


async def test_context_and_references_travel(scene: Scene) -> None:
    cousin = await scene.cousin({"sing": sing})
    await scene.register(cousin)
    await scene.bridge()
    first = await scene.ended(await scene.task("sing one", context_id="ours"))
    metadata = {"a2a": {"referenceTaskIds": [str(first.id), "unknown"]}}
    second = await scene.ended(await scene.task("sing two", context_id="ours", metadata=metadata))
    third = await scene.ended(await scene.task("sing three", context_id="other"))
    one, two, three = cousin.messages
    assert (one.context_id == two.context_id, one.context_id == three.context_id) == (True, False)
    assert list(two.reference_task_ids) == [one.task_id]
    assert first.session_id == second.session_id == one.context_id != third.session_id


async def test_bridge_is_a_worker_that_is_discovered(scene: Scene) -> None:
    await scene.register(await scene.cousin({}))
    await scene.bridge()

    async def seen() -> list[dict[str, object]]:
        return await in_database(discoverable_agents, scene.cast.workspace.id)

    (agent,) = await until(seen, "it is discovered")
    assert (agent["role"], agent["description"]) == ("cousin", "Plays what it is told.")


async def test_work_that_names_no_remote_agent_is_left_alone(scene: Scene) -> None:
    cousin = await scene.cousin({"sing": sing})
    await scene.register(cousin)
    mine = await scene.task("sing at home", target_agent="")
    theirs = await scene.task("sing at ours", target_agent="nephew")
    await scene.bridge()
    await scene.ended(await scene.task("sing there"))
    assert {(await scene.now(one)).state for one in (mine, theirs)} == {"pending"}


async def test_other_workspaces_agents_are_not_reached(scene: Scene) -> None:
    cousin = await scene.cousin({"sing": sing})
    await scene.register(cousin)
    other = await in_database(scene.cast.elsewhere)
    task = await in_database(lambda: other.task(prompt="sing", target_agent="cousin"))
    await scene.bridge()
    await scene.ended(await scene.task("sing there"))
    assert (await scene.now(task)).state == "pending"
    assert len(cousin.messages) == 1


async def test_agent_notes_that_it_was_used(scene: Scene) -> None:
    await scene.register(await scene.cousin({"sing": sing}))
    await scene.bridge()
    await scene.ended(await scene.task("sing"))
    agent = await in_database(RemoteAgent.objects.get, name="cousin")
    assert agent.last_used_at is not None
    assert agent.last_error == ""


async def test_files_go_and_come(scene: Scene) -> None:
    async def copy(stage: Stage) -> None:
        assert stage.context.message is not None
        await stage.say("Here.")
        await stage.show(*(part for part in stage.context.message.parts if part.raw), artifact="copy")
        await stage.done()

    await scene.register(await scene.cousin({"copy": copy}))
    await scene.bridge()

    def picture() -> StoredFile:
        new = NewFile(name="a.png", content=io.BytesIO(b"\x89PNG"), origin="client", by="ada")
        return file_store(workspace_id=scene.cast.workspace.id, new=new)

    sent = await in_database(picture)
    parts = [{"text": "copy this"}, {"file_id": str(sent.id), "filename": "a.png"}, {"file_id": "gone"}]
    task = await scene.ended(await scene.task("copy this", metadata={"a2a": {"parts": parts}}))
    assert (task.state, task.result) == ("completed", "Here.")
    (made,) = await scene.events(task, "artifact")
    (part,) = made["parts"]
    kept = await in_database(StoredFile.objects.get, id=part["file_id"])
    assert (kept.name, kept.media_type, kept.sha256) == ("a.png", "image/png", sent.sha256)
    assert (kept.task_id, kept.workspace_id, kept.origin) == (task.id, task.workspace_id, "worker")


async def test_agent_that_gets_its_credentials_elsewhere_goes_on(scene: Scene) -> None:
    async def log_in(stage: Stage) -> None:
        await stage.end(TaskState.TASK_STATE_AUTH_REQUIRED, "Log in, please.")
        await stage.go.wait()
        await stage.work("Thanks.")
        await stage.done("I am in.")

    cousin = await scene.cousin({"enter": log_in})
    await scene.register(cousin)
    await scene.bridge()
    task = await scene.in_state(await scene.task("enter"), "auth_required")
    cousin.go.set()
    ended = await scene.ended(task)
    assert (ended.state, ended.result) == ("completed", "I am in.")
    assert [data["by"] for data in await scene.events(task, "answered")] == ["cousin"]
    assert len(cousin.messages) == 1
