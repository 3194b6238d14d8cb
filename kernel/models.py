"""What every table has in common: a time-ordered key that tells nothing about how many rows there are."""

from typing import ClassVar

from django.db import models

from kernel import ids


class Row(models.Model):
    """A row keyed by UUIDv7; `prefix` names its kind in public ids."""

    prefix: ClassVar[str] = ""

    id = models.UUIDField(primary_key=True, default=ids.uuid7, editable=False)

    class Meta:
        abstract = True

    @property
    def public_id(self) -> str:
        """The id that people and the API see."""
        return ids.public_id(self.prefix, self.id)
