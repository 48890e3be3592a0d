"""The history of the tables, one Alembic revision after another.

``python -m tradehub.platform.migrations "what it does"`` writes the next one.
"""
