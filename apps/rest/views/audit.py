"""The workspace's audit trail: looked through, verified, and taken along."""

from collections.abc import Iterator

from apps.accounts.permissions import Scope
from apps.audit.actions import Action
from apps.audit.exporting import facts, pieces
from apps.audit.recording import record
from apps.audit.selectors import TrailFilter, entries_filtered, head_of
from apps.audit.verifying import verify
from apps.rest.answers import audit as answers
from apps.rest.endpoint import Answer, Endpoint, operation, streamed
from apps.rest.queries import AuditExportQuery, AuditQuery


class Trail(Endpoint):
    @operation(Scope.ADMIN, answers=answers.AuditPage)
    def get(self, query: AuditQuery) -> Answer:
        """List entries, newest first; `next_before` of the answer is the `before` of the next page."""
        wanted = TrailFilter(**query.model_dump(exclude={"limit"}))
        rows = list(entries_filtered(self.caller.workspace_id, wanted)[: query.limit + 1])
        shown = rows[: query.limit]
        return {
            "entries": [facts(row) for row in shown],
            "next_before": shown[-1].seq if len(rows) > len(shown) else None,
        }


class Verification(Endpoint):
    @operation(Scope.ADMIN, answers=answers.AuditVerified)
    def get(self) -> Answer:
        """Verify the whole chain; it takes some seconds for a million entries."""
        seq, digest = head_of(self.caller.workspace_id)
        whole, finding = verify(self.caller.workspace_id)
        fault = finding and {"seq": finding.seq, "fault": finding.fault}
        return {"whole": whole, "finding": fault, "seq": seq, "hash": digest}


class Export(Endpoint):
    @streamed(Scope.ADMIN, line=answers.AuditEntry)
    def get(self, query: AuditExportQuery) -> Iterator[bytes]:
        """All entries as JSON lines, oldest first, or those after a number. The trail tells of the export, as the last
        entry of it."""
        details = {"after": query.after}
        record(Action.EXPORT, workspace_id=self.caller.workspace_id, target="audit", details=details)
        return pieces(self.caller.workspace_id, after=query.after)
