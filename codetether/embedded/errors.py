"""What can go wrong with the embedded servers, as one kind of error."""


class EmbeddedError(RuntimeError):
    """The embedded servers cannot run; the message is one line that an operator can act on."""
