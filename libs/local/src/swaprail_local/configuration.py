"""Write .env.example and docs/configuration.md from the settings classes."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any, NamedTuple

from pydantic.fields import FieldInfo

from swaprail.auth.settings import AuthSettings
from swaprail.db.migrate import MigrationSettings
from swaprail.settings import Settings
from swaprail_api.settings import ApiSettings
from swaprail_executor.settings import ExecutorSettings
from swaprail_local.settings import LocalSettings
from swaprail_notifier.settings import NotifierSettings
from swaprail_router.settings import RouterSettings

SECTIONS: tuple[tuple[str, type[Settings]], ...] = (
    ("All services", Settings),
    ("API and notifier", AuthSettings),
    ("API", ApiSettings),
    ("Router", RouterSettings),
    ("Executor", ExecutorSettings),
    ("Notifier", NotifierSettings),
    ("Migration (swaprail-migrate)", MigrationSettings),
    ("One machine (swaprail-local)", LocalSettings),
)
SERVICES: tuple[type[Settings], ...] = (ApiSettings, RouterSettings, ExecutorSettings, NotifierSettings)

ENV_HEAD = """\
# Every setting, with its default. Copy this file to .env and uncomment what is to differ.
# Variables of the environment win over .env. Written by `make docs`: change the settings classes, not this file.
"""

PAGE_HEAD = """\
# Configuration

Every service reads its settings from the environment, then from `.env` in the working directory, then takes the
default. An empty variable counts as not set. With `APP_ENV=production` a service refuses to start while a setting that
has no safe default is missing, and names all that are; in development the defaults hold.

Written by `make docs` from the settings classes; a test fails when it differs from them.
"""


class Setting(NamedTuple):
    """One line of the reference."""

    name: str
    default: str
    description: str


def sections() -> Iterator[tuple[str, list[Setting]]]:
    """Yield every setting once, under the first section that has it."""
    seen: set[str] = set()
    for title, owner in SECTIONS:
        settings = settings_of(owner)
        yield title, [setting for setting in settings if setting.name not in seen]
        seen |= {setting.name for setting in settings}


def settings_of(owner: type[Settings]) -> list[Setting]:
    """Return every setting that a class reads, the shared ones included."""
    return [_setting(name, field) for name, field in owner.model_fields.items()]


def env_example() -> str:
    """Return the text of .env.example."""
    parts = [ENV_HEAD]
    for title, settings in sections():
        parts.append(f"\n# --- {title}\n")
        parts += [f"\n# {setting.description}\n#{setting.name}={setting.default}\n" for setting in settings]
    return "".join(parts)


def reference_page() -> str:
    """Return the text of docs/configuration.md."""
    parts = [PAGE_HEAD, "\n## Required in production\n\n"]
    parts += [f"- {' or '.join(f'`{name}`' for name in names)}\n" for names in _required()]
    for title, settings in sections():
        parts.append(f"\n## {title}\n\n| variable | default | meaning |\n|---|---|---|\n")
        parts += [f"| `{name}` | {_code(default)} | {meaning} |\n" for name, default, meaning in settings]
    return "".join(parts)


def main() -> None:
    """Write both files into the checkout in the working directory."""
    Path(".env.example").write_text(env_example())
    page = Path("docs/configuration.md")
    page.parent.mkdir(exist_ok=True)
    page.write_text(reference_page())


def _required() -> list[tuple[str, ...]]:
    found = [names for service in SERVICES for names in service.model_construct().required_in_production()]
    return list(dict.fromkeys(found))


def _setting(name: str, field: FieldInfo) -> Setting:
    alias = field.validation_alias
    variable = alias if isinstance(alias, str) else name.upper()
    return Setting(variable, _text(field.default), field.description or "")


def _text(default: Any) -> str:
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, Enum):
        return str(default.value)
    if isinstance(default, int | float | str | Path):
        return str(default)
    return ""  # none, computed, or a secret


def _code(default: str) -> str:
    return f"`{default}`" if default else ""


if __name__ == "__main__":
    main()
