"""Find out before anything starts whether a service would refuse its settings."""

from pydantic import ValidationError

from swaprail.settings import MissingSettingsError, Settings
from swaprail_api.settings import ApiSettings
from swaprail_executor.settings import ExecutorSettings
from swaprail_local.settings import LocalSettings
from swaprail_notifier.settings import NotifierSettings
from swaprail_router.settings import RouterSettings

ALL: tuple[type[Settings], ...] = (LocalSettings, ApiSettings, RouterSettings, ExecutorSettings, NotifierSettings)


class SettingsRefusedError(RuntimeError):
    """Settings are missing or wrong; the message names every one."""


def check_settings() -> LocalSettings:
    """Return the settings of the run.

    Raises:
        SettingsRefusedError: a service, or the run itself, would refuse its settings.
    """
    problems = list(dict.fromkeys(problem for owner in ALL for problem in _problems(owner)))
    if problems:
        told = [this for this in problems if not any(other != this and other.startswith(this) for other in problems)]
        raise SettingsRefusedError("\n".join(told))
    return LocalSettings()


def _problems(owner: type[Settings]) -> list[str]:
    try:
        owner()
    except MissingSettingsError as error:
        return [str(error)]
    except ValidationError as error:
        return [f"{'.'.join(map(str, found['loc'])).upper()}: {found['msg']}" for found in error.errors()]
    return []
