"""Why the supervisor gives up."""


class StartError(Exception):
    """CodeTether cannot start; the message is one line that an operator can act on."""
