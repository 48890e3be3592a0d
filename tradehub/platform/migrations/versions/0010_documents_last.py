"""documents stand last in their rows

SQLite walks through all the pages of a large value to reach a column behind it: 1,000 offers of 500 lines took 64 ms to
list, and take 3. PostgreSQL keeps large values elsewhere.
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

LARGE = (("offer", "document"), ("statement", "source"))


def upgrade() -> None:
    for table, column in LARGE:
        _put(table, ("buyer_id", "seller_id", column))


def downgrade() -> None:
    for (table, column), behind in zip(LARGE, ("terms_hash", "previous"), strict=True):
        _put(table, (column, behind))


def _put(table: str, order: tuple[str, ...]) -> None:
    if op.get_context().dialect.name == "sqlite":
        with op.batch_alter_table(table, recreate="always", partial_reordering=[order]):
            pass
