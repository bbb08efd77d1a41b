"""Limits and pauses in the console: set by services, seen where they bear, refused to who may not."""

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.accounts.permissions import Role
from apps.tasks.models import QueueLimit
from apps.tasks.services import limit_set, queue_pause
from apps.workers.services import Registration, worker_register
from apps.workers.waiting import CODES
from codetether.overview import REASONS
from tests.factories import Cast
from tests.factories.browsers import signed_in

SUBMIT = {"_form_submitted": "on"}
LIST, SET, PAUSE = (f"admin:tasks_queuelimit_{name}" for name in ("changelist", "set_limit", "pause_place"))
SWITCH = "admin:tasks_queuelimit_switch"


@pytest.fixture
def ada(cast: Cast) -> Client:
    """An admin's browser."""
    return signed_in(cast, "ada", Role.ADMIN)


@pytest.fixture
def otto(cast: Cast) -> Client:
    """An operator's browser."""
    return signed_in(cast, "otto", Role.OPERATOR)


@pytest.fixture
def vera(cast: Cast) -> Client:
    """A viewer's browser."""
    return signed_in(cast, "vera", Role.VIEWER)


def where(cast: Cast, kind: str = "workspace", key: str = "") -> str:
    return f"{cast.workspace.id}/{kind}/{key}"


def limited(cast: Cast, kind: str = "workspace", key: str = "", most: int = 3) -> QueueLimit:
    limit = limit_set(workspace_id=cast.workspace.id, kind=kind, key=key, most=most, by="ada")
    assert limit is not None
    return limit


def paused(cast: Cast, kind: str = "workspace", key: str = "", reason: str = "a release") -> QueueLimit:
    limit = queue_pause(workspace_id=cast.workspace.id, kind=kind, key=key, by="ada", reason=reason)
    assert limit is not None
    return limit


def step(limit: QueueLimit, name: str) -> str:
    return reverse(f"admin:tasks_queuelimit_{name}", args=[limit.pk])


def test_admin_sets_a_limit(cast: Cast, ada: Client) -> None:
    cast.held()
    answer = ada.post(reverse(SET), {**SUBMIT, "where": where(cast), "most": "2"})
    assert answer["HX-Redirect"] == reverse(LIST)
    limit = QueueLimit.objects.get()
    assert (limit.kind, limit.most, limit.held, limit.changed_by) == ("workspace", 2, 1, "ada")
    assert "1 of 2" in ada.get(reverse(LIST)).text


def test_choices_are_the_parts_of_the_queue(cast: Cast, ada: Client) -> None:
    shop = cast.codebase("shop")
    worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id="w1", name="Hopper"))
    dialog = ada.get(reverse(SET)).text
    for kind, key in (("workspace", ""), ("codebase", "global"), ("codebase", shop.id), ("worker", "w1"), ("key", "")):
        assert f'value="{where(cast, kind, key)}"' in dialog
    assert "Hopper" in dialog


def test_key_is_named_beside_its_choice(cast: Cast, otto: Client) -> None:
    otto.post(reverse(PAUSE), {**SUBMIT, "where": where(cast, "key"), "concurrency_key": "deploy", "reason": "later"})
    limit = QueueLimit.objects.get()
    assert (limit.kind, limit.key, limit.is_paused, limit.reason) == ("key", "deploy", True, "later")


@pytest.mark.parametrize(
    "said", [{"most": "0"}, {"most": "x"}, {"most": ""}, {"most": "100001"}, {"concurrency_key": "deploy"},
             {"where": "nowhere"}],
)  # fmt: skip
def test_nonsense_is_refused_in_the_dialog(cast: Cast, ada: Client, said: dict[str, str]) -> None:
    answer = ada.post(reverse(SET), {**SUBMIT, "where": where(cast), "most": "2", **said})
    assert "HX-Redirect" not in answer
    assert not QueueLimit.objects.exists()


def test_key_must_be_named(cast: Cast, ada: Client) -> None:
    assert "Name the key." in ada.post(reverse(SET), {**SUBMIT, "where": where(cast, "key"), "most": "2"}).text
    assert not QueueLimit.objects.exists()


def test_another_workspaces_parts_cannot_be_chosen(cast: Cast, ada: Client) -> None:
    for place in (where(cast.elsewhere()), where(cast, "codebase", cast.elsewhere().codebase().id)):
        ada.post(reverse(SET), {**SUBMIT, "where": place, "most": "2"})
    assert not QueueLimit.objects.exists()


def test_page_shows_what_is_set_by_the_names_of_things(cast: Cast, vera: Client) -> None:
    shop = cast.codebase("shop")
    limit = paused(cast, "codebase", shop.id)
    for page in (vera.get(reverse(LIST)), vera.get(step(limit, "change"))):
        assert "Codebase shop" in page.text
        assert "a release" in page.text


@pytest.mark.parametrize(
    ("what", "kinds"), [("paused", ["key"]), ("limited", ["workspace"]), ("", ["key", "workspace"])]
)
def test_list_is_narrowed(cast: Cast, vera: Client, what: str, kinds: list[str]) -> None:
    limited(cast)
    paused(cast, "key", "deploy")
    found = vera.get(reverse(LIST), {"what": what}).context["cl"].result_list
    assert [limit.kind for limit in found] == kinds


def test_operator_pauses_and_resumes(cast: Cast, otto: Client) -> None:
    limit = limited(cast)
    for name, is_paused in (("pause", True), ("resume", False)):
        assert step(limit, name) in otto.get(step(limit, "change")).text
        otto.post(step(limit, name), {**SUBMIT, "reason": ""})
        assert QueueLimit.objects.get().is_paused is is_paused


def test_resumed_pause_without_a_limit_leads_back_to_the_list(cast: Cast, otto: Client) -> None:
    assert otto.post(step(paused(cast), "resume"), SUBMIT)["HX-Redirect"] == reverse(LIST)
    assert not QueueLimit.objects.exists()


def test_admin_changes_and_removes(cast: Cast, ada: Client) -> None:
    limit = limited(cast)
    ada.post(step(limit, "change_limit"), {**SUBMIT, "most": "7"})
    assert QueueLimit.objects.get().most == 7
    paused(cast)
    ada.post(step(limit, "remove"), SUBMIT)
    assert not QueueLimit.objects.exists()


def test_selected_are_paused_and_resumed(cast: Cast, otto: Client) -> None:
    limits = [limited(cast), limited(cast, "key", "deploy")]
    chosen = {"_selected_action": [str(limit.pk) for limit in limits]}
    for name, is_paused in (("pause_selected", True), ("resume_selected", False)):
        otto.post(reverse(LIST), {**chosen, "action": name})
        assert {limit.is_paused for limit in QueueLimit.objects.all()} == {is_paused}


def test_operator_sets_no_limit(cast: Cast, otto: Client) -> None:
    limit = limited(cast)
    assert otto.post(reverse(SET), {**SUBMIT, "where": where(cast), "most": "9"}).status_code == 403
    for name in ("change_limit", "remove"):
        assert otto.post(step(limit, name), {**SUBMIT, "most": "9"}).status_code == 403
        assert step(limit, name) not in otto.get(step(limit, "change")).text
    assert QueueLimit.objects.get().most == 3


def test_viewer_pauses_nothing(cast: Cast, vera: Client) -> None:
    limit, shop = limited(cast), cast.codebase()
    switch = {"verb": "pause", "workspace": str(cast.workspace.id), "kind": "workspace"}
    for url, said in (
        (step(limit, "pause"), SUBMIT), (reverse(PAUSE), {**SUBMIT, "where": where(cast)}), (reverse(SWITCH), switch),
        (reverse("admin:codebases_codebase_pause", args=[shop.pk]), SUBMIT),
    ):  # fmt: skip
        assert vera.post(url, said).status_code == 403
    vera.post(reverse(LIST), {"action": "pause_selected", "_selected_action": [str(limit.pk)]})
    assert not any(one.is_paused for one in QueueLimit.objects.all())


def test_rows_are_not_changed_by_a_form(cast: Cast, ada: Client) -> None:
    limit = limited(cast)
    assert ada.post(step(limit, "change"), {"most": "9", "held": "0"}).status_code == 403
    assert ada.post(step(limit, "delete"), {"post": "yes"}).status_code == 403
    assert ada.get(reverse("admin:tasks_queuelimit_add")).status_code == 403
    assert QueueLimit.objects.get().most == 3


def test_codebase_is_paused_on_its_page_and_its_list_says_so(cast: Cast, otto: Client) -> None:
    shop = cast.codebase("shop")
    codebases = reverse("admin:codebases_codebase_changelist")
    page = reverse("admin:codebases_codebase_change", args=[shop.pk])
    pause, resume = (reverse(f"admin:codebases_codebase_{name}", args=[shop.pk]) for name in ("pause", "resume"))
    assert (pause in otto.get(page).text, resume in otto.get(page).text) == (True, False)
    otto.post(pause, {**SUBMIT, "reason": "moving"})
    assert "paused by otto: moving" in otto.get(codebases).text
    assert (pause in otto.get(page).text, resume in otto.get(page).text) == (False, True)
    otto.post(resume, SUBMIT)
    assert not QueueLimit.objects.exists()
    limited(cast, "codebase", shop.pk, most=4)
    assert "0 of 4 held" in otto.get(codebases).text


def test_overview_tells_of_pauses_and_resumes_them(cast: Cast, otto: Client, vera: Client) -> None:
    paused(cast, "codebase", cast.codebase("shop").id, reason="moving house")
    said = {"workspace": str(cast.workspace.id), "kind": "workspace", "reason": "a release"}
    answer = otto.post(reverse(SWITCH), {**said, "verb": "pause"})
    assert [str(message) for message in get_messages(answer.wsgi_request)] == ["The queue is paused."]
    page = otto.get(answer["Location"])
    assert [pause.name for pause in page.context["pauses"]] == ["The whole workspace", "Codebase shop"]
    assert {tile.label: tile.note for tile in page.context["tiles"]}["Waiting"] == "paused"
    assert "moving house" in page.text
    assert reverse(SWITCH) not in vera.get(reverse("admin:index")).text
    otto.post(reverse(SWITCH), {**said, "verb": "resume"})
    assert [limit.kind for limit in QueueLimit.objects.all()] == ["codebase"]


@pytest.mark.parametrize("wrong", [{"verb": "stop"}, {"kind": "planet"}, {"workspace": "nonsense"}, {"workspace": ""}])
def test_nonsense_switches_nothing(cast: Cast, otto: Client, wrong: dict[str, str]) -> None:
    said = {"verb": "pause", "workspace": str(cast.workspace.id), "kind": "workspace", **wrong}
    assert otto.post(reverse(SWITCH), said).status_code == 403
    assert otto.get(reverse(SWITCH)).status_code == 405
    assert not QueueLimit.objects.exists()


def test_another_workspaces_queue_is_not_switched(cast: Cast, otto: Client) -> None:
    said = {"verb": "pause", "workspace": str(cast.elsewhere().workspace.id), "kind": "workspace"}
    assert otto.post(reverse(SWITCH), said).status_code == 403
    assert not QueueLimit.objects.exists()


@pytest.mark.parametrize("path", [SWITCH, SET, PAUSE])
def test_post_without_a_csrf_token_is_refused(cast: Cast, path: str) -> None:
    client = signed_in(cast, "ada", Role.ADMIN, enforce_csrf_checks=True)
    said = {**SUBMIT, "verb": "pause", "workspace": str(cast.workspace.id), "kind": "workspace", "most": "2"}
    assert client.post(reverse(path), {**said, "where": where(cast)}).status_code == 403
    assert not QueueLimit.objects.exists()


def test_overview_says_why_tasks_wait(cast: Cast, otto: Client) -> None:
    cast.task(), cast.task(codebase_id=cast.codebase().id)
    answer = otto.get(reverse("admin:index"))
    assert [(reason.words, reason.number) for reason in answer.context["reasons"]] == [("no worker is connected", 2)]
    assert "No worker is connected" in answer.text


def test_every_reason_has_its_words() -> None:
    assert list(REASONS) == list(CODES)
