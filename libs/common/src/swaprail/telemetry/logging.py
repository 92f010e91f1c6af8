"""Structured logs: JSON for machines, text for a person; secrets never."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, cast

import structlog

from swaprail.telemetry.repeats import Repeats

_SECRET_KEYS = re.compile(r"(secret|password|token|api_?key|authorization|private|seed|raw|signed)", re.IGNORECASE)
_SECRET_VALUES = re.compile(
    r"(swr_[A-Za-z0-9]+_[A-Za-z0-9_-]+)|(?i:bearer\s+\S+)|((?<=://)[^/@\s]+:[^/@\s]+(?=@))",
)
_SAFE = {"token_unknown"}


def _redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, bytes):
            event[key] = f"<{len(value)} bytes>"
        elif _SECRET_KEYS.search(key) and value not in _SAFE:
            event[key] = "<redacted>"
        elif isinstance(value, str):
            event[key] = _SECRET_VALUES.sub("<redacted>", value)
    return event


def _name_exception(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    given = event.get("exc_info")
    error = given if isinstance(given, BaseException) else sys.exc_info()[1] if given is True else None
    if error is not None:
        event.setdefault("error", type(error).__name__)
    return event


def configure_logging(service: str, level: str, fmt: str) -> None:
    """Send structlog's and the standard library's records to stderr, redacted, in one format, repeated ones left out."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _name_exception,
        structlog.processors.format_exc_info,
        _redact,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if fmt == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )

    def add_service(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event["service"] = service
        return event

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, add_service, renderer],
        ),
    )
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level.upper())
    for name in list(root.manager.loggerDict):
        # Libraries that bring handlers of their own write texts between our JSON.
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
    for chatty in ("faststream", "uvicorn.access", "uvicorn.error", "httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))
