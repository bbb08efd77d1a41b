"""Sessions of agent programs on the server's own machine, which nobody has registered or synced.

They are files of the user who runs the server, and of no workspace: only admins of the default one, who are the
installation's operators, may read them.
"""

from typing import Any

from rest_framework.request import Request

from apps.accounts.permissions import Scope
from apps.accounts.principals import default_workspace_id
from apps.core.errors import ForbiddenError
from apps.rest import answers
from apps.rest.endpoint import Answer, Endpoint, operation
from apps.rest.queries import MachinePartsQuery, MachineSessionsQuery, Page
from apps.sessions.machine import (
    Wanted,
    machine_look,
    machine_messages,
    machine_parts,
    machine_projects,
    machine_session,
    machine_sessions,
)


class _OnThisMachine(Endpoint):
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if self.caller.workspace_id != default_workspace_id():
            raise ForbiddenError("Sessions on the server's machine are for admins of the default workspace.")


class MachineStatus(_OnThisMachine):
    @operation(Scope.ADMIN, answers=answers.MachineStatus)
    def get(self) -> Answer:
        """Whether sessions on the server's own machine can be read, and where they are."""
        machine = machine_look()
        paths = [state["path"] for state in machine.stores if state["source"] == "opencode"]
        return {
            **machine.availability(),
            "storage_path": paths[0] if paths else None,
            "projects": len(machine_projects(machine)),
            "sessions": len(machine.found),
            "stores": machine.stores,
        }


class MachineProjects(_OnThisMachine):
    @operation(Scope.ADMIN, answers=answers.MachineProjectPage)
    def get(self, query: Page) -> Answer:
        """The projects that those sessions belong to, last changed first."""
        machine = machine_look()
        projects = machine_projects(machine)
        shown = projects[query.offset : query.offset + query.limit]
        return {**machine.availability(), **_page("projects", shown, len(projects), query)}


class MachineSessions(_OnThisMachine):
    @operation(Scope.ADMIN, answers=answers.MachineSessionPage)
    def get(self, query: MachineSessionsQuery) -> Answer:
        """List those sessions, last changed first."""
        machine = machine_look()
        wanted = Wanted(query.source, query.project_id, query.directory)
        shown, total = machine_sessions(machine, wanted, offset=query.offset, limit=query.limit)
        return {**machine.availability(), **_page("sessions", shown, total, query)}


class OneMachineSession(_OnThisMachine):
    @operation(Scope.ADMIN, answers=answers.MachineSession)
    def get(self, session_id: str) -> Answer:
        """Show one of them."""
        return machine_session(session_id)


class MachineMessages(_OnThisMachine):
    @operation(Scope.ADMIN, answers=answers.MessagePage)
    def get(self, session_id: str, query: Page) -> Answer:
        """List its messages with their parts, oldest first."""
        shown, total = machine_messages(session_id, offset=query.offset, limit=query.limit)
        return _page("messages", shown, total, query)


class MachineParts(_OnThisMachine):
    @operation(Scope.ADMIN, answers=answers.PartPage)
    def get(self, session_id: str, query: MachinePartsQuery) -> Answer:
        """List the parts of its messages, or of one message, oldest first."""
        shown, total = machine_parts(session_id, message_id=query.message_id, offset=query.offset, limit=query.limit)
        return _page("parts", shown, total, query)


def _page(name: str, shown: list[dict[str, Any]], total: int, query: Page) -> dict[str, Any]:
    return {name: shown, "total": total, "limit": query.limit, "offset": query.offset}
