"""Find out before anything starts whether a service would refuse its settings."""

from pydantic import ValidationError

from swaprail.settings import MissingSettingsError, Settings, refusals
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
    wrong: dict[str, None] = {}
    missing: dict[str, None] = {}
    for owner in ALL:
        try:
            owner()
        except MissingSettingsError as error:
            missing |= dict.fromkeys(error.names)
        except ValidationError as error:
            wrong |= dict.fromkeys(refusals(error))
    told = [*wrong, *([str(MissingSettingsError(list(missing)))] if missing else [])]
    if told:
        raise SettingsRefusedError("\n".join(told))
    return LocalSettings()
