"""What stands beside the menu's entries: only what waits, only of the person's workspaces."""

import datetime

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.a2a.models import PushConfig
from apps.accounts.models import Workspace
from apps.accounts.permissions import Role
from apps.audit.checking import chains_check
from apps.audit.models import AuditCheck, AuditHead
from apps.tasks.reports import from_worker
from apps.tasks.services import task_progress
from apps.workers.models import Worker
from apps.workers.services import Registration, worker_register
from tests.factories import Cast
from tests.factories.browsers import signed_in


@pytest.fixture
def ada(cast: Cast) -> Client:
    return signed_in(cast, "ada", Role.ADMIN)


def beside(client: Client) -> dict[str, str]:
    groups = client.get("/admin/").context["sidebar_navigation"]
    return {item["title"]: item["badge"] for group in groups for item in group["items"] if item.get("badge")}


def trouble(cast: Cast) -> None:
    """One of each."""
    question = from_worker("input_required", {"question": "May I?", "options": [], "call_id": "c1"})
    task = task_progress(claim=cast.held(), reported=[question], seqs=[1])
    here = worker_register(workspace_id=cast.workspace.id, registration=Registration(worker_id="away", name="away"))
    Worker.objects.filter(pk=here.pk).update(last_seen_at=timezone.now() - datetime.timedelta(hours=1))
    PushConfig.objects.create(
        workspace=cast.workspace, task=task, config_id="c", url="https://x.example", host="x.example", version="1.0",
        sent_seq=0, attempts=2,
    )  # fmt: skip
    AuditHead.objects.update_or_create(workspace_id=cast.workspace.id, defaults={"seq": 10_000})
    chains_check()


def test_all_is_well(ada: Client) -> None:
    assert beside(ada) == {}


def test_what_waits_is_counted(cast: Cast, ada: Client) -> None:
    trouble(cast)
    assert beside(ada) == {
        "Tasks": "1",
        "Workers": "1 away",
        "A2A receivers": "1 failing",
        "Audit trail": "broken",
    }
    assert "is missing" in AuditCheck.objects.get(workspace_id=cast.workspace.id).fault


def test_another_workspaces_trouble_is_not_told(cast: Cast, ada: Client) -> None:
    trouble(cast.elsewhere())
    assert beside(ada) == {}


def test_long_given_up_and_long_gone_are_told_no_more(cast: Cast, ada: Client) -> None:
    trouble(cast)
    long_ago = timezone.now() - datetime.timedelta(days=4)
    Worker.objects.update(last_seen_at=long_ago)
    PushConfig.objects.update(given_up_at=long_ago)
    assert beside(ada).keys() == {"Tasks", "Audit trail"}


def test_whole_chain_takes_the_word_back(cast: Cast, ada: Client, workspace: Workspace) -> None:
    AuditCheck.objects.create(workspace_id=workspace.id, at=timezone.now(), entries=0, fault="entry 1 is missing")
    assert beside(ada) == {"Audit trail": "broken"}
    ada.post(reverse("admin:audit_auditentry_verify_chains"), {"_form_submitted": "on"})
    assert beside(ada) == {}
