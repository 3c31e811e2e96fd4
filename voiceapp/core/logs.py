"""Structured logs: JSON lines in production, readable lines in a terminal; no transcripts, phone numbers masked."""

from __future__ import annotations

import logging
import logging.config
import re
import sys
from collections.abc import MutableMapping

import structlog
from django.conf import settings

from voiceapp.core.phones.numbers import mask

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warn": logging.WARNING, "error": logging.ERROR}
NUMBER = re.compile(r"\+\d{7,15}")
SECRET_KEYS = {"authorization", "cookie", "token", "secret", "password", "api_key", "signature"}


def hide_private(_: object, __: str, event: MutableMapping[str, object]) -> MutableMapping[str, object]:
    """Mask phone numbers in every string and remove values with secret keys."""
    for key, value in event.items():
        if key.lower() in SECRET_KEYS:
            event[key] = "…"
        elif isinstance(value, str) and "+" in value:
            event[key] = NUMBER.sub(lambda found: mask(found.group()), value)
    return event


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
    ending += [hide_private, renderer]
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
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
