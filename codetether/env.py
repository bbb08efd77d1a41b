"""The only reader of the environment on the server's side. Every setting, its default and its check stand here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

from apps.accounts.oidc.config import OidcSettings, oidc_settings
from apps.core.addresses import allow_list
from codetether.setting_checks import (
    SettingError,
    contact,
    file_storage,
    host_and_port,
    named_tokens,
    networks,
    one_of,
    origins,
    rate_limits,
    signing_key,
    vapid_key,
    web_address,
    within,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Env:
    """What the environment says, parsed and checked. Durations are in seconds."""

    data_dir: Path
    database_url: str
    redis_url: str
    secret_key: str
    secret_key_fallbacks: list[str]
    signing_key: str
    vapid_private_key: str
    vapid_contact: str
    debug: bool
    allowed_hosts: list[str]
    csrf_trusted_origins: list[str]
    host: str
    port: int
    grpc_host: str
    grpc_port: int
    grpc_url: str
    grpc_tls_cert: str
    grpc_tls_key: str
    mcp_host: str
    mcp_port: int
    mcp_is_asked: bool
    mcp_token: str
    log_level: str
    agent_name: str
    agent_description: str
    agent_org: str
    agent_org_url: str
    public_url: str
    auth_enabled: bool
    auth_tokens: dict[str, str]
    oidc: OidcSettings | None
    discovery_max_age: int
    blocking_timeout: int
    max_hops: int
    conformance: bool
    sse_keepalive: int
    lease_seconds: int
    retention_days: int
    audit_anchor_url: str
    database_threads: int
    rate_limits: dict[str, str]
    trusted_proxies: list[str]
    cors_origins: list[str]
    max_connections: int
    max_streams: int
    max_streams_per_caller: int
    max_body_bytes: int
    outbound_allowed: list[str]
    outbound_https_only: bool
    secrets_plain_networks: list[str]
    file_storage: str
    file_s3_endpoint: str
    max_file_bytes: int
    inline_file_bytes: int
    runtime_sessions: bool
    opencode_storage_path: Path | None


__all__ = ["Env", "SettingError", "inherited", "keycloak_admin", "load", "sign_on"]

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


def load(variables: Mapping[str, str] | None = None) -> Env:
    """Read the settings from `variables` (default: the process's environment); raise SettingError on a bad one."""
    source = environ.Env()
    source.ENVIRON = dict(os.environ if variables is None else variables)  # noqa: TID251
    try:
        env = _load(source)
    except (ImproperlyConfigured, ValueError) as error:
        raise SettingError(str(error)) from error
    if bool(env.grpc_tls_cert) != bool(env.grpc_tls_key):
        raise SettingError("A2A_GRPC_TLS_CERT and A2A_GRPC_TLS_KEY: give both, or neither.")
    return env


def sign_on(variables: Mapping[str, str]) -> dict[str, Any]:
    """What `variables` say of the identity provider, with the defaults of all that they do not say."""
    source = environ.Env()
    source.ENVIRON = dict(variables)
    return _sign_on(source)


def keycloak_admin() -> tuple[str, str]:
    """Name and password of Keycloak's administrator, for `manage.py keycloak_client` alone."""
    source = environ.Env()
    source.ENVIRON = dict(os.environ)  # noqa: TID251
    return source.str("KEYCLOAK_ADMIN_USERNAME", default=""), source.str("KEYCLOAK_ADMIN_PASSWORD", default="")


def inherited(**changes: str) -> dict[str, str]:
    """The process's own environment with some variables changed, for a child process or for `load`."""
    return {**os.environ, **changes}  # noqa: TID251


def _load(source: Any) -> Env:
    bounds = _bounds(source)
    oidc = oidc_settings(_sign_on(source), allow_list(tuple(bounds["outbound_allowed"])))
    return Env(**_services(source), **_agent(source), **bounds, oidc=oidc)


def _services(source: Any) -> dict[str, Any]:
    """Where the parts are, and how they are reached."""
    host = source.str("A2A_HOST", default="127.0.0.1")
    return dict(
        data_dir=Path(source.str("CODETETHER_DATA_DIR", default=".codetether")).absolute(),
        database_url=source.str("DATABASE_URL", default="") or source.str("A2A_DATABASE_URL", default=""),
        redis_url=source.str("A2A_REDIS_URL", default=""),
        secret_key=source.str("CODETETHER_SECRET_KEY", default=""),
        secret_key_fallbacks=source.list("CODETETHER_SECRET_KEY_FALLBACKS", default=[]),
        signing_key=signing_key(source.str("A2A_SIGNING_KEY", default="")),
        vapid_private_key=vapid_key(source.str("A2A_VAPID_PRIVATE_KEY", default="")),
        vapid_contact=contact("A2A_VAPID_CONTACT", source.str("A2A_VAPID_CONTACT", default="")),
        debug=source.bool("CODETETHER_DEBUG", default=False),
        allowed_hosts=source.list("CODETETHER_ALLOWED_HOSTS", default=["*"]),
        csrf_trusted_origins=source.list("CODETETHER_CSRF_TRUSTED_ORIGINS", default=[]),
        host=host,
        port=within("A2A_PORT", source.int("A2A_PORT", default=8000), 1, 65535),
        grpc_host=source.str("A2A_GRPC_HOST", default="") or host,
        grpc_port=within("A2A_GRPC_PORT", source.int("A2A_GRPC_PORT", default=50_051), 0, 65535),
        grpc_url=host_and_port("A2A_GRPC_URL", source.str("A2A_GRPC_URL", default="")),
        grpc_tls_cert=source.str("A2A_GRPC_TLS_CERT", default=""),
        grpc_tls_key=source.str("A2A_GRPC_TLS_KEY", default=""),
        **_about_mcp(source, host),
        log_level=one_of("A2A_LOG_LEVEL", source.str("A2A_LOG_LEVEL", default="INFO").upper(), LOG_LEVELS),
        database_threads=within(
            "CODETETHER_DATABASE_THREADS", source.int("CODETETHER_DATABASE_THREADS", default=8), 1, 64
        ),
    )


def _about_mcp(source: Any, host: str) -> dict[str, Any]:
    """Where MCP has a port of its own; 0 where it has none. `codetether run` opens one only where it is asked for."""
    port = within("MCP_HTTP_PORT", source.int("MCP_HTTP_PORT", default=9000), 0, 65535)
    return dict(
        mcp_host=source.str("MCP_HTTP_HOST", default="") or host,
        mcp_port=port if source.bool("MCP_HTTP_ENABLED", default=True) else 0,
        mcp_token=source.str("MCP_TOKEN", default=""),
        mcp_is_asked=any(name in source.ENVIRON for name in ("MCP_HTTP_ENABLED", "MCP_HTTP_PORT")),
    )


def _agent(source: Any) -> dict[str, Any]:
    """What clients are told, who may call, and how long things take."""
    return dict(
        agent_name=source.str("A2A_AGENT_NAME", default="CodeTether"),
        agent_description=source.str(
            "A2A_AGENT_DESCRIPTION", default="Hands work to coding agents on the machines that hold the code."
        ),
        agent_org=source.str("A2A_AGENT_ORG", default="CodeTether"),
        agent_org_url=source.str("A2A_AGENT_ORG_URL", default="https://github.com/rileyseaburg/codetether"),
        public_url=source.str("A2A_AGENT_URL", default="").rstrip("/"),
        auth_enabled=source.bool("A2A_AUTH_ENABLED", default=True),
        auth_tokens=named_tokens(source.str("A2A_AUTH_TOKENS", default="")),
        discovery_max_age=within(
            "A2A_AGENT_DISCOVERY_MAX_AGE", source.int("A2A_AGENT_DISCOVERY_MAX_AGE", default=120), 1, 86_400
        ),
        blocking_timeout=within("A2A_BLOCKING_TIMEOUT", source.int("A2A_BLOCKING_TIMEOUT", default=60), 1, 3600),
        max_hops=within("A2A_MAX_HOPS", source.int("A2A_MAX_HOPS", default=8), 0, 100),
        conformance=source.bool("A2A_CONFORMANCE", default=False),
        sse_keepalive=within("WORKER_SSE_KEEPALIVE", source.int("WORKER_SSE_KEEPALIVE", default=15), 1, 30),
        lease_seconds=within("CODETETHER_LEASE_SECONDS", source.int("CODETETHER_LEASE_SECONDS", default=60), 2, 3600),
        retention_days=within("A2A_RETENTION_DAYS", source.int("A2A_RETENTION_DAYS", default=90), 0, 36_500),
        audit_anchor_url=web_address("A2A_AUDIT_ANCHOR_URL", source.str("A2A_AUDIT_ANCHOR_URL", default="")),
    )


def _bounds(source: Any) -> dict[str, Any]:
    """How large things may be, where files are kept, and whom the server may call."""
    return dict(
        **_about_callers(source),
        max_body_bytes=within(
            "CODETETHER_MAX_BODY_BYTES",
            source.int("CODETETHER_MAX_BODY_BYTES", default=8_388_608),
            65_536,
            2**30,
        ),
        outbound_allowed=networks("A2A_OUTBOUND_ALLOWED", source.list("A2A_OUTBOUND_ALLOWED", default=[])),
        outbound_https_only=source.bool("A2A_OUTBOUND_HTTPS_ONLY", default=False),
        secrets_plain_networks=networks(
            "A2A_SECRETS_PLAIN_NETWORKS", source.list("A2A_SECRETS_PLAIN_NETWORKS", default=[])
        ),
        **_about_files(source),
        **_about_sessions(source),
    )


def _sign_on(source: Any) -> dict[str, Any]:
    """What is said of the identity provider, by the variables' names."""
    return {
        "OIDC_ISSUER": source.str("OIDC_ISSUER", default=""),
        "OIDC_CLIENT_ID": source.str("OIDC_CLIENT_ID", default=""),
        "OIDC_CLIENT_SECRET": source.str("OIDC_CLIENT_SECRET", default=""),
        "KEYCLOAK_URL": source.str("KEYCLOAK_URL", default=""),
        "KEYCLOAK_REALM": source.str("KEYCLOAK_REALM", default=""),
        "KEYCLOAK_CLIENT_ID": source.str("KEYCLOAK_CLIENT_ID", default=""),
        "KEYCLOAK_CLIENT_SECRET": source.str("KEYCLOAK_CLIENT_SECRET", default=""),
        "OIDC_NAME": source.str("OIDC_NAME", default=""),
        "OIDC_SCOPES": source.str("OIDC_SCOPES", default="openid profile email"),
        "OIDC_AUDIENCE": source.list("OIDC_AUDIENCE", default=[]),
        "OIDC_USERNAME_CLAIM": source.str("OIDC_USERNAME_CLAIM", default="preferred_username"),
        "OIDC_ROLE_CLAIMS": source.list(
            "OIDC_ROLE_CLAIMS", default=["roles", "realm_access.roles", "resource_access.{client}.roles"]
        ),
        "OIDC_GROUP_CLAIMS": source.list("OIDC_GROUP_CLAIMS", default=["groups"]),
        "OIDC_ROLE_MAP": source.str(
            "OIDC_ROLE_MAP",
            default="codetether-viewer=viewer,codetether-operator=operator+staff,codetether-admin=admin+staff",
        ),
        "OIDC_GROUP_MAP": source.str(
            "OIDC_GROUP_MAP",
            default="/{workspace}/viewers=viewer,/{workspace}/operators=operator+staff,/{workspace}/admins=admin+staff",
        ),
        "OIDC_LEEWAY": within("OIDC_LEEWAY", source.int("OIDC_LEEWAY", default=30), 0, 300),
        "OIDC_PASSWORD_GRANT": source.bool("OIDC_PASSWORD_GRANT", default=False),
    }


def _about_callers(source: Any) -> dict[str, Any]:
    """How often and how much at once somebody may call, and whose word about them is taken."""
    return {
        "rate_limits": rate_limits(
            anonymous=source.str("A2A_RATE_LIMIT_ANONYMOUS", default="60/minute"),
            authenticated=source.str("A2A_RATE_LIMIT_AUTHENTICATED", default=""),
            user=source.str("A2A_RATE_LIMIT_USER", default=""),
            viewer=source.str("A2A_RATE_LIMIT_VIEWER", default=""),
            operator=source.str("A2A_RATE_LIMIT_OPERATOR", default=""),
            admin=source.str("A2A_RATE_LIMIT_ADMIN", default=""),
            worker=source.str("A2A_RATE_LIMIT_WORKER", default=""),
            login=source.str("A2A_RATE_LIMIT_LOGIN", default="5/minute"),
            login_address=source.str("A2A_RATE_LIMIT_LOGIN_ADDRESS", default="30/minute"),
            login_name=source.str("A2A_RATE_LIMIT_LOGIN_NAME", default="100/hour"),
        ),
        "trusted_proxies": source.list("A2A_TRUSTED_PROXIES", default=["127.0.0.1", "::1"]),
        "cors_origins": origins("A2A_CORS_ORIGINS", source.list("A2A_CORS_ORIGINS", default=[])),
        "max_connections": within(
            "A2A_MAX_CONNECTIONS", source.int("A2A_MAX_CONNECTIONS", default=20_000), 10, 1_000_000
        ),
        "max_streams": within("A2A_MAX_STREAMS", source.int("A2A_MAX_STREAMS", default=10_000), 1, 1_000_000),
        "max_streams_per_caller": within(
            "A2A_MAX_STREAMS_PER_CALLER", source.int("A2A_MAX_STREAMS_PER_CALLER", default=5_000), 1, 1_000_000
        ),
    }


def _about_files(source: Any) -> dict[str, Any]:
    most = within("A2A_MAX_FILE_BYTES", source.int("A2A_MAX_FILE_BYTES", default=26_214_400), 1_024, 2**32)
    inline = within("A2A_INLINE_FILE_BYTES", source.int("A2A_INLINE_FILE_BYTES", default=262_144), 0, 1_048_576)
    return {
        "file_storage": file_storage(source.str("A2A_FILE_STORAGE", default="")),
        "file_s3_endpoint": source.str("A2A_FILE_S3_ENDPOINT", default=""),
        "max_file_bytes": most,
        "inline_file_bytes": inline,
    }


def _about_sessions(source: Any) -> dict[str, Any]:
    """Those that agent programs keep on this machine."""
    elsewhere = source.str("A2A_OPENCODE_STORAGE_PATH", default="")
    return {
        "runtime_sessions": source.bool("A2A_RUNTIME_SESSIONS", default=True),
        "opencode_storage_path": Path(elsewhere).expanduser().absolute() if elsewhere else None,
    }
