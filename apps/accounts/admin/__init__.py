"""The console's pages of people and programs. Django looks for them here."""

from apps.accounts.admin.audit import AuditEntryAdmin
from apps.accounts.admin.invitations import InvitationAdmin
from apps.accounts.admin.people import MembershipAdmin, TenantAdmin, UserAdmin
from apps.accounts.admin.tokens import TokenAdmin

__all__ = ["AuditEntryAdmin", "InvitationAdmin", "MembershipAdmin", "TenantAdmin", "TokenAdmin", "UserAdmin"]
