"""What can be wrong with files."""

from apps.core.errors import CodeTetherError, NotFoundError, UnavailableError


class StoredFileNotFoundError(NotFoundError):
    """No such file here; or it was here, and its time is over."""

    code = "file_not_found"


class RangeError(CodeTetherError):
    """None of the bytes that were asked for are in the file (RFC 9110 §15.5.17)."""

    status, code = 416, "range_not_satisfiable"


class FileStorageError(UnavailableError):
    """The object storage that holds the contents does not answer, or refuses us."""

    code = "file_storage_unavailable"
