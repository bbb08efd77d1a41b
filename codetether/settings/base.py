"""Settings of the product. What may differ between installations comes from `codetether.env`."""

import sys

import environ

from codetether import __version__
from codetether import env as env_module
from codetether.installation import secret_key, signing_key, vapid_key
from codetether.runtime import asset_folder, file_storage, service_urls
from codetether.settings.looks import UNFOLD as UNFOLD

ENV = env_module.load()
DATABASE_URL, REDIS_URL = service_urls(ENV)

DEBUG = ENV.debug
SECRET_KEY = secret_key(ENV)
SECRET_KEY_FALLBACKS = ENV.secret_key_fallbacks
A2A_SIGNING_KEY = signing_key(ENV)
VAPID_KEY = vapid_key(ENV)
ALLOWED_HOSTS = ENV.allowed_hosts
if not ENV.auth_enabled and ALLOWED_HOSTS == ["*"]:
    ALLOWED_HOSTS = ["localhost", "127.0.0.1", "[::1]"]  # else a page elsewhere could reach us by a name of its own
CSRF_TRUSTED_ORIGINS = ENV.csrf_trusted_origins

INSTALLED_APPS = [
    *(["daphne"] if "runserver" in sys.argv else []),  # elsewhere it would only cost start-up time
    "unfold",
    "unfold.contrib.filters",
    "codetether.console_app.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_celery_beat",
    "pgtrigger",
    "pghistory",
    "apps.core",
    "apps.audit",
    "apps.accounts",
    "apps.codebases",
    "apps.files",
    "apps.sessions",
    "apps.tasks",
    "apps.workers",
    "apps.federation",
    "apps.rest",
    "apps.mcp",
    "apps.a2a",
    "apps.live",
    "apps.notifications",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "apps.accounts.page_limits.PageLimits",
    "apps.accounts.tenancy.ReachMiddleware",
    "apps.accounts.console_door.StaffOnly",
    "apps.accounts.zone.ReadersZone",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "codetether.urls"
ASGI_APPLICATION = "codetether.asgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [asset_folder("templates")],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

DATABASES = {
    "default": {
        **environ.Env.db_url_config(DATABASE_URL),
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "application_name": "codetether",
            "options": "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=20000 -c statement_timeout=60000"
            " -c plan_cache_mode=force_generic_plan",  # only the heart's statements are prepared; planning a claim
            # takes as long as running it, and a plan for particular lists is not better
        },
    },
}
DATABASE_THREADS = ENV.database_threads
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "files": file_storage(ENV),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.User"
LOGIN_REDIRECT_URL = "/admin/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "apps.accounts.sign_on.backend.OidcBackend"]

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "codetether"},
    },
}

CELERY_BROKER_URL = REDIS_URL
CELERY_TASK_IGNORE_RESULT = True
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE = {
    "forget-old-answers": {"task": "apps.accounts.jobs.answers_purge", "schedule": 3600.0, "options": {"expires": 600}},
    "forget-old-logins": {"task": "apps.accounts.jobs.logins_purge", "schedule": 3600.0, "options": {"expires": 600}},
    "remove-old-files": {
        "task": "apps.tasks.jobs.files_purge",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "compact-old-logs": {
        "task": "apps.tasks.jobs.events_compact",
        "schedule": 3600.0,
        "options": {"expires": 600},
    },
    "count-ended-tasks-anew": {
        "task": "apps.tasks.jobs.ended_recount",
        "schedule": 86400.0,
        "options": {"expires": 3600},
    },
    "anchor-the-audit-trail": {
        "task": "apps.audit.jobs.audit_anchor",
        "schedule": 900.0,
        "options": {"expires": 300},
    },
    "verify-the-audit-trail": {
        "task": "apps.audit.jobs.audit_check",
        "schedule": 86400.0,
        "options": {"expires": 3600},
    },
    "take-sessions-into-the-search": {
        "task": "apps.sessions.jobs.search_take_in",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "hand-over-state-changes": {
        "task": "apps.tasks.jobs.outbox_dispatch",
        "schedule": 1.0,
        "options": {"expires": 10},
    },
    "deliver-push-notifications": {
        "task": "apps.a2a.jobs.push_deliver",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "tell-peoples-devices": {
        "task": "apps.notifications.jobs.notices_deliver",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
    "reap-expired-leases": {
        "task": "apps.tasks.jobs.leases_reap",
        "schedule": 5.0,
        "options": {"expires": 10},
    },
}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["apps.rest.authentication.PrincipalAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["apps.rest.authentication.ScopePermission"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["apps.rest.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "apps.rest.schema.Schema",
    "EXCEPTION_HANDLER": "apps.rest.problems.render_problem",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "CodeTether",
    "DESCRIPTION": "The REST face of the CodeTether control plane.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "POSTPROCESSING_HOOKS": [],  # our models name their choices themselves; else one would be made up for each set
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATICFILES_DIRS = [asset_folder("static")]
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}  # which not every system knows

DATA_UPLOAD_MAX_MEMORY_SIZE = ENV.max_body_bytes
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s: %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": ENV.log_level},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "channels_redis": {"level": "CRITICAL"},  # a traceback a second without Redis; apps.core.wakeups says it once
        "a2a": {"level": "WARNING"},
        "mcp": {"level": "WARNING"},
    },
}

# Ours
VERSION = __version__
A2A_AGENT_NAME = ENV.agent_name
A2A_AGENT_DESCRIPTION = ENV.agent_description
A2A_AGENT_ORG = ENV.agent_org
A2A_AGENT_ORG_URL = ENV.agent_org_url
A2A_AGENT_URL = ENV.public_url or f"http://{ENV.host if ENV.host != '0.0.0.0' else 'localhost'}:{ENV.port}"
A2A_AGENT_URL_IS_GIVEN = bool(ENV.public_url)
A2A_GRPC_HOST = ENV.grpc_host
A2A_GRPC_PORT = ENV.grpc_port
A2A_GRPC_URL = ENV.grpc_url
A2A_GRPC_TLS_CERT = ENV.grpc_tls_cert
A2A_GRPC_TLS_KEY = ENV.grpc_tls_key
A2A_AUTH_ENABLED = ENV.auth_enabled
A2A_AUTH_TOKENS = ENV.auth_tokens
OIDC = ENV.oidc
KEYCLOAK_ADMIN = env_module.keycloak_admin()
A2A_AGENT_DISCOVERY_MAX_AGE = ENV.discovery_max_age
A2A_BLOCKING_TIMEOUT = ENV.blocking_timeout
A2A_MAX_HOPS = ENV.max_hops
A2A_CONFORMANCE = ENV.conformance
MCP_PORT = ENV.mcp_port if ENV.mcp_is_asked else 0  # whoever opens it says so to the web process
MCP_TOKEN = ENV.mcp_token
MCP_AGENT_CARD = "apps.a2a.card.extended_card"  # faces do not import one another
VAPID_CONTACT = ENV.vapid_contact
SSE_KEEPALIVE_SECONDS = ENV.sse_keepalive
LEASE_SECONDS = ENV.lease_seconds
RETENTION_DAYS = ENV.retention_days
AUDIT_ANCHOR_URL = ENV.audit_anchor_url
RATE_LIMITS = ENV.rate_limits
TRUSTED_PROXIES = ENV.trusted_proxies
CORS_ORIGINS = ENV.cors_origins
MAX_CONNECTIONS = ENV.max_connections
MAX_STREAMS = ENV.max_streams
MAX_STREAMS_PER_CALLER = ENV.max_streams_per_caller
MAX_BODY_BYTES = ENV.max_body_bytes
OUTBOUND_ALLOWED = ENV.outbound_allowed
OUTBOUND_HTTPS_ONLY = ENV.outbound_https_only
SECRETS_PLAIN_NETWORKS = ENV.secrets_plain_networks
MAX_FILE_BYTES = ENV.max_file_bytes
INLINE_FILE_BYTES = ENV.inline_file_bytes
A2A_RUNTIME_SESSIONS = ENV.runtime_sessions
A2A_OPENCODE_STORAGE_PATH = ENV.opencode_storage_path
A2A_SECRET_ENVIRONMENT = env_module.inherited()  # where programs keep sessions; what must not be told of them
DATA_DIR = ENV.data_dir
