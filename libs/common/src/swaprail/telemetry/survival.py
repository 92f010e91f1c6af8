"""Keeps background loops alive: a pass that fails is told and counted, and the next one comes all the same."""

from collections.abc import Awaitable

from swaprail.domain.errors import EngineError
from swaprail.telemetry import metrics
from swaprail.telemetry.incidents import Incident
from swaprail.telemetry.logging import get_logger

log = get_logger(__name__)

# Of each loop by its name: what all of them need is told by itself, and the end of its absence as well.
_FAILING: dict[str, Incident] = {}


async def survive[T](what: str, work: Awaitable[T]) -> T | None:
    """Return what the work returns, or None when it failed, whatever with; cancelling it is no failure."""
    incident = _FAILING.setdefault(what, Incident("pass failed", "", most=1))
    try:
        done = await work
    except EngineError as error:
        metrics.OPERATIONAL_ERRORS.labels(error.code).inc()
        incident.failed(error, what=what)
    except Exception:
        metrics.OPERATIONAL_ERRORS.labels("unexpected").inc()
        log.exception("pass failed as nobody foresaw", what=what)
    else:
        incident.succeeded()
        return done
    return None
