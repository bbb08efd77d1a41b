"""Answers about workspaces, their members and invitations."""

from datetime import datetime

from pydantic import BaseModel

from apps.rest.answers.shared import Done, Paged


class WorkspaceOfMine(BaseModel):
    id: str
    slug: str
    name: str
    role: str
    created_at: datetime


class MyWorkspaces(BaseModel):
    workspaces: list[WorkspaceOfMine]
    current: str


class Member(BaseModel):
    user_id: str
    username: str
    name: str
    email: str
    role: str
    is_active: bool
    created_at: datetime


class MemberPage(Paged):
    members: list[Member]


class MemberChanged(Done):
    member: Member


class Invitation(BaseModel):
    id: str
    role: str
    email: str
    status: str
    made_by: str
    created_at: datetime
    expires_at: datetime
    accepted_at: datetime | None
    accepted_by: str | None


class InvitationPage(Paged):
    invitations: list[Invitation]


class InvitationMade(Done):
    """`token` is what the invited person shows: it is in this answer only."""

    invitation: Invitation
    token: str | None


class InvitationAccepted(Done):
    workspace: str
    role: str
