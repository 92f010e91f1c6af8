"""Whether the database has the schema that this version needs."""

from swaprail.db.connect import Database
from swaprail.db.migrate import newest_revision
from swaprail.domain.errors import EngineError, ErrorCode

_FIND = """
select case when to_regclass('alembic_version') is null then null else (
    select (xpath('//version_num/text()', query_to_xml('select version_num from alembic_version', false, true, '')))[1]::text
) end
"""


class SchemaCheck:
    """Compares revisions. Revisions are numbered, and a newer one than ours still serves this version."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._needed = newest_revision()
        self._seen = ""

    async def check(self) -> None:
        """Raise EngineError unavailable unless the database is migrated."""
        if self._seen >= self._needed:
            return
        self._seen = await self._database.fetchval(_FIND) or ""
        if self._seen < self._needed:
            message = f"the schema is at {self._seen or 'nothing'}, needed is {self._needed}"
            raise EngineError(ErrorCode.UNAVAILABLE, message)
