"""a contract, and an order, per acceptance

An offer that is accepted in parts makes several contracts in one deal (R22), so they are kept under the statement that
made them, and no longer under the deal. What is there already is given the last acceptance of its party that is not
later than its conclusion, or the silence on its offer (R19); what neither made, as the order released under a blanket agreement, is kept under its own id.
"""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLES = ("contracts", "orders")


def upgrade() -> None:
    for table in TABLES:
        op.add_column(table, sa.Column("acceptance", sa.String(), nullable=True))
    _carry_over(op.get_bind())
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column("acceptance", existing_type=sa.String(), nullable=False)
            batch_op.drop_constraint(batch_op.f(f"uq_{table}_deal_id"), type_="unique")
            batch_op.create_unique_constraint(batch_op.f(f"uq_{table}_acceptance"), ["acceptance"])
            batch_op.create_index(batch_op.f(f"ix_{table}_deal_id"), ["deal_id"], unique=False)


def downgrade() -> None:
    _refuse_several(op.get_bind())
    for table in TABLES:
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_index(batch_op.f(f"ix_{table}_deal_id"))
            batch_op.drop_constraint(batch_op.f(f"uq_{table}_acceptance"), type_="unique")
            batch_op.create_unique_constraint(batch_op.f(f"uq_{table}_deal_id"), ["deal_id"])
            batch_op.drop_column("acceptance")


def _refuse_several(bind: sa.Connection) -> None:
    """Before 0013 a deal has one contract and one order; which of several was meant, nobody could say."""
    for table in TABLES:
        several = bind.scalars(
            sa.text(f"SELECT deal_id FROM {table} GROUP BY deal_id HAVING COUNT(*) > 1 ORDER BY deal_id")  # noqa: S608 - ours
        ).all()
        if several:
            raise RuntimeError(
                f"nothing was changed: before 0013 a deal has one of the {table}, and {len(several)} of yours have several "
                f"(the first is {several[0]}); restore the backup from before the upgrade instead"
            )


def _carry_over(bind: sa.Connection) -> None:
    bind.execute(
        sa.text(
            """
            UPDATE contracts SET acceptance = COALESCE(
                (SELECT s.id FROM statement s JOIN offer o ON o.id = s.about
                 WHERE s.deal_id = contracts.deal_id AND s.by_id = contracts.accepted_by
                   AND s.kind IN ('accept', 'perform') AND s.at <= contracts.concluded_at
                   AND CAST(o.particulars AS TEXT) NOT LIKE '%"amends"%'
                 ORDER BY s.number DESC LIMIT 1),
                (SELECT o.id || '\\:silence' FROM offer o
                 WHERE o.deal_id = contracts.deal_id AND o.number = contracts.offer_number
                   AND o.by_id <> contracts.accepted_by
                 ORDER BY o.id DESC LIMIT 1),
                deal_id)
            """
        )
    )
    bind.execute(
        sa.text(
            """
            UPDATE orders SET acceptance = COALESCE(
                (SELECT c.acceptance FROM contracts c WHERE c.deal_id = orders.deal_id), deal_id)
            """
        )
    )
