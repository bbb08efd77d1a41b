"""What a process needs to know before settings load: where the services are, and the installation's secret."""

import json
import os
import secrets
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


def secret_key(env: Env) -> str:
    """The key from the environment, else one made at the first start and kept (mode 0600) in the data folder."""
    if env.secret_key:
        return env.secret_key
    path = env.data_dir / "secrets.json"
    try:
        return str(json.loads(path.read_text())["secret_key"])
    except FileNotFoundError:
        return _make_secret(path)
    except (json.JSONDecodeError, KeyError) as error:
        raise SettingError(f"{path} is damaged: restore it, or remove it to sign everybody out.") from error


def _make_secret(path: Path) -> str:
    """Two processes may start at once: the one whose hard link wins decides, the other reads."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps({"secret_key": secrets.token_urlsafe(50)}))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return str(json.loads(path.read_text())["secret_key"])
