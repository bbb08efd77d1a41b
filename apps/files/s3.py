"""Contents in an object storage that speaks S3 (`A2A_FILE_STORAGE=s3://bucket/prefix`)."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from storages.backends.s3 import S3Storage

from apps.files.errors import FileStorageError

CONNECT_SECONDS = 3.0
READ_SECONDS = 15.0
MISSING = frozenset({"NoSuchKey", "404"})


class S3Contents(S3Storage):  # type: ignore[misc]
    """django-storages' backend, with pieces, and with its failures told as ours."""

    def __init__(self, **options: Any) -> None:
        """`options` as django-storages has them. A storage that is away may not hold our threads for long."""
        config = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": 2, "mode": "standard"},
            signature_version=options.get("signature_version"),
            s3={"addressing_style": options.get("addressing_style")},
        )
        super().__init__(client_config=config, **options)

    @property
    def bucket(self) -> Any:
        """Of this thread's own connection: boto3's resources are not to be shared between threads."""
        return self.connection.Bucket(self.bucket_name)

    def get_available_name(self, name: str, max_length: int | None = None) -> str:
        """Names are fresh ids: none is taken."""
        return name

    def _save(self, name: str, content: Any) -> str:
        with _told(name):
            return str(super()._save(name, content))

    def delete(self, name: str) -> None:
        with _told(name):
            super().delete(name)

    def piece(self, name: str, start: int, length: int) -> bytes:
        with _told(name):
            answer = self._object(name).get(Range=f"bytes={start}-{start + length - 1}")
            with closing(answer["Body"]) as body:
                return bytes(body.read())

    def small(self, names: Sequence[str]) -> Mapping[str, bytes]:
        found = {}
        for name in names:
            try:
                found[name] = self._whole(name)
            except FileNotFoundError:
                continue
        return found

    def _whole(self, name: str) -> bytes:
        with _told(name), closing(self._object(name).get()["Body"]) as body:
            return bytes(body.read())

    def _object(self, name: str) -> Any:
        return self.bucket.Object(self._normalize_name(name))


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Errors of the storage in our words: FileNotFoundError where the object is not there, else FileStorageError."""
    try:
        yield
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "")
        if code in MISSING:
            raise FileNotFoundError(name) from error
        raise FileStorageError(f"The file storage refuses ({code}).", retry_after=5) from error
    except BotoCoreError as error:
        raise FileStorageError("The file storage does not answer.", retry_after=5) from error
