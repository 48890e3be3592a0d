"""contract bundles, signatures, keys, templates and blanket agreements"""

import sqlalchemy as sa
from alembic import op

from tradehub.platform import db

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "contract_templates",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("latest", sa.Integer(), nullable=False),
        sa.Column("created_at", db.UtcDateTime(), nullable=False),
        sa.Column("org", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contract_templates")),
        sa.UniqueConstraint("org", "name", "language", name=op.f("uq_contract_templates_org_name_language")),
    )
    with op.batch_alter_table("contract_templates", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_templates_org"), ["org"], unique=False)

    op.create_table(
        "signing_keys",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("made_at", db.UtcDateTime(), nullable=False),
        sa.Column("made_by", sa.String(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("expires_at", db.UtcDateTime(), nullable=False),
        sa.Column("certificates", sa.Text(), nullable=False),
        sa.Column("head_key", sa.String(), nullable=False),
        sa.Column("sealed_key", sa.Text(), nullable=False),
        sa.Column("sealed_head_key", sa.Text(), nullable=False),
        sa.Column("retired_at", db.UtcDateTime(), nullable=True),
        sa.Column("org", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signing_keys")),
    )
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_signing_keys_org"), ["org"], unique=False)

    op.create_table(
        "blanket_agreements",
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("currency", sa.String(), nullable=True),
        sa.Column("ceiling", db.TextDecimal(), nullable=True),
        sa.Column("used", db.TextDecimal(), nullable=False),
        sa.Column("released", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("agreed_at", db.UtcDateTime(), nullable=False),
        sa.Column("agreed_by", sa.String(), nullable=False),
        sa.Column("confirmed_at", db.UtcDateTime(), nullable=True),
        sa.Column("confirmed_by", sa.String(), nullable=True),
        sa.Column("buyer", sa.String(), nullable=False),
        sa.Column("seller", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"], ["contracts.id"], name=op.f("fk_blanket_agreements_contract_id_contracts")
        ),
        sa.PrimaryKeyConstraint("contract_id", name=op.f("pk_blanket_agreements")),
    )
    with op.batch_alter_table("blanket_agreements", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_blanket_agreements_buyer"), ["buyer"], unique=False)
        batch_op.create_index(batch_op.f("ix_blanket_agreements_seller"), ["seller"], unique=False)

    op.create_table(
        "contract_template_versions",
        sa.Column("template_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=True),
        sa.ForeignKeyConstraint(
            ["template_id"],
            ["contract_templates.id"],
            name=op.f("fk_contract_template_versions_template_id_contract_templates"),
        ),
        sa.PrimaryKeyConstraint("template_id", "version", name=op.f("pk_contract_template_versions")),
    )
    op.create_table(
        "blanket_lines",
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("unit", sa.String(), nullable=True),
        sa.Column("quantity_ceiling", db.TextDecimal(), nullable=True),
        sa.Column("amount_ceiling", db.TextDecimal(), nullable=True),
        sa.Column("quantity_used", db.TextDecimal(), nullable=False),
        sa.Column("amount_used", db.TextDecimal(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["blanket_agreements.contract_id"],
            name=op.f("fk_blanket_lines_contract_id_blanket_agreements"),
        ),
        sa.PrimaryKeyConstraint("contract_id", "line", name=op.f("pk_blanket_lines")),
    )
    op.create_table(
        "call_offs",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("order_number", sa.String(), nullable=False),
        sa.Column("order_id", sa.String(), nullable=True),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("amount", db.TextDecimal(), nullable=False),
        sa.Column("document", db.Json(), nullable=False),
        sa.Column("buyer", sa.String(), nullable=False),
        sa.Column("seller", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id"],
            ["blanket_agreements.contract_id"],
            name=op.f("fk_call_offs_contract_id_blanket_agreements"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_offs")),
        sa.UniqueConstraint("contract_id", "number", name=op.f("uq_call_offs_contract_id_number")),
    )
    with op.batch_alter_table("call_offs", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_call_offs_buyer"), ["buyer"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_offs_contract_id"), ["contract_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_call_offs_seller"), ["seller"], unique=False)

    op.create_table(
        "contract_bundles",
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("prepared_at", db.UtcDateTime(), nullable=False),
        sa.Column("prepared_by", sa.String(), nullable=True),
        sa.Column("languages", db.Json(), nullable=False),
        sa.Column("json_sha256", sa.String(), nullable=False),
        sa.Column("xml_sha256", sa.String(), nullable=False),
        sa.Column("xml_body_sha256", sa.String(), nullable=False),
        sa.Column("pdf_sha256", sa.String(), nullable=True),
        sa.Column("base_sha256", sa.String(), nullable=True),
        sa.Column("base_length", sa.Integer(), nullable=True),
        sa.Column("chain_length", sa.Integer(), nullable=False),
        sa.Column("chain_head", sa.String(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("buyer", sa.String(), nullable=False),
        sa.Column("seller", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id", "version"],
            ["contract_versions.contract_id", "contract_versions.version"],
            name=op.f("fk_contract_bundles_contract_id_version_contract_versions"),
        ),
        sa.PrimaryKeyConstraint("contract_id", "version", name=op.f("pk_contract_bundles")),
    )
    with op.batch_alter_table("contract_bundles", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_bundles_buyer"), ["buyer"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_bundles_seller"), ["seller"], unique=False)

    op.create_table(
        "contract_signatures",
        sa.Column("contract_id", sa.String(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("party", sa.String(), nullable=False),
        sa.Column("at", db.UtcDateTime(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("user_name", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("is_held", sa.Boolean(), nullable=False),
        sa.Column("head_sha256", sa.String(), nullable=False),
        sa.Column("certificates_sha256", sa.String(), nullable=False),
        sa.Column("buyer", sa.String(), nullable=False),
        sa.Column("seller", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract_id", "version"],
            ["contract_bundles.contract_id", "contract_bundles.version"],
            name=op.f("fk_contract_signatures_contract_id_version_contract_bundles"),
        ),
        sa.PrimaryKeyConstraint("contract_id", "version", "role", name=op.f("pk_contract_signatures")),
    )
    with op.batch_alter_table("contract_signatures", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_contract_signatures_buyer"), ["buyer"], unique=False)
        batch_op.create_index(batch_op.f("ix_contract_signatures_seller"), ["seller"], unique=False)

    with op.batch_alter_table("contract_versions", schema=None) as batch_op:
        batch_op.add_column(sa.Column("templates", db.Json(), server_default="{}", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("contract_versions", schema=None) as batch_op:
        batch_op.drop_column("templates")

    with op.batch_alter_table("contract_signatures", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contract_signatures_seller"))
        batch_op.drop_index(batch_op.f("ix_contract_signatures_buyer"))

    op.drop_table("contract_signatures")
    with op.batch_alter_table("contract_bundles", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contract_bundles_seller"))
        batch_op.drop_index(batch_op.f("ix_contract_bundles_buyer"))

    op.drop_table("contract_bundles")
    with op.batch_alter_table("call_offs", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_call_offs_seller"))
        batch_op.drop_index(batch_op.f("ix_call_offs_contract_id"))
        batch_op.drop_index(batch_op.f("ix_call_offs_buyer"))

    op.drop_table("call_offs")
    op.drop_table("blanket_lines")
    op.drop_table("contract_template_versions")
    with op.batch_alter_table("blanket_agreements", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_blanket_agreements_seller"))
        batch_op.drop_index(batch_op.f("ix_blanket_agreements_buyer"))

    op.drop_table("blanket_agreements")
    with op.batch_alter_table("signing_keys", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_signing_keys_org"))

    op.drop_table("signing_keys")
    with op.batch_alter_table("contract_templates", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_contract_templates_org"))

    op.drop_table("contract_templates")
