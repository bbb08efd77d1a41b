"""What the registry of remote agents refuses."""

from apps.core.errors import ConflictError, NotFoundError, UnprocessableError


class RemoteAgentNotFoundError(NotFoundError):
    """No remote agent of that name is registered in the workspace."""

    code = "remote_agent_not_found"


class RemoteAgentExistsError(ConflictError):
    """The name is taken in the workspace."""

    code = "remote_agent_exists"


class CardRefusedError(UnprocessableError):
    """The agent's card cannot be fetched, read, used or trusted; `errors` names the field that is to blame."""

    code = "card_refused"


def refused(field: str, message: str) -> CardRefusedError:
    """The refusal of a card, with the field of the registration that would have to change."""
    return CardRefusedError(f"{field}: {message}", errors={field: [message]})
