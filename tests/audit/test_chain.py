"""The audit trail: what is written stays as it was written, or the first entry that did not is named."""

import random
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from apps.audit.actions import Action, Outcome
from apps.audit.anchoring import anchors_in, heads_anchor
from apps.audit.chain import hash_of, spelling
from apps.audit.models import AuditEntry, AuditHead
from apps.audit.recording import record
from apps.audit.verifying import verify
from apps.core.caller import calls
from apps.core.tenancy import AS_OWNER, acting, of_workspaces
from tests.factories import Cast

pytestmark = pytest.mark.django_db
ENTRIES = 40


@pytest.fixture
def trail(cast: Cast) -> uuid.UUID:
    """A chain of forty entries of several kinds."""
    for number in range(ENTRIES):
        details = {"number": number, "names": ["ada", "bö"], "ratio": 0.1, "odd": "a\0b\ud800", "none": None}
        action = random.Random(number).choice(list(Action))
        record(action, workspace_id=cast.workspace.id, by=f"person {number % 3}", target=f"t-{number}", details=details)
    return cast.workspace.id


def test_an_untouched_chain_is_whole(trail: uuid.UUID) -> None:
    assert verify(trail) == (ENTRIES, None)


def test_an_entry_tells_who_from_where_and_what(cast: Cast) -> None:
    calls("192.0.2.7", "req-1")
    try:
        record(Action.TOKEN_CREATE, workspace_id=cast.workspace.id, by="ada", target="t", outcome=Outcome.REFUSED)
    finally:
        calls("", "")
    entry = AuditEntry.objects.get()
    shown = (entry.actor, entry.action, entry.outcome, entry.address, entry.request_id, entry.seq)
    assert shown == ("ada", "token.create", "refused", "192.0.2.7", "req-1", 1)


def test_deed_and_entry_are_undone_together(cast: Cast) -> None:
    with transaction.atomic():
        record(Action.EXPORT, workspace_id=cast.workspace.id, by="ada")
        transaction.set_rollback(True)
    assert AuditEntry.objects.count() == 0


def test_workspaces_have_chains_of_their_own(cast: Cast) -> None:
    other = cast.elsewhere()
    for workspace in (cast.workspace, other.workspace):
        assert record(Action.EXPORT, workspace_id=workspace.id, by="ada") == 1
    with acting(of_workspaces(cast.workspace.id)):
        assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("sql", ["UPDATE audit_auditentry SET actor = 'eve'", "DELETE FROM audit_auditentry"])
def test_the_product_itself_can_neither_change_nor_remove_entries(trail: uuid.UUID, sql: str) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic(), connection.cursor() as c:
        c.execute(sql)
    assert verify(trail) == (ENTRIES, None)


Tamper = Callable[[random.Random, uuid.UUID], int]


def _entry(chance: random.Random, workspace_id: uuid.UUID) -> AuditEntry:
    return AuditEntry.objects.get(workspace_id=workspace_id, seq=chance.randint(1, ENTRIES))


def edit(chance: random.Random, workspace_id: uuid.UUID) -> int:
    entry = _entry(chance, workspace_id)
    column, value = chance.choice(
        [("actor", "eve"), ("action", "nothing"), ("outcome", "maybe"), ("target", "x"), ("address", "203.0.113.9"),
         ("request_id", "r"), ("details", {"number": -1}), ("at", entry.at + timedelta(microseconds=1)),
         ("hash", bytes(32))]
    )  # fmt: skip
    AuditEntry.objects.filter(pk=entry.pk).update(**{column: value})
    return entry.seq


def edit_with_its_hash(chance: random.Random, workspace_id: uuid.UUID) -> int:
    """Whoever knows how it is computed: then the entry after it does not follow, or the head is another."""
    entry = _entry(chance, workspace_id)
    entry.actor = "eve"
    before = AuditEntry.objects.filter(workspace_id=workspace_id, seq=entry.seq - 1).values_list("hash", flat=True)
    words = spelling(
        action=entry.action, outcome=entry.outcome, actor=entry.actor, target=entry.target, address=entry.address,
        request_id=entry.request_id, details=entry.details,
    )  # fmt: skip
    entry.hash = hash_of(bytes(before[0]) if before else bytes(32), entry.seq, entry.at, words)
    entry.save()
    return min(entry.seq + 1, ENTRIES)


def delete(chance: random.Random, workspace_id: uuid.UUID) -> int:
    entry = _entry(chance, workspace_id)
    entry.delete()
    return entry.seq


def swap(chance: random.Random, workspace_id: uuid.UUID) -> int:
    first, second = sorted(chance.sample(range(1, ENTRIES + 1), 2))
    entries = AuditEntry.objects.filter(workspace_id=workspace_id)
    for old, new in ((first, 10_000), (second, first), (10_000, second)):
        entries.filter(seq=old).update(seq=new)
    return first


def truncate(chance: random.Random, workspace_id: uuid.UUID) -> int:
    first = chance.randint(1, ENTRIES)
    AuditEntry.objects.filter(workspace_id=workspace_id, seq__gte=first).delete()
    return first


def put_in(chance: random.Random, workspace_id: uuid.UUID) -> int:
    """A forged entry in the middle: those behind it move on by one."""
    place = chance.randint(1, ENTRIES)
    entry = AuditEntry.objects.get(workspace_id=workspace_id, seq=place)
    for behind in AuditEntry.objects.filter(workspace_id=workspace_id, seq__gte=place).order_by("-seq"):
        AuditEntry.objects.filter(pk=behind.pk).update(seq=behind.seq + 1)
    entry.pk, entry.seq, entry.actor = None, place, "eve"
    entry.save(force_insert=True)
    return place


@pytest.mark.parametrize("tamper", [edit, edit_with_its_hash, delete, swap, truncate, put_in])
def test_every_manipulation_is_found_at_its_entry(trail: uuid.UUID, tamper: Tamper) -> None:
    """Thirty-four of each kind, 204 in all, by someone who can write what he likes to the entries."""
    for seed in range(34):
        with acting(AS_OWNER), transaction.atomic():
            expected = tamper(random.Random(seed), trail)
            whole, finding = verify(trail)
            assert finding is not None, seed
            assert (finding.seq, whole) == (expected, expected - 1), (seed, finding.fault)
            transaction.set_rollback(True)
    assert verify(trail) == (ENTRIES, None)


def test_a_chain_made_anew_with_its_head_is_found_by_an_anchor(
    trail: uuid.UUID, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    with caplog.at_level("INFO", logger="apps.audit.anchoring"):
        assert heads_anchor() == 1
    log = tmp_path / "log"
    log.write_text("noise\n" + "\n".join(f"2026 INFO {message}" for message in caplog.messages) + "\n")
    with acting(AS_OWNER):
        AuditEntry.objects.filter(workspace_id=trail).delete()
        AuditHead.objects.filter(workspace_id=trail).delete()
    record(Action.EXPORT, workspace_id=trail, by="eve")
    assert verify(trail) == (1, None)
    with log.open() as lines:
        whole, finding = verify(trail, list(anchors_in(lines)))
    assert finding is not None
    assert (whole, finding.seq) == (1, 2)


def test_the_command_names_the_entry_and_fails(trail: uuid.UUID) -> None:
    out, err = StringIO(), StringIO()
    call_command("audit_verify", stdout=out, stderr=err)
    assert f"{ENTRIES} entries are as they were written" in out.getvalue()
    with acting(AS_OWNER):
        AuditEntry.objects.filter(workspace_id=trail, seq=7).update(actor="eve")
    with pytest.raises(SystemExit, match="1"):
        call_command("audit_verify", stdout=out, stderr=err)
    assert f"workspace {trail}, entry 7: was changed" in err.getvalue()
    AuditEntry.objects.all()


def test_the_export_is_json_lines_from_which_hashes_follow(trail: uuid.UUID) -> None:
    out = StringIO()
    call_command("audit_export", workspace=trail, after=38, stdout=out)
    assert [line.split('"seq":')[1].split(",")[0] for line in out.getvalue().splitlines()] == ["39", "40", "41"]
    assert '"action":"export"' in out.getvalue()


@pytest.mark.django_db(transaction=True)
def test_writers_at_once_make_one_chain(cast: Cast) -> None:
    def write(name: str) -> None:
        try:
            for number in range(25):
                record(Action.TASK_CANCEL, workspace_id=cast.workspace.id, by=name, target=str(number))
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, ["ada", "bo", "cy", "di"]))
    assert verify(cast.workspace.id) == (100, None)
