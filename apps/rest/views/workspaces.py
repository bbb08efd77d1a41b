"""Workspaces of the caller's, and for a workspace's admins its members and invitations.

The workspace in an address is the caller's own; a person who is in several chooses with the header `X-Workspace`.
"""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from apps.accounts.invitations import (
    Guest,
    invitation_accept,
    invitation_create,
    invitation_facts,
    invitation_get,
    invitation_revoke,
    invitations_of,
)
from apps.accounts.members import (
    member_facts,
    member_get,
    member_remove,
    member_set_role,
    members_of,
    workspaces_of,
)
from apps.accounts.models import Membership
from apps.accounts.permissions import Role, Scope
from apps.accounts.principals import Credentials
from apps.core.errors import NotFoundError
from apps.rest.answers import workspaces as answers
from apps.rest.answers.shared import Done
from apps.rest.endpoint import Answer, Endpoint, OpenEndpoint, operation
from apps.rest.paging import page_of
from apps.rest.queries import Page
from apps.rest.reading import WHOLE, Body

RoleName = Literal["viewer", "operator", "admin", "worker"]


class RoleBody(Body):
    role: RoleName


class InvitationBody(Body):
    role: RoleName = "viewer"
    email: Annotated[str, Field(max_length=254)] = ""
    days: Annotated[int, Field(ge=1, le=90), WHOLE] = 7


class AcceptBody(Body):
    token: Annotated[str, Field(min_length=1, max_length=200)]
    username: Annotated[str, Field(max_length=150)] = ""
    password: Annotated[str, Field(max_length=4096)] = ""


class Workspaces(Endpoint):
    @operation(answers=answers.MyWorkspaces)
    def get(self) -> Answer:
        """List the workspaces that the caller is in; `current` is the one that this call acts in."""
        found = [
            {"id": str(one.id), "slug": one.slug, "name": one.name, "role": role, "created_at": one.created_at}
            for one, role in workspaces_of(self.caller)
        ]
        return {"workspaces": found, "current": str(self.caller.workspace_id)}


class _OfWorkspace(Endpoint):
    def check(self, workspace: str) -> None:
        """The address names the workspace that the caller acts in."""
        own = [one for one, _ in workspaces_of(self.caller) if one.id == self.caller.workspace_id]
        if not any(workspace in (one.slug, str(one.id)) for one in own):
            raise NotFoundError("There is no such workspace; X-Workspace says in which you act.")


class Members(_OfWorkspace):
    @operation(Scope.ADMIN, answers=answers.MemberPage)
    def get(self, workspace: str, query: Page) -> Answer:
        """List the members, by name."""
        self.check(workspace)
        return page_of(members_of(self.caller.workspace_id), query, "members", member_facts)


class OneMember(_OfWorkspace):
    def member(self, workspace: str, user_id: str) -> Membership:
        self.check(workspace)
        return member_get(workspace_id=self.caller.workspace_id, user_id=user_id)

    @operation(Scope.ADMIN, answers=answers.Member)
    def get(self, workspace: str, user_id: str) -> Answer:
        """Show a member."""
        return member_facts(self.member(workspace, user_id))

    @operation(Scope.ADMIN, answers=answers.MemberChanged)
    def patch(self, workspace: str, user_id: str, body: RoleBody) -> Answer:
        """Give a member another role; the last admin keeps theirs."""
        member = member_set_role(member=self.member(workspace, user_id), role=Role(body.role), by=self.caller)
        return {"success": True, "message": f"The member is {body.role} now.", "member": member_facts(member)}

    @operation(Scope.ADMIN, answers=Done)
    def delete(self, workspace: str, user_id: str) -> Answer:
        """End a membership, and with it the person's tokens here; the last admin stays."""
        member_remove(member=self.member(workspace, user_id), by=self.caller)
        return {"success": True, "message": "The person is no member any more."}


class Invitations(_OfWorkspace):
    @operation(Scope.ADMIN, answers=answers.InvitationPage)
    def get(self, workspace: str, query: Page) -> Answer:
        """List the invitations, newest first; never their secrets."""
        self.check(workspace)
        return page_of(invitations_of(self.caller.workspace_id), query, "invitations", invitation_facts)

    @operation(Scope.ADMIN, answers=answers.InvitationMade, shown_once=frozenset({"token"}))
    def post(self, workspace: str, body: InvitationBody) -> Answer:
        """Invite somebody: the answer's `token`, which it alone shows, makes whoever accepts with it a member."""
        self.check(workspace)
        row, secret = invitation_create(
            workspace_id=self.caller.workspace_id,
            role=Role(body.role),
            email=body.email,
            lasts=timedelta(days=body.days),
            by=self.caller,
        )
        message = "Give the token to whom it is for: it is not shown again."
        return {"success": True, "message": message, "invitation": invitation_facts(row), "token": secret}


class OneInvitation(_OfWorkspace):
    @operation(Scope.ADMIN, answers=Done)
    def delete(self, workspace: str, invitation_id: str) -> Answer:
        """Take an invitation back; doing it twice changes nothing."""
        self.check(workspace)
        invitation_revoke(invitation=invitation_get(workspace_id=self.caller.workspace_id, invitation_id=invitation_id))
        return {"success": True, "message": "The invitation is taken back."}


class AcceptInvitation(OpenEndpoint):
    @operation(answers=answers.InvitationAccepted)
    def post(self, body: AcceptBody) -> Answer:
        """Become a member: as the person whose access token comes with the call, or with the username and password of
        an account. An account of a name that nobody has is made."""
        authorization = self.request.META.get("HTTP_AUTHORIZATION", "")
        guest = Guest(Credentials(authorization), body.username, body.password)
        member = invitation_accept(secret=body.token, guest=guest)
        message = f"Welcome to {member.workspace.name}."
        return {"success": True, "message": message, "workspace": member.workspace.slug, "role": member.role}
