"""bids by message

A message that answers a sealed tender is kept in an envelope: its keyed hash, the message of a bid, and the parts of
the envelopes' keys.
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_as", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_message_sealed_as"), ["sealed_as"], unique=False)
    with op.batch_alter_table("tender_bid", schema=None) as batch_op:
        batch_op.add_column(sa.Column("message_id", sa.String(), nullable=True))
        batch_op.create_index(batch_op.f("ix_tender_bid_message_id"), ["message_id"], unique=False)
    op.create_table(
        "tender_message_key",
        sa.Column("transmission_id", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("tender_id", sa.String(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("part", sa.String(), nullable=True),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_tender_message_key_tender_id_tender")),
        sa.PrimaryKeyConstraint("transmission_id", "message_id", name=op.f("pk_tender_message_key")),
    )
    with op.batch_alter_table("tender_message_key", schema=None) as batch_op:
        for column in ("buyer_id", "message_id", "tender_id"):
            batch_op.create_index(batch_op.f(f"ix_tender_message_key_{column}"), [column], unique=False)


def downgrade() -> None:
    op.drop_table("tender_message_key")
    with op.batch_alter_table("tender_bid", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_tender_bid_message_id"))
        batch_op.drop_column("message_id")
    with op.batch_alter_table("message", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_message_sealed_as"))
        batch_op.drop_column("sealed_as")
