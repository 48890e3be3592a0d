"""standard terms that organisations publish"""

import sqlalchemy as sa
from alembic import op

from tradehub.platform import db

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "standard_terms",
        sa.Column("org", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("content", db.Json(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("published_by", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("org", "version", name=op.f("pk_standard_terms")),
        sa.UniqueConstraint("sha256", name=op.f("uq_standard_terms_sha256")),
    )


def downgrade() -> None:
    op.drop_table("standard_terms")
