"""Django as a WSGI application; the web server runs it behind `asgi.py`."""

import os

from django.core.wsgi import get_wsgi_application

from portal.env import SERVING

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
os.environ[SERVING] = "1"
application = get_wsgi_application()
