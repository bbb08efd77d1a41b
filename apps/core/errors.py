"""The one exception tree. Each error knows its stable code, and whose fault it is.

`status` is the HTTP status of the REST face; the other faces translate by `code` (A2A: `apps/a2a/errors.py`).
"""

from collections.abc import Mapping, Sequence

FieldErrors = Mapping[str, Sequence[str]]


class CodeTetherError(Exception):
    """Base of all errors that a client may see. `detail` is written for a person and never holds a secret."""

    status = 500
    code = "internal_error"

    def __init__(
        self,
        detail: str,
        *,
        code: str | None = None,
        errors: FieldErrors | None = None,
        retry_after: int | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code
        self.errors = errors
        self.retry_after = retry_after


class MalformedError(CodeTetherError):
    """The request could not be read at all: not JSON, not UTF-8, too deeply nested."""

    status, code = 400, "malformed"


class InvalidError(CodeTetherError):
    """The request was read and one of its values is wrong; `errors` names the fields."""

    status, code = 400, "invalid"


class UnauthenticatedError(CodeTetherError):
    status, code = 401, "unauthenticated"


class ForbiddenError(CodeTetherError):
    status, code = 403, "forbidden"


class NotFoundError(CodeTetherError):
    """Does not exist, or belongs to another workspace: the two look the same on purpose."""

    status, code = 404, "not_found"


class MethodNotAllowedError(CodeTetherError):
    """The address exists, but not for this method; `Allow` names those it has."""

    status, code = 405, "method_not_allowed"


class ConflictError(CodeTetherError):
    status, code = 409, "conflict"


class TooLargeError(CodeTetherError):
    status, code = 413, "too_large"


class UnsupportedMediaError(CodeTetherError):
    status, code = 415, "unsupported_media_type"


class UnprocessableError(CodeTetherError):
    """Well formed, but it contradicts itself or an earlier request."""

    status, code = 422, "unprocessable"


class UnavailableError(CodeTetherError):
    """A part that we need (database, Redis) does not answer right now."""

    status, code = 503, "unavailable"
