"""What a process needs to know before settings load: where the services and folders are."""

from pathlib import Path

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
