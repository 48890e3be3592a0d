"""The application for a WSGI server: ``gunicorn -k gthread wsgi:app``, ``granian --interface wsgi wsgi:app``."""

from tradehub.hub import Hub
from tradehub.platform.settings import Settings
from tradehub.web import create_app

app = create_app(Hub(Settings()))
