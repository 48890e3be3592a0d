"""What Alembic runs: the revisions, on the connection that ``tradehub.platform.schema`` hands over."""

from alembic import context

from tradehub.platform.schema import context_options

context.configure(connection=context.config.attributes["connection"], **context_options())
with context.begin_transaction():
    context.run_migrations()
