"""All settings, from the environment; the defaults run on a laptop. `.env.example` lists every key."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import django_stubs_ext
import environ

from voiceapp.core.http.body_limits import FORM_BYTES
from voiceapp.core.translations.names import CONSOLE_LANGUAGES

django_stubs_ext.monkeypatch()

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

VAR_DIR = BASE_DIR / env.str("VAR_DIR", default="var")
VAR_DIR.mkdir(exist_ok=True)

VERSION = (BASE_DIR / "VERSION").read_text().strip()

# Server
DEBUG = env.bool("DEBUG", default=False)
SECRET_KEY = env.str("SECRET_KEY", default="")
# Earlier keys: signatures and encryption with them stay valid.
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
HOST = env.str("HOST", default="0.0.0.0")  # noqa: S104 - the specs' default; `make run` binds 127.0.0.1
PORT = env.int("PORT", default=8080)
LOG_LEVEL = env.str("LOG_LEVEL", default="info").lower()
PUBLIC_BASE_URL = env.str("PUBLIC_BASE_URL", default=f"http://127.0.0.1:{PORT}").rstrip("/")
# Queries and webhooks of phone calls run in a process of their own, beside the one that carries the audio.
DATABASE_PROCESS = env.bool("DATABASE_PROCESS", default=False)
DRAIN_BUDGET_S = env.int("DRAIN_BUDGET_S", default=60)
MAX_LIVE_CALLS = env.int("MAX_LIVE_CALLS", default=100)
TOOL_TIMEOUT_S = env.int("TOOL_TIMEOUT_S", default=10)
# Texts per day to one number, and in all, of each organization, whatever it has entered.
MAX_TEXTS_PER_NUMBER = env.int("MAX_TEXTS_PER_NUMBER", default=100)
MAX_TEXTS_PER_DAY = env.int("MAX_TEXTS_PER_DAY", default=1000)
# Links to the AI provider that are connected before a call begins: how many in each process, and for how long.
MAX_IDLE_LINKS = env.int("MAX_IDLE_LINKS", default=10)
IDLE_LINK_MAX_AGE_S = env.int("IDLE_LINK_MAX_AGE_S", default=240)
KEEP_GREETINGS = env.bool("KEEP_GREETINGS", default=True)
MAX_UNSTARTED_STREAMS = env.int("MAX_UNSTARTED_STREAMS", default=500)
TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXY_COUNT", default=0)
# Timeouts for a request's head and body, and the limit on connections per address.
REQUEST_HEAD_TIMEOUT_S = env.int("REQUEST_HEAD_TIMEOUT_S", default=10)
REQUEST_BODY_TIMEOUT_S = env.int("REQUEST_BODY_TIMEOUT_S", default=30)
MAX_CONNECTIONS_PER_ADDRESS = env.int("MAX_CONNECTIONS_PER_ADDRESS", default=100)
METRICS_LISTEN = env.str("METRICS_LISTEN", default="")
WEB_CONCURRENCY = env.int("WEB_CONCURRENCY", default=1)

if not SECRET_KEY:
    # For a laptop only: `check --deploy` refuses it (voiceapp.E001), and `make run` generates a real one.
    SECRET_KEY = "insecure-only-for-a-laptop-" + "0" * 32

# The providers
OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="https://api.openai.com/v1").rstrip("/")
OPENAI_REALTIME_MODEL = env.str("OPENAI_REALTIME_MODEL", default="gpt-realtime-2.1")
OPENAI_TRANSCRIPTION_MODEL = env.str("OPENAI_TRANSCRIPTION_MODEL", default="gpt-transcribe")
OPENAI_VOICE = env.str("OPENAI_VOICE", default="marin")
OPENAI_VOICES: list[str] = env.list(
    "OPENAI_VOICES",
    default=["alloy", "ash", "ballad", "coral", "echo", "sage", "shimmer", "verse", "marin", "cedar"],
)
# Offered in the admin; any other name can be entered.
OPENAI_REALTIME_MODELS: list[str] = env.list(
    "OPENAI_REALTIME_MODELS",
    default=["gpt-realtime-2.1", "gpt-realtime-2.1-mini", "gpt-realtime-2", "gpt-realtime-1.5"],
)
# Replacements for names that OpenAI has retired; `*` matches any ending.
OPENAI_MODEL_ALIASES: dict[str, str] = env.dict(
    "OPENAI_MODEL_ALIASES",
    default={
        "gpt-4o-realtime-preview*": OPENAI_REALTIME_MODEL,
        "gpt-4o-mini-realtime-preview*": "gpt-realtime-2.1-mini",
        "gpt-realtime-mini-2025-10-06": "gpt-realtime-2.1-mini",
    },
)
OPENAI_VOICE_ALIASES: dict[str, str] = env.dict(
    "OPENAI_VOICE_ALIASES", default={"fable": "ballad", "onyx": "ash", "nova": "coral"}
)
# Defaults of /api/voice/realtime; OPENAI_MODEL_ALIASES replaces them in requests to OpenAI.
REALTIME_MODEL = env.str("REALTIME_MODEL", default="gpt-4o-realtime-preview-2024-12-17")
REALTIME_TRANSCRIPTION_MODEL = env.str("REALTIME_TRANSCRIPTION_MODEL", default="whisper-1")
# Lifetime of a browser's client secret before its session starts; OpenAI accepts 10 to 7200.
REALTIME_SECRET_LIFE_S = env.int("REALTIME_SECRET_LIFE_S", default=60)
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_FALLBACK_URL = env.str("TWILIO_FALLBACK_URL", default="")
TWILIO_BASE_URL = env.str("TWILIO_BASE_URL", default="https://api.twilio.com").rstrip("/")
VAPI_API_KEY = env.str("VAPI_API_KEY", default="")
VAPI_BASE_URL = env.str("VAPI_BASE_URL", default="https://api.vapi.ai").rstrip("/")
# The assistant of agents that name none.
VAPI_ASSISTANT_ID = env.str("VAPI_ASSISTANT_ID", default="732ba29e-4aeb-48ad-bd47-440d3fce8b26")
VAPI_SERVER_SECRET = env.str("VAPI_SERVER_SECRET", default="")
# Transfers to a person
TRANSFER_RING_S = env.int("TRANSFER_RING_S", default=25)
TRANSFER_COUNTRIES = [each.strip().upper() for each in env.list("TRANSFER_COUNTRIES", default=[]) if each.strip()]
MAX_TRANSFER_CALLS_PER_DAY = env.int("MAX_TRANSFER_CALLS_PER_DAY", default=200)
# How VAPI proves who it is: secret, bearer or hmac (voiceapp/providers/vapi/webhooks.py).
VAPI_SERVER_AUTH = env.str("VAPI_SERVER_AUTH", default="secret").lower()
VAPI_SERVER_HEADER = env.str("VAPI_SERVER_HEADER", default="")
VAPI_SERVER_CREDENTIAL_ID = env.str("VAPI_SERVER_CREDENTIAL_ID", default="")
VAPI_HMAC_ALGORITHM = env.str("VAPI_HMAC_ALGORITHM", default="sha256").lower()
VAPI_HMAC_TIMESTAMP_HEADER = env.str("VAPI_HMAC_TIMESTAMP_HEADER", default="x-timestamp")
VAPI_HMAC_PAYLOAD = env.str("VAPI_HMAC_PAYLOAD", default="{timestamp}.{body}")
VAPI_HMAC_PREFIX = env.str("VAPI_HMAC_PREFIX", default="")
VAPI_HMAC_ENCODING = env.str("VAPI_HMAC_ENCODING", default="hex").lower()
# Of stored assistants, each as provider/name: the model, the voice of agents that name none, the transcriber.
VAPI_MODEL = env.str("VAPI_MODEL", default="openai/gpt-4.1")
VAPI_VOICE = env.str("VAPI_VOICE", default="vapi/Elliot")
VAPI_TRANSCRIBER = env.str("VAPI_TRANSCRIBER", default="deepgram/nova-3")
LIVEKIT_HOST = env.str("LIVEKIT_HOST", default="").rstrip("/")
LIVEKIT_INTERNAL_URL = env.str("LIVEKIT_INTERNAL_URL", default="").rstrip("/") or LIVEKIT_HOST
LIVEKIT_API_KEY = env.str("LIVEKIT_API_KEY", default="")
LIVEKIT_API_SECRET = env.str("LIVEKIT_API_SECRET", default="")
INTERNAL_API_KEY = env.str("INTERNAL_API_KEY", default="")
CLERK_ISSUER = env.str("CLERK_ISSUER", default="").rstrip("/")
CLERK_JWT_KEY = env.str("CLERK_JWT_KEY", default="", multiline=True)
# Origins whose pages may sign in; by default only our own.
CLERK_AUTHORIZED_PARTIES: list[str] = [
    origin.rstrip("/") for origin in env.list("CLERK_AUTHORIZED_PARTIES", default=[]) if origin
] or ["/".join(PUBLIC_BASE_URL.split("/")[:3])]
# dev, staging or prod. Only in dev a request may name a local stub as its OpenAI endpoint, and a provider's webhook can
# be replayed.
ENVIRONMENT = env.str("ENVIRONMENT", default="prod")
PROJECT_NAME = env.str("PROJECT_NAME", default="voiceapp")
# Workers of one environment must not take agent jobs of another.
LIVEKIT_AGENT_NAME = f"voiceapp-{ENVIRONMENT}"
# The outbound SIP trunk by which LiveKit calls phones.
LIVEKIT_SIP_TRUNK_ID = env.str("LIVEKIT_SIP_TRUNK_ID", default="")
LIVEKIT_RECORDING_BUCKET = env.str("LIVEKIT_RECORDING_BUCKET", default="")
LIVEKIT_RECORDING_REGION = env.str("LIVEKIT_RECORDING_REGION", default="")
# Recordings without a bucket.
RECORDINGS_DIR = env.str("RECORDINGS_DIR", default="") or str(VAR_DIR / "recordings")
# What a worker is working on, on its own disk.
FINISHING_DIR = env.str("FINISHING_DIR", default="") or str(VAR_DIR / "finishing")
AWS_REGION = env.str("AWS_REGION", default="us-east-1")
AWS_ENDPOINT_URL = env.str("AWS_ENDPOINT_URL", default="").rstrip("/")
AWS_ACCESS_KEY_ID = env.str("AWS_ACCESS_KEY_ID", default="")
AWS_SECRET_ACCESS_KEY = env.str("AWS_SECRET_ACCESS_KEY", default="")
AWS_SESSION_TOKEN = env.str("AWS_SESSION_TOKEN", default="")
# For a bucket gs://… of recordings.
GCS_HMAC_KEY_ID = env.str("GCS_HMAC_KEY_ID", default="")
GCS_HMAC_SECRET = env.str("GCS_HMAC_SECRET", default="")
GCS_CREDENTIALS = env.str("GCS_CREDENTIALS", default="")
GCS_ENDPOINT_URL = env.str("GCS_ENDPOINT_URL", default="https://storage.googleapis.com").rstrip("/")
OPENAI_SECRET_ID = env.str("OPENAI_SECRET_ID", default="")
VOICE_SESSION_QUEUE_URL = env.str("VOICE_SESSION_QUEUE_URL", default="")
VOICE_SESSION_TABLE = env.str("VOICE_SESSION_TABLE", default="")
# E-mail: smtp+tls://user:password@host:587, or filemail:////a/folder
EMAIL_URL = env.str("EMAIL_URL", default="")
globals().update(environ.Env.email_url_config(EMAIL_URL or "dummymail://"))
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="voiceapp@localhost")
# The organization whose call page the home page opens first: `make run` names its demo.
DEMO_ORGANIZATION = env.str("DEMO_ORGANIZATION", default="")
SIMULATORS: list[str] = env.list("SIMULATORS", default=[])

INSTALLED_APPS = [
    # Behind `runserver` alone: every other process would load Twisted with it, an eighth of its start.
    *(["daphne"] if "runserver" in sys.argv[1:2] else []),
    "unfold.apps.BasicAppConfig",
    "voiceapp.apps.ConsoleConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "channels",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "voiceapp.apps.VoiceappConfig",
    "voiceapp.core.limits.apps.LimitsConfig",
    "voiceapp.core.feeds.apps.FeedsConfig",
    "agents.apps.AgentsConfig",
    "sessions.apps.SessionsConfig",
    "recordings.apps.RecordingsConfig",
    "telephony.apps.TelephonyConfig",
]

MIDDLEWARE = [
    "voiceapp.health.HealthMiddleware",
    "voiceapp.core.http.request_log.RequestLogMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "voiceapp.core.http.security_headers.SecurityHeadersMiddleware",
    "voiceapp.core.limits.views.LimitHeadersMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "agents.organizations.second_factor.SecondFactorMiddleware",
    "agents.organizations.actor.ActorMiddleware",
    "agents.organizations.sign_in_pages.SignInMiddleware",
    "agents.organizations.languages.LanguageMiddleware",
    "agents.hours.local_time.LocalTimeMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "voiceapp.urls"
ASGI_APPLICATION = "voiceapp.asgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# Database: a SQLite file, or DATABASE_URL
DATABASES = {"default": env.db_url("DATABASE_URL", default=f"sqlite:///{VAR_DIR / 'voiceapp.sqlite3'}")}
DATABASES["default"].setdefault("OPTIONS", {})
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] |= {
        "transaction_mode": "IMMEDIATE",  # two writers queue instead of failing with "database is locked"
        "timeout": 5,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
    }
    # A file, because servers under test use it from other threads and processes; one per test run.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / f"test-{os.getpid()}.sqlite3")}
else:
    DATABASES["default"]["OPTIONS"] |= {
        "connect_timeout": 2,
        "options": "-c statement_timeout=5000 -c lock_timeout=2000 -c idle_in_transaction_session_timeout=10000",
    }
    # Under ASGI each request has its own thread, and nothing would reuse its connection.
    DATABASES["default"]["CONN_MAX_AGE"] = 0
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Cache and queue: memory and a folder, or Redis, RabbitMQ, SQS
REDIS_URL = env.str("REDIS_URL", default="")
# Upstash's REST API is not supported; a system check explains what to set.
UPSTASH_REDIS_REST_URL = env.str("UPSTASH_REDIS_REST_URL", default="")
UPSTASH_REDIS_REST_TOKEN = env.str("UPSTASH_REDIS_REST_TOKEN", default="")
REDIS_CACHE_OPTIONS = {
    "pool_class": "voiceapp.core.redis_pool.SharedPool",
    "max_connections": 1000,
    "socket_timeout": 0.25,
    "socket_connect_timeout": 0.25,
}
if REDIS_URL:
    redis_cache = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": REDIS_CACHE_OPTIONS,
    }
    CACHES = {"default": redis_cache, "limits": redis_cache}
else:
    CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
        "limits": {"BACKEND": "voiceapp.core.limits.counters_in_memory.CountersInMemory"},
    }

# The audit log of changes of the configuration is kept for so many days; 0: for ever.
AUDIT_LOG_DAYS = env.int("AUDIT_LOG_DAYS", default=1095)

# Rate limits (docs/reference/limits.md), counted by django-ratelimit
LIMIT_SESSION_CREATION = env.str("LIMIT_SESSION_CREATION", default="10/h")
LIMIT_REALTIME = env.str("LIMIT_REALTIME", default="30/h")
LIMIT_RECORDING = env.str("LIMIT_RECORDING", default="20/h")
LIMIT_READ = env.str("LIMIT_READ", default="100/15m")
LIMIT_REALTIME_SESSION = env.str("LIMIT_REALTIME_SESSION", default="3/m")
LIMIT_CALENDAR_FEED = env.str("LIMIT_CALENDAR_FEED", default="300/h")
LIMIT_CALL_PROGRESS = env.str("LIMIT_CALL_PROGRESS", default="120/m")
LIMIT_VISITOR_CALL = env.str("LIMIT_VISITOR_CALL", default="100/h")
LIMIT_VISITOR_CALL_ADDRESS = env.str("LIMIT_VISITOR_CALL_ADDRESS", default="20/h")
LIMIT_FAILED = env.str("LIMIT_FAILED", default="30/h")
LIMIT_WRONG_CREDENTIALS = env.str("LIMIT_WRONG_CREDENTIALS", default="30/15m")
LIMIT_SIGN_IN = env.str("LIMIT_SIGN_IN", default="5/15m")
LIMIT_SIGN_IN_ADDRESS = env.str("LIMIT_SIGN_IN_ADDRESS", default="30/15m")
LIMIT_SECOND_FACTOR = env.str("LIMIT_SECOND_FACTOR", default="5/15m")
LIMIT_INVITATION = env.str("LIMIT_INVITATION", default="30/h")

# Webhooks
# An endpoint whose deliveries have all failed for so many days is paused; 0: never.
WEBHOOK_PAUSE_AFTER_DAYS = env.int("WEBHOOK_PAUSE_AFTER_DAYS", default=3)
# How long attempts to deliver webhooks, and webhooks that were refused here, are kept.
WEBHOOK_LOG_DAYS = env.int("WEBHOOK_LOG_DAYS", default=30)
# How long alerts that are over are kept.
ALERT_KEEP_DAYS = env.int("ALERT_KEEP_DAYS", default=365)
RATELIMIT_USE_CACHE = "limits"

CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=REDIS_URL or "filesystem://")
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Retries of a task whose process dies: a task that kills its process must not loop forever.
CELERY_TASK_RETRY_ON_WORKER_LOST = True
CELERY_TASK_ANNOTATIONS = {"*": {"max_retries": 3, "default_retry_delay": 1}}
CELERY_WORKER_LOST_WAIT = 2  # for results that a process may have sent before it died
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
# Longer than any task, or a task would run twice at once.
QUEUE_VISIBILITY_TIMEOUT_S = 180
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "voiceapp"
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None  # without end: a broker may be down for hours
CELERY_BROKER_HEARTBEAT = 20
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
QUEUE_DIR = VAR_DIR / "queue"
if CELERY_BROKER_URL.startswith("filesystem:"):
    QUEUE_DIR = Path(CELERY_BROKER_URL.removeprefix("filesystem://") or QUEUE_DIR)
    QUEUE_DIR.mkdir(exist_ok=True)
    CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = {
        "data_folder_in": str(QUEUE_DIR),
        "data_folder_out": str(QUEUE_DIR),
        "control_folder": str(QUEUE_DIR / "control"),
    }
elif CELERY_BROKER_URL.startswith("redis"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "visibility_timeout": QUEUE_VISIBILITY_TIMEOUT_S,
        "socket_timeout": 2,
        "socket_connect_timeout": 2,
        "unacked_restore_throttle": 1,
    }
elif CELERY_BROKER_URL.startswith("sqs:"):
    # Credentials and AWS_ENDPOINT_URL come from the environment. The queue is created if it does not exist.
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "region": AWS_REGION,
        "queue_name_prefix": f"{PROJECT_NAME}-{ENVIRONMENT}-",
        "visibility_timeout": QUEUE_VISIBILITY_TIMEOUT_S,
        "wait_time_seconds": 10,
        "polling_interval": 0.1,
        "client-config": {"connect_timeout": 2, "read_timeout": 15, "retries": {"total_max_attempts": 1}},
    }
    # SQS has no broadcast: each remote control command would create a queue.
    CELERY_WORKER_ENABLE_REMOTE_CONTROL = False
else:
    CELERY_BROKER_TRANSPORT_OPTIONS = {}

# Web
LANGUAGE_CODE = "en"
LANGUAGES = CONSOLE_LANGUAGES
LOCALE_PATHS = [BASE_DIR / "voiceapp/locale"]
FORMAT_MODULE_PATH = ["voiceapp.formats"]
TIME_ZONE = "UTC"
USE_TZ = True
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STATIC_ROOT.mkdir(exist_ok=True)
STATICFILES_DIRS = [BASE_DIR / "static"]
WHITENOISE_USE_FINDERS = True
APPEND_SLASH = False  # a redirect would lose a webhook's body and break its signature
LOGIN_URL = "/admin/login/"
AUTHENTICATION_BACKENDS = ["agents.organizations.sign_in.SignInThrottle", "django.contrib.auth.backends.ModelBackend"]
LOGIN_REDIRECT_URL = "/admin/"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
DATA_UPLOAD_MAX_MEMORY_SIZE = FORM_BYTES
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "voiceapp.error_pages.csrf_failure"
IS_PUBLIC_HTTPS = PUBLIC_BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = IS_PUBLIC_HTTPS
CSRF_COOKIE_SECURE = IS_PUBLIC_HTTPS
CSRF_TRUSTED_ORIGINS = [PUBLIC_BASE_URL] if IS_PUBLIC_HTTPS else []
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXY_COUNT else None
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=IS_PUBLIC_HTTPS and TRUSTED_PROXY_COUNT > 0)
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if IS_PUBLIC_HTTPS else 0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_SECONDS > 0
SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["voiceapp.core.api.strict_json.StrictJSONParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "voiceapp.core.api.negotiation.AlwaysJSON",
    "DEFAULT_SCHEMA_CLASS": "voiceapp.core.api.openapi.APISchema",
    "EXCEPTION_HANDLER": "voiceapp.core.api.exception_handler.handle",
    "UNAUTHENTICATED_USER": None,
    "URL_FORMAT_OVERRIDE": None,
}
SPECTACULAR_SETTINGS = {
    "OAS_VERSION": "3.1.0",
    "TITLE": "voiceapp",
    "VERSION": VERSION,
    "DESCRIPTION": (BASE_DIR / "voiceapp/core/api/introduction.md").read_text(),
    # Relative, so that the page's own requests go to the address at which it is open.
    "SERVERS": [{"url": "/"}],
    "TAGS": [
        {
            "name": "Voice sessions",
            "description": "A secret with which a browser opens a session of OpenAI Realtime itself. Each session is "
            "recorded for 30 days and announced on a queue.",
        },
        {
            "name": "Browser sessions",
            "description": "A short-lived secret with which a browser opens a session of OpenAI Realtime by WebRTC.",
        },
        {"name": "Calls", "description": "Calls in rooms: with an agent, between two people, or among several."},
        {"name": "Tokens", "description": "A token lets a person join a room within ten minutes."},
        {"name": "Realtime", "description": "How a room's agent speaks with OpenAI Realtime."},
        {"name": "Agents", "description": "The agent in a call's room: spawn, read, update and remove it."},
        {"name": "Recordings", "description": "Recordings of calls in rooms: start, read, update and stop them."},
        {"name": "Webhooks", "description": "Where LiveKit reports what happens in its rooms."},
        {
            "name": "Internal",
            "description": "For our own machines: a bridge without a database calls the main app. `INTERNAL_API_KEY` "
            "is the only credential.",
        },
    ],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "livekitSignature": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "LiveKit's token, signed with your API secret over the body's hash.",
            }
        },
        "headers": {
            "X-RateLimit-Limit": {"description": "Requests per window.", "schema": {"type": "integer"}},
            "X-RateLimit-Remaining": {"description": "Requests left in this window.", "schema": {"type": "integer"}},
            "X-RateLimit-Reset": {
                "description": "When the next window begins, in epoch seconds.",
                "schema": {"type": "integer"},
            },
            "Retry-After": {"description": "Seconds to wait before a retry.", "schema": {"type": "integer"}},
        },
    },
    "POSTPROCESSING_HOOKS": [],
    "COMPONENT_SPLIT_PATCH": False,
    "ENFORCE_NON_BLANK_FIELDS": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "DISABLE_DOCSTRING_DESCRIPTIONS": True,
    "SORT_OPERATIONS": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "docExpansion": "list", "defaultModelsExpandDepth": -1},
}

UNFOLD = {
    "SITE_TITLE": "voiceapp",
    "SITE_HEADER": "voiceapp",
    "SITE_ICON": "voiceapp.console.navigation.favicon",
    "SHOW_VIEW_ON_SITE": False,
    "GLOBAL_CALLBACK": "voiceapp.console.navigation.every_page",
    "DASHBOARD_CALLBACK": "voiceapp.console.dashboard.fill",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "voiceapp.console.navigation.favicon"},
    ],
    "STYLES": ["voiceapp.console.navigation.stylesheet"],
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {
        "action": "voiceapp.console.navigation.language_form",
        "navigation": "agents.organizations.languages.offered_languages",
    },
    "ACCOUNT": {"navigation": "voiceapp.console.navigation.account_links"},
    "SIDEBAR": {"show_search": True, "navigation": "voiceapp.console.navigation.sidebar"},
    "COLORS": {
        # Teal, dark enough from 600 on for white text.
        "primary": {
            "50": "oklch(98.4% .014 180.72)",
            "100": "oklch(95.3% .051 180.801)",
            "200": "oklch(91% .096 180.426)",
            "300": "oklch(85.5% .138 181.071)",
            "400": "oklch(77.7% .152 181.912)",
            "500": "oklch(60% .118 184.704)",
            "600": "oklch(51.1% .096 186.391)",
            "700": "oklch(43.7% .078 188.216)",
            "800": "oklch(38.6% .063 188.416)",
            "900": "oklch(33% .054 188.416)",
            "950": "oklch(27.7% .046 192.524)",
        },
    },
}

LOGGING_CONFIG = None  # structlog configures logging (voiceapp/core/logs.py)
