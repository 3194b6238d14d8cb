"""`manage.py publish_templates`: publish every template of the catalogue that is not published yet."""

from typing import Any

from django.core.management.base import BaseCommand

from kernel import clock
from kernel.actor import system
from templates_lib.actions.publishing import publish_catalog


class Command(BaseCommand):
    """A version that is published is left as it is; other content under its number is an error."""

    help = "Publish the templates that the portal brings along."

    def handle(self, *_: Any, **__: Any) -> None:
        """Publish and name them."""
        for version in publish_catalog(actor=system("library"), now=clock.now()):
            self.stdout.write(f"{version} {version.digest[:12]}")
