"""the ground of a deal"""

from datetime import UTC, datetime

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
    sa.column("changes_at", db.UtcDateTime()),
)


_OUTLOOK = ("due_at", "changes_at", "seen_at", "total", "currency", "buyer_status", "seller_status", "rounds")
_LISTED_BY = {
    "moved": ("{side}_id", "{side}_status", "updated_at", "id"),
    "due": ("{side}_id", "{side}_status", "due_at", "id"),
    "all": ("{side}_id", "updated_at", "id"),
    "stale": ("{side}_id", "changes_at"),
}
_INDEXES = {
    f"ix_deal_{side}_{name}": [column.format(side=side) for column in columns]
    for side in ("buyer", "seller")
    for name, columns in _LISTED_BY.items()
} | {"ix_negotiation_changes_at": ["changes_at"]}


def upgrade() -> None:
    """A deal opened so far keeps what applied to it: what is as usual is left out."""
    for table, column in (("negotiation", "ground"), ("offer", "particulars"), ("statement", "particulars")):
        op.add_column(table, sa.Column(column, db.Json(), server_default="{}", nullable=False))
    op.add_column("statement", sa.Column("source", db.Json(), nullable=True))
    op.add_column("offer", sa.Column("summary", db.Json(), nullable=True))
    for name in ("due_at", "changes_at", "seen_at"):
        op.add_column("negotiation", sa.Column(name, db.UtcDateTime(), nullable=True))
    op.add_column("negotiation", sa.Column("total", db.TextDecimal(), nullable=True))
    op.add_column("negotiation", sa.Column("currency", sa.String(), nullable=True))
    for name in ("buyer_status", "seller_status"):
        op.add_column("negotiation", sa.Column(name, sa.String(), server_default="quiet", nullable=False))
    op.add_column("negotiation", sa.Column("rounds", sa.Integer(), server_default="0", nullable=False))
    connection = op.get_bind()
    # Their outlook has not been made yet: lists, and the job that looks at what the clock moved, look at them anew.
    connection.execute(_DEALS.update().values(changes_at=datetime(1970, 1, 1, tzinfo=UTC)))
    for id, days, rounds in connection.execute(
        sa.select(_DEALS.c.id, _DEALS.c.reasonable_days, _DEALS.c.rounds_max)
    ).all():
        ground = {"reasonable_s": days * 86400} if days != 14 else {}
        if rounds is not None:
            ground["rounds_max"] = rounds
        if ground:
            connection.execute(_DEALS.update().where(_DEALS.c.id == id).values(ground=ground))
    with op.batch_alter_table("negotiation") as batch_op:
        batch_op.drop_column("rounds_max")
        batch_op.drop_column("reasonable_days")
    # Of all deals the last moved is nobody's list; beside the lists of one side it only misleads the planner.
    op.drop_index(op.f("ix_negotiation_updated_at"), "negotiation")
    for name, columns in _INDEXES.items():
        op.create_index(op.f(name), "negotiation", columns)


def downgrade() -> None:
    for name in _INDEXES:
        op.drop_index(op.f(name), "negotiation")
    op.create_index(op.f("ix_negotiation_updated_at"), "negotiation", ["updated_at"])
    with op.batch_alter_table("negotiation") as batch_op:
        for name in _OUTLOOK:
            batch_op.drop_column(name)
    with op.batch_alter_table("offer") as batch_op:
        batch_op.drop_column("summary")
    with op.batch_alter_table("negotiation") as batch_op:
        batch_op.add_column(sa.Column("reasonable_days", sa.INTEGER(), server_default="14", nullable=False))
        batch_op.add_column(sa.Column("rounds_max", sa.INTEGER(), nullable=True))
        batch_op.drop_column("ground")
    for table in ("offer", "statement"):
        with op.batch_alter_table(table) as batch_op:
            batch_op.drop_column("particulars")
    with op.batch_alter_table("statement") as batch_op:
        batch_op.drop_column("source")
