"""openers change

Who opens a sealed tender may hand the place over: what state each of them is in, whom one follows, with whom a half was
sealed, and the changes that bidders see.
"""

import sqlalchemy as sa
from alembic import op

from tradehub.platform import db

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("tender_opener", schema=None) as batch_op:
        batch_op.add_column(sa.Column("state", sa.String(), nullable=False, server_default="active"))
        batch_op.add_column(sa.Column("follows", sa.String(), nullable=True))
    with op.batch_alter_table("tender_opener", schema=None) as batch_op:
        batch_op.alter_column("state", existing_type=sa.String(), server_default=None)
    with op.batch_alter_table("tender_share", schema=None) as batch_op:
        batch_op.add_column(sa.Column("sealed_with", sa.String(), nullable=True))
    op.create_table(
        "tender_opener_change",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("left", sa.String(), nullable=False),
        sa.Column("joined", sa.String(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("tender_id", sa.String(), nullable=False),
        sa.Column("buyer_id", sa.String(), nullable=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["tender_id"], ["tender.id"], name=op.f("fk_tender_opener_change_tender_id_tender")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tender_opener_change")),
    )
    with op.batch_alter_table("tender_opener_change", schema=None) as batch_op:
        for column in ("buyer_id", "tender_id"):
            batch_op.create_index(batch_op.f(f"ix_tender_opener_change_{column}"), [column], unique=False)


def downgrade() -> None:
    op.drop_table("tender_opener_change")
    with op.batch_alter_table("tender_share", schema=None) as batch_op:
        batch_op.drop_column("sealed_with")
    with op.batch_alter_table("tender_opener", schema=None) as batch_op:
        batch_op.drop_column("follows")
        batch_op.drop_column("state")
