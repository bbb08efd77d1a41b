"""An object storage that speaks S3 over HTTP on loopback."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import boto3
import httpx
from moto.server import ThreadedMotoServer

from codetether import env, runtime

BUCKET = "codetether-files"
KEYS = {"AWS_ACCESS_KEY_ID": "ada", "AWS_SECRET_ACCESS_KEY": "correct-horse", "AWS_DEFAULT_REGION": "us-east-1"}


class ObjectStorage:
    """A running server with one empty bucket."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.bucket = boto3.resource(
            "s3", endpoint_url=url, aws_access_key_id="ada", aws_secret_access_key="x", region_name="us-east-1"
        ).create_bucket(Bucket=BUCKET)

    @property
    def keys(self) -> list[str]:
        return [stored.key for stored in self.bucket.objects.all()]

    def declaration(self, prefix: str = "prod/a") -> Mapping[str, Any]:
        """What the product makes of the settings that name this storage."""
        said = {"A2A_FILE_STORAGE": f"s3://{BUCKET}/{prefix}", "A2A_FILE_S3_ENDPOINT": self.url}
        return runtime.file_storage(env.load(said))


@contextmanager
def object_storage() -> Iterator[ObjectStorage]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        url = f"http://{host}:{port}"
        httpx.post(f"{url}/moto-api/reset").raise_for_status()  # what it keeps is the process's, not the server's
        yield ObjectStorage(url)
    finally:
        server.stop()
