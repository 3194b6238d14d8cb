"""Installation: the name that every sealed secret is bound to. The data keys stand beside their tenants."""

from django.db import models


class Installation(models.Model):
    """One row, made with the database: which installation this is."""

    id = models.UUIDField(primary_key=True)
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.id)
