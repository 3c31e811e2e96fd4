"""Structured logs: JSON lines in production, readable lines in a terminal; no transcripts or secrets in them."""

from __future__ import annotations

import functools
import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping

import structlog
from django.conf import settings

from voiceapp.core.phones.numbers import mask

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
NUMBER = re.compile(r"(?:\+|%2B)(\d{7,15})", re.IGNORECASE)
SECRET_KEYS = {"authorization", "cookie", "token", "secret", "password", "api_key", "signature"}
PRIVATE_NAMES = r"[\w.-]*(?:token|secret|password|api[_-]?key|signature|credential|authorization)"
# What follows the kept part is secret: the path of a calendar feed, passwords in addresses, values in queries and in
# nested fields, credentials.
SECRET_PLACES = re.compile(
    rf"""(
    /calendar/
    | ://[^\s:/@"']*:(?=[^\s/@"']+@)
    | [?&](?:{PRIVATE_NAMES}|key|sig)=
    | ["']{PRIVATE_NAMES}["']:\ ?["']
    | \b(?:Bearer|Basic)[ ]
    )[^\s&@"'\\<>\#…]+""",
    re.IGNORECASE | re.VERBOSE,
)
SECRET_SETTING = re.compile(r"(KEY|TOKEN|SECRET|PASSWORD|FALLBACKS)S?$")
# A shorter value would be found in ordinary text.
SHORTEST_SECRET = 12
# Known by their looks wherever they stand: API keys of ours, of OpenAI, and JSON Web Tokens.
SECRET_SHAPES = re.compile(
    r"\bva_[a-z0-9]{10}_[A-Za-z0-9_-]{43}|\b(?:sk|ek)[-_][A-Za-z0-9_-]{16,}|\beyJ[\w-]+\.eyJ[\w-]+\.[\w-]*"
)
# A text without any of them matches neither: to look for these takes a tenth of the time.
MARKS = ("/calendar/", "://", "token", "secret", "password", "api_key", "api-key", "apikey", "signature", "credential",
         "authorization", "key=", "sig=", "bearer ", "basic ", "va_", "sk-", "sk_", "ek-", "ek_", "eyj")  # fmt: skip


def hide_private(_: object, __: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Remove values with secret keys, and what is private in the others."""
    for key, value in event.items():
        if key.lower() in SECRET_KEYS:
            event[key] = "…"
        elif isinstance(value, str):
            event[key] = redact(value)
    return event


@functools.cache
def own_secrets() -> re.Pattern[str]:
    """The values of this server's secret settings, wherever they stand."""
    values: set[str] = set()
    for name in dir(settings):
        if SECRET_SETTING.search(name):
            value = getattr(settings, name)
            texts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else ()
            values |= {text.strip() for text in texts if isinstance(text, str) and len(text.strip()) >= SHORTEST_SECRET}
    return re.compile("|".join(map(re.escape, sorted(values, key=len, reverse=True))) or r"(?!)")


def redact(text: str) -> str:
    """The text with phone numbers masked, and without secrets in paths, queries, headers and nested fields."""
    text = own_secrets().sub("…", text)
    lowered = text.lower()
    if any(mark in lowered for mark in MARKS):
        text = SECRET_SHAPES.sub("…", SECRET_PLACES.sub(r"\1…", text))
    if "+" in text or "%2b" in lowered:
        text = NUMBER.sub(lambda found: mask(found.group(1)), text)
    return text


def redacting(renderer: structlog.typing.Processor) -> structlog.typing.Processor:
    """The renderer with its whole line redacted: tracebacks, nested fields and libraries' messages quote addresses."""

    def render(logger: object, name: str, event: MutableMapping[str, object]) -> str:
        return redact(str(renderer(logger, name, event)))

    return render


class SeverityByCause(logging.Filter):
    """Errors are for operators; mistakes of clients are logged as information, whatever level a library chooses.

    Otherwise anyone could fill the log with errors and tracebacks by sending an unknown Host.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if record.name == "django.request":
            # A 500 or 503 that we chose is in the request log, and its reason has been logged.
            return record.exc_info is not None and record.exc_info[0] is not None
        is_refusal = record.name.startswith("django.security") or (
            record.name == "uvicorn.error" and record.levelno == logging.WARNING
        )
        if is_refusal:
            record.levelno, record.levelname = logging.INFO, "INFO"
            record.exc_info = record.exc_text = None
            return logging.getLogger().getEffectiveLevel() <= logging.INFO
        return True


def configure() -> None:
    """Send records of the standard library and of structlog through one chain to standard error."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    is_terminal = sys.stderr.isatty()
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer() if is_terminal else structlog.processors.JSONRenderer(ensure_ascii=False)
    )
    ending: list[structlog.typing.Processor] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if not is_terminal:
        ending.append(structlog.processors.format_exc_info)
    ending.append(redacting(renderer))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            hide_private,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    level = LEVELS.get(settings.LOG_LEVEL, logging.INFO)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "lines": {"()": structlog.stdlib.ProcessorFormatter, "foreign_pre_chain": shared, "processors": ending}
            },
            "filters": {"severity_by_cause": {"()": SeverityByCause}},
            "handlers": {
                "stderr": {
                    "class": "logging.StreamHandler",
                    "stream": "ext://sys.stderr",
                    "formatter": "lines",
                    "filters": ["severity_by_cause"],
                }
            },
            "root": {"handlers": ["stderr"], "level": level},
            "loggers": {
                # Their lines contain query strings; our request log does not.
                "uvicorn.access": {"level": "WARNING"},
                "httpx": {"level": "WARNING"},
                "picows": {"level": "WARNING"},
                "twilio": {"level": "WARNING"},
                "django.request": {"level": "ERROR"},
            },
        }
    )
