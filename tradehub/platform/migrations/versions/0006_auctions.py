"""auctions"""

import sqlalchemy as sa
from alembic import op

from tradehub.platform import db

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "auction",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("number", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("title", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("currency", sa.String(), nullable=False),
        sa.Column("starts_at", db.UtcDateTime(), nullable=False),
        sa.Column("ends_at", db.UtcDateTime(), nullable=False),
        sa.Column("step", db.TextDecimal(), nullable=False),
        sa.Column("step_is_percent", sa.Boolean(), nullable=False),
        sa.Column("soft_within_s", sa.Integer(), nullable=True),
        sa.Column("soft_by_s", sa.Integer(), nullable=True),
        sa.Column("soft_most_s", sa.Integer(), nullable=True),
        sa.Column("tick_s", sa.Integer(), nullable=True),
        sa.Column("display", sa.String(), nullable=False),
        sa.Column("allows_proxy", sa.Boolean(), nullable=False),
        sa.Column("lots", db.Json(), nullable=False),
        sa.Column("conditions", db.Json(), nullable=False),
        sa.Column("binds_days", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("settled_at", db.UtcDateTime(), nullable=True),
        sa.Column("deals", db.Json(), nullable=False),
        sa.Column("request_key", sa.String(), nullable=True),
        sa.Column("created_by", sa.String(), nullable=True),
        sa.Column("created_at", db.UtcDateTime(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_auction")),
        sa.UniqueConstraint("owner_id", "number", name=op.f("uq_auction_owner_id_number")),
        sa.UniqueConstraint("owner_id", "request_key", name=op.f("uq_auction_owner_id_request_key")),
    )
    with op.batch_alter_table("auction", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auction_ends_at"), ["ends_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_auction_number"), ["number"], unique=False)
        batch_op.create_index(batch_op.f("ix_auction_owner_id"), ["owner_id"], unique=False)

    op.create_table(
        "auction_bidder",
        sa.Column("auction_id", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("owner_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["auction_id"], ["auction.id"], name=op.f("fk_auction_bidder_auction_id_auction")),
        sa.PrimaryKeyConstraint("auction_id", "party", name=op.f("pk_auction_bidder")),
    )
    with op.batch_alter_table("auction_bidder", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auction_bidder_party"), ["party"], unique=False)

    op.create_table(
        "auction_event",
        sa.Column("auction_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("by_id", sa.String(), nullable=False),
        sa.Column("lot", sa.Integer(), nullable=True),
        sa.Column("amount", db.TextDecimal(), nullable=True),
        sa.Column("bid_limit", db.TextDecimal(), nullable=True),
        sa.Column("sealed", sa.Text(), nullable=True),
        sa.Column("is_quiet", sa.Boolean(), nullable=False),
        sa.Column("about", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("user_name", sa.String(), nullable=True),
        sa.Column("request_key", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(["auction_id"], ["auction.id"], name=op.f("fk_auction_event_auction_id_auction")),
        sa.PrimaryKeyConstraint("auction_id", "number", name=op.f("pk_auction_event")),
        sa.UniqueConstraint(
            "auction_id", "by_id", "request_key", name=op.f("uq_auction_event_auction_id_by_id_request_key")
        ),
    )
    with op.batch_alter_table("auction_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_auction_event_by_id"), ["by_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("auction_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auction_event_by_id"))

    op.drop_table("auction_event")
    with op.batch_alter_table("auction_bidder", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auction_bidder_party"))

    op.drop_table("auction_bidder")
    with op.batch_alter_table("auction", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_auction_owner_id"))
        batch_op.drop_index(batch_op.f("ix_auction_number"))
        batch_op.drop_index(batch_op.f("ix_auction_ends_at"))

    op.drop_table("auction")
