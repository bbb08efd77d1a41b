"""Files that workers send in, and the end of old ones."""

import time
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now

from apps.core.errors import TooLargeError
from apps.files.models import StoredFile
from apps.files.naming import safe_name
from apps.files.selectors import WORKER, files_of_tasks
from apps.files.services import NewFile, digest_of, file_store, files_attach, files_remove, files_unattached
from apps.tasks.models import Task
from apps.tasks.services import explain
from apps.tasks.services.hold import Claim
from apps.tasks.states import HELD

FILES_PER_TASK = 1_000
FILES_AT_ONCE = 100
SECONDS = 300.0
"""How long one purge may go on; the next goes on where it stopped."""


def task_file_store(*, claim: Claim, new: NewFile) -> StoredFile:
    """Keep a file that the holder of a task sends; the same name and content again gives the same file.

    409 for a stale claim, TooLargeError over the limits; nothing is kept then. The claim is looked at before the
    content is written, and decides, under the task's lock, after it.
    """
    claim_check(claim)
    known = _known(claim, new.name, digest_of(new.content))
    if known is not None:
        return known
    file = file_store(workspace_id=claim.workspace_id, new=new)
    kept: StoredFile | None = None
    try:
        kept = _attach(claim, file)
    finally:
        if kept is None or kept.id != file.id:
            files_remove([file])
    return kept


def claim_check(claim: Claim) -> None:
    """Refuse a stale claim before it costs anything."""
    if not _held(claim).exists():
        raise explain.stale_claim(claim.workspace_id, claim.task_id)


def _held(claim: Claim) -> QuerySet[Task]:
    states = [str(state) for state in HELD]
    return Task.objects.filter(
        id=claim.task_id, workspace_id=claim.workspace_id, claim_token=claim.token, state__in=states
    )


def _known(claim: Claim, name: str, sha256: str) -> StoredFile | None:
    files = files_of_tasks(claim.workspace_id, claim.task_id, origin=WORKER)
    return files.filter(name=safe_name(name), sha256=sha256).first()


def _attach(claim: Claim, file: StoredFile) -> StoredFile:
    """Make the file the task's, unless the same came meanwhile by another call: then that one."""
    with transaction.atomic():
        if not _held(claim).select_for_update(no_key=True).values_list("id").first():
            raise explain.stale_claim(claim.workspace_id, claim.task_id)
        known = _known(claim, file.name, file.sha256)
        if known is not None:
            return known
        if files_of_tasks(claim.workspace_id, claim.task_id).count() >= FILES_PER_TASK:
            raise TooLargeError(f"A task may have at most {FILES_PER_TASK} files.")
        files_attach(workspace_id=claim.workspace_id, file_ids=[file.id], task_id=claim.task_id)
    file.task_id = claim.task_id
    return file


def files_purge(*, days: float, seconds: float = SECONDS) -> int:
    """Remove files that were never attached to a task, and those of tasks that ended more than `days` ago.

    `days` 0 keeps the latter for ever. Returns how many are gone.
    """
    until, removed = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        files = files_unattached(FILES_AT_ONCE) or (_outlived(days) if days else [])
        if not files:
            break
        removed += files_remove(files)
    return removed


def _outlived(days: float) -> list[StoredFile]:
    ended = Task.objects.filter(completed_at__lt=Now() - timedelta(days=days))
    return list(StoredFile.objects.filter(task_id__in=ended.values("id"))[:FILES_AT_ONCE])
