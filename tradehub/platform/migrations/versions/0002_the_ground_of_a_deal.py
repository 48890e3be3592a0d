"""the ground of a deal"""

import sqlalchemy as sa
from alembic import op

from tradehub.platform import db

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_DEALS = sa.table(
    "negotiation",
    sa.column("id"),
    sa.column("reasonable_days"),
    sa.column("rounds_max"),
    sa.column("ground", db.Json()),
)


def upgrade() -> None:
    """A deal opened so far keeps what applied to it: what is as usual is left out."""
    for table, column in (("negotiation", "ground"), ("offer", "particulars"), ("statement", "particulars")):
        op.add_column(table, sa.Column(column, db.Json(), server_default="{}", nullable=False))
    op.add_column("statement", sa.Column("source", db.Json(), nullable=True))
    connection = op.get_bind()
    for id, days, rounds in connection.execute(
        sa.select(_DEALS.c.id, _DEALS.c.reasonable_days, _DEALS.c.rounds_max)
    ).all():
        ground = {"reasonable_days": days} if days != 14 else {}
        if rounds is not None:
            ground["rounds_max"] = rounds
        if ground:
            connection.execute(_DEALS.update().where(_DEALS.c.id == id).values(ground=ground))
    with op.batch_alter_table("negotiation") as batch_op:
        batch_op.drop_column("rounds_max")
        batch_op.drop_column("reasonable_days")


def downgrade() -> None:
    with op.batch_alter_table("negotiation") as batch_op:
        batch_op.add_column(sa.Column("reasonable_days", sa.INTEGER(), server_default="14", nullable=False))
        batch_op.add_column(sa.Column("rounds_max", sa.INTEGER(), nullable=True))
        batch_op.drop_column("ground")
    for table in ("offer", "statement"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("particulars")
    with op.batch_alter_table("statement") as batch_op:
        batch_op.drop_column("source")
