"""Who acts for all that is installed here, and not for a workspace alone."""

from apps.accounts.models import User
from apps.accounts.principals import Principal, default_workspace_id


def sees_installation(principal: Principal) -> bool:
    """Whether the caller, an admin, acts for all that is installed here: the default workspace's admins (those of
    `A2A_AUTH_TOKENS` are) and superusers."""
    if principal.workspace_id == default_workspace_id():
        return True
    return (
        principal.user_id is not None
        and User.objects.filter(pk=principal.user_id, is_superuser=True, is_active=True).exists()
    )
