"""${message}."""

import sqlalchemy as sa
from alembic import op

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None
# Whether services of this version do not work without it; False where it only makes something faster.
needed = True


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}
