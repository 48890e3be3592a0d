"""files that the parties of a deal bring to it"""

import sqlalchemy as sa
from alembic import op

from tradehub.platform import db

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deal_file",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("deal_id", sa.String(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("sent_at", db.UtcDateTime(), nullable=True),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.Column("seller_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["deal_id"], ["negotiation.id"], name=op.f("fk_deal_file_deal_id_negotiation")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deal_file")),
        sa.UniqueConstraint("deal_id", "by_id", "sha256", name=op.f("uq_deal_file_deal_id_by_id_sha256")),
    )
    with op.batch_alter_table("deal_file", schema=None) as batch_op:
        for column in ("buyer_id", "deal_id", "seller_id"):
            batch_op.create_index(batch_op.f(f"ix_deal_file_{column}"), [column], unique=False)


def downgrade() -> None:
    op.drop_table("deal_file")
