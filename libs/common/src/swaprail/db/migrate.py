"""Bring the database to the schema of this version."""

from importlib.resources import files

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory

from swaprail.settings import Settings


def _config(dsn: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("swaprail.db").joinpath("migrations")))
    config.attributes["dsn"] = dsn
    return config


def migrate(dsn: str) -> None:
    """Upgrade to the newest revision; concurrent callers wait for one another. dsn: postgresql://…"""
    command.upgrade(_config(dsn), "head")


def newest_revision() -> str:
    """Return the revision this version of the engine needs at least."""
    head = ScriptDirectory.from_config(_config("")).get_current_head()
    assert head is not None
    return head


def main() -> None:
    """Migrate the database that the settings name."""
    migrate(Settings().dsn)


if __name__ == "__main__":
    main()
