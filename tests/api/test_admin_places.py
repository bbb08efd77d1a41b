"""The pages of codebases: what they say, work handed over on one, and who may do what there."""

from datetime import timedelta

import pytest
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.permissions import Role
from apps.codebases.models import Codebase
from apps.codebases.variable_services import NewVariable, variable_set
from apps.sessions.models import AgentSession
from apps.tasks.models import QueueLimit, Task
from apps.tasks.reports import from_worker
from apps.tasks.services import (
    Outcome,
    ToldTree,
    limit_set,
    queue_pause,
    task_finish,
    task_progress,
    working_trees_report,
)
from apps.tasks.states import State
from tests.factories import Cast
from tests.factories.browsers import at, signed_in, words
from tests.factories.machines import machine

SUBMIT = {"_form_submitted": "on"}
SAID = {"prompt": "Make the till add up.\nAll of it.", "agent_type": "plan", "priority": "5"}


@pytest.fixture
def otto(cast: Cast) -> Client:
    return signed_in(cast, "otto", Role.OPERATOR)


@pytest.fixture
def vera(cast: Cast) -> Client:
    return signed_in(cast, "vera", Role.VIEWER)


@pytest.fixture
def shop(cast: Cast) -> Codebase:
    return cast.codebase("shop")


# A codebase


def test_codebase_says_how_it_is_doing(cast: Cast, otto: Client, shop: Codebase) -> None:
    def standing() -> str:
        return str(otto.get(at(shop)).context["standing"])

    assert (standing(), "No connected worker takes its tasks" in words(otto, at(shop))) == ("no worker", True)
    machine(cast)
    assert standing() == "idle"
    claim = cast.held(codebase_id=shop.id)
    assert standing() == "busy"
    queue_pause(workspace_id=cast.workspace.id, kind="codebase", key=shop.id, by="ada", reason="a release")
    assert (standing(), "paused by ada: a release" in words(otto, at(shop))) == ("paused", True)
    task_progress(claim=claim, reported=[from_worker("input_required", {"question": "May I?"})], seqs=[1])
    assert standing() == "asks"


def test_codebase_without_a_worker_yet_is_pending(cast: Cast, otto: Client) -> None:
    asked = cast.codebase("far", worker_id="", status=Codebase.Status.PENDING)
    assert otto.get(at(asked)).context["standing"] == "pending"


def test_workspaces_pause_is_told_on_a_codebases_page(cast: Cast, otto: Client, shop: Codebase) -> None:
    queue_pause(workspace_id=cast.workspace.id, kind="workspace", key="", by="ada", reason="holidays")
    assert "The whole workspace is paused by ada: holidays" in words(otto, at(shop))


def test_open_tasks_stand_with_their_last_words_and_why_they_wait(cast: Cast, otto: Client, shop: Codebase) -> None:
    machine(cast)
    limit_set(workspace_id=cast.workspace.id, kind="codebase", key=shop.id, most=1, by="ada")
    claim = cast.held(title="Runs", codebase_id=shop.id)
    task_progress(claim=claim, reported=[from_worker("output", {"content": "adding <b>sums</b>"})], seqs=[1])
    cast.task("Waits", codebase_id=shop.id)
    page = words(otto, at(shop))
    assert "adding &lt;b&gt;sums" in page
    assert "its codebase is at its limit (1 of 1 held)" in page
    assert [line.task.title for line in otto.get(at(shop)).context["newest"]] == ["Waits", "Runs"]


def test_spending_counts_by_when_a_task_was_made(cast: Cast, otto: Client, shop: Codebase) -> None:
    for days, cost in ((0, 0.5), (3, 1.0), (8, 4.0)):
        used = {"cost_usd": cost, "input_tokens": 2_000}
        claim = cast.held(codebase_id=shop.id)
        task_finish(claim=claim, outcome=Outcome(status=State.COMPLETED, usage=used))
        Task.objects.filter(pk=claim.task_id).update(created_at=Now() - timedelta(days=days))
    tiles = {tile.label: (tile.value, tile.note) for tile in otto.get(at(shop)).context["tiles"]}
    assert tiles["Cost, 24 hours"] == ("$0.50", "2.0k in")
    assert tiles["Cost, 7 days"] == ("$1.50", "4.0k in")
    assert tiles["Completed"][0] == 1


def test_codebases_page_names_workers_policy_and_variables(cast: Cast, otto: Client, shop: Codebase) -> None:
    machine(cast)
    machine(cast, "w2", codebases=[shop.id])
    machine(cast, "w3")
    Codebase.objects.filter(pk=shop.pk).update(agent_config={"auto_approve": False, "deny": ["edit:**/.env"]})
    new = NewVariable(value="hush hush", kind="secret", description="", agent_types=[])
    variable_set(workspace_id=cast.workspace.id, codebase_id=shop.id, name="NPM_TOKEN", new=new, by="ada")
    answer = otto.get(at(shop))
    assert [one.name for one in answer.context["machines"]] == ["machine w1", "machine w2"]
    page = " ".join(answer.text.split())
    assert "asks before it acts" in page
    assert "<code>edit:**/.env</code>" in page
    assert "NPM_TOKEN" in page
    assert "hush" not in page


def test_sessions_of_a_codebase_lead_to_theirs(cast: Cast, otto: Client, shop: Codebase) -> None:
    now = timezone.now()
    session = AgentSession.objects.create(
        workspace=cast.workspace, codebase=shop, session_id="ses_1", title="Sums", created_at=now, updated_at=now
    )
    page = words(otto, at(shop))
    assert at(session) in page
    assert f"{reverse('admin:agent_sessions_agentsession_changelist')}?codebase={shop.pk}" in page


def test_tree_that_is_left_has_its_buttons(cast: Cast, otto: Client, vera: Client, shop: Codebase) -> None:
    done = task_finish(claim=cast.held(codebase_id=shop.id), outcome=Outcome(status=State.COMPLETED))
    tree = ToldTree(tree_id="t1", state="kept", branch="codetether/t1", base="a" * 40, head="b" * 40,
                    codebase_id=shop.id, task_ids=[done.id], base_branch="main", files=2)  # fmt: skip
    working_trees_report(workspace_id=cast.workspace.id, worker_id="w1", trees=[tree])
    merge = reverse("admin:tasks_task_merge", args=[done.pk])
    assert f"{merge}?codebase" in words(otto, at(shop))
    assert ("codetether/t1" in words(vera, at(shop)), merge in words(vera, at(shop))) == (True, False)
    answer = otto.post(f"{merge}?codebase", {**SUBMIT, "into": "", "strategy": "merge"})
    assert answer.headers["HX-Redirect"] == at(shop)


def test_form_of_a_codebase_leads_back_to_its_page(otto: Client, vera: Client, shop: Codebase) -> None:
    assert 'name="max_minutes"' in otto.get(at(shop), {"edit": ""}).text
    assert 'name="max_minutes"' not in vera.get(at(shop), {"edit": ""}).text
    answer = otto.post(at(shop), {"name": "Shop", "max_iterations": "5", "parallel": "on"})
    assert answer.headers["Location"] == at(shop)
    shop.refresh_from_db()
    assert shop.agent_config["parallel"] is True


def test_admin_limits_a_codebase_on_its_page(cast: Cast, otto: Client, shop: Codebase) -> None:
    url = at(shop, "limit")
    assert otto.post(url, {**SUBMIT, "most": "2"}).status_code == 403
    assert not QueueLimit.objects.exists()
    ada = signed_in(cast, "ada", Role.ADMIN)
    assert url in words(ada, at(shop))
    ada.post(url, {**SUBMIT, "most": "2"})
    assert QueueLimit.objects.get().most == 2


# Handing a task over


def test_form_makes_one_task_as_asked_and_leads_to_it(cast: Cast, otto: Client, shop: Codebase) -> None:
    machine(cast)
    once = otto.get(at(shop)).context["form"]["once"].value()
    said = {**SAID, "title": "Sums", "program": "claude", "model": "acme/large", "once": str(once)}
    answers = [otto.post(at(shop, "trigger"), said) for _ in range(2)]
    task = Task.objects.get()
    assert {answer.headers["Location"] for answer in answers} == {reverse("admin:tasks_task_change", args=[task.pk])}
    assert (task.title, task.agent_type, task.model, task.priority) == ("Sums", "plan", "acme/large", 5)
    assert (task.codebase_id, task.created_by, task.requires) == (shop.id, "otto", ["claude"])


def test_form_that_was_changed_and_sent_again_makes_another(otto: Client, shop: Codebase) -> None:
    once = str(otto.get(at(shop)).context["form"]["once"].value())
    for prompt in ("First this.", "Then that."):
        otto.post(at(shop, "trigger"), {**SAID, "prompt": prompt, "once": once})
    assert sorted(Task.objects.values_list("title", flat=True)) == ["First this.", "Then that."]


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"prompt": "  "}, "This field is required."),
        ({"prompt": "a\x00b"}, "Null characters are not allowed."),
        ({"model": "acme/none"}, "acme/none is not one of the available choices."),
        ({"priority": "5000"}, "less than or equal to 1000"),
    ],
)
def test_what_is_wrong_in_the_form_is_named_and_what_was_typed_stays(
    cast: Cast, otto: Client, shop: Codebase, wrong: dict[str, str], told: str
) -> None:
    machine(cast)
    page = otto.post(at(shop, "trigger"), {**SAID, "title": "Typed before", **wrong})
    assert (page.status_code, told in page.text, "Typed before" in page.text) == (200, True, True)
    assert not Task.objects.exists()


def test_viewer_reads_a_codebase_and_is_offered_nothing(vera: Client, shop: Codebase) -> None:
    page = words(vera, at(shop))
    assert "How agents work here" in page
    for sought in (at(shop, "trigger"), at(shop, "pause"), at(shop, "limit"), "?edit", "variable/set_one"):
        assert sought not in page
    assert vera.post(at(shop, "trigger"), SAID).status_code == 403
    assert not Task.objects.exists()


def test_codebases_of_other_workspaces_are_not_there(cast: Cast, otto: Client) -> None:
    far = cast.elsewhere().codebase("theirs")
    answers = [otto.get(at(far, "live")), otto.post(at(far, "trigger"), SAID), otto.post(at(far, "pause"), SUBMIT)]
    assert [answer.status_code for answer in answers] == [404, 404, 403]
    assert otto.get(at(far)).status_code == 302  # to the first page, as for any row that is not there
    assert not Task.objects.exists()


def test_trigger_is_a_post(otto: Client, shop: Codebase) -> None:
    assert otto.get(at(shop, "trigger")).status_code == 405
