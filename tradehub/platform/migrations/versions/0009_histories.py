"""what messages say of a deal's history"""

import sqlalchemy as sa
from alembic import op

from tradehub.platform import db

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "history_claim",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("deal_id", sa.String(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("claim", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("asks", sa.String(), nullable=True),
        sa.Column("settled_at", db.UtcDateTime(), nullable=True),
        sa.Column("settled_by", sa.String(), nullable=True),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["negotiation.id"], name=op.f("fk_history_claim_deal_id_negotiation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_history_claim")),
        sa.UniqueConstraint("deal_id", "by_id", "claim", name=op.f("uq_history_claim_deal_id_by_id_claim")),
    )
    with op.batch_alter_table("history_claim", schema=None) as batch_op:
        for column in ("asks", "buyer_id", "deal_id", "seller_id"):
            batch_op.create_index(batch_op.f(f"ix_history_claim_{column}"), [column], unique=False)


def downgrade() -> None:
    op.drop_table("history_claim")
