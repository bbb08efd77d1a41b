"""What a process needs to know before settings load: where the services and folders are."""

from pathlib import Path
from typing import Any

from codetether import embedded
from codetether.env import Env, SettingError


def service_urls(env: Env) -> tuple[str, str]:
    """(database URL, Redis URL): from the environment, else those of the embedded servers that run now."""
    if env.database_url and env.redis_url:
        return env.database_url, env.redis_url
    running = embedded.find(env.data_dir)
    database_url = env.database_url or (running.database_url if running else "")
    redis_url = env.redis_url or (running.redis_url if running else "")
    if not (database_url and redis_url):
        raise SettingError(
            "No database: set DATABASE_URL and A2A_REDIS_URL, or start the embedded servers with 'codetether up'."
        )
    return database_url, redis_url


def asset_folder(name: str) -> Path:
    """The folder `templates` or `static`: at the top of a checkout, inside the package once that is installed."""
    package = Path(__file__).resolve().parent
    installed = package / f"_{name}"
    return installed if installed.is_dir() else package.parent / name


def file_storage(env: Env) -> dict[str, Any]:
    """Django's declaration of the storage that keeps the contents of files. Credentials are boto3's own business."""
    if not env.file_storage:
        return {"BACKEND": "apps.files.storage.DatabaseStorage"}
    bucket, _, prefix = env.file_storage.removeprefix("s3://").partition("/")
    options: dict[str, Any] = {
        "bucket_name": bucket,
        "location": prefix.strip("/"),
        "signature_version": "s3v4",
        "max_memory_size": 1_048_576,
    }
    if env.file_s3_endpoint:
        options |= {"endpoint_url": env.file_s3_endpoint, "addressing_style": "path"}
    return {"BACKEND": "apps.files.s3.S3Contents", "OPTIONS": options}
