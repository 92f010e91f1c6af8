"""Settings of a run on one machine."""

from pathlib import Path

from pydantic import Field

from swaprail.settings import Settings


class LocalSettings(Settings):
    """What the supervisor itself reads."""

    port: int = Field(3000, ge=0, le=65535, description="port of the API; 0 picks a free one")
    notifier_port: int = Field(0, ge=0, le=65535, description="port of the notifier where it runs apart; 0: PORT + 1")
    data_dir: Path = Field(Path(".data"), description="one machine: where the embedded servers keep their data")

    @property
    def embeds_postgres(self) -> bool:
        """Whether nobody named a PostgreSQL that runs already."""
        return not self.model_fields_set & {"database_url", "db_host"}

    @property
    def embeds_valkey(self) -> bool:
        """Whether nobody named a Redis that runs already."""
        return not self.model_fields_set & {"redis_url", "redis_host"}
