"""What the tenancy room does in SQL: schemas, the roles that guard them, and what a role may do in shared tables."""

from tenants.tenancy.store.rights import rights, share, unguarded, unnamed
from tenants.tenancy.store.roles import drop_role, guard
from tenants.tenancy.store.schemas import (
    TEMPLATE_SCHEMA,
    SchemaImageFailed,
    create_schema,
    drop_schema,
    make_image,
    migrate_schema,
    over_schemas,
    revision,
)

__all__ = [
    "TEMPLATE_SCHEMA",
    "SchemaImageFailed",
    "create_schema",
    "drop_role",
    "drop_schema",
    "guard",
    "make_image",
    "migrate_schema",
    "over_schemas",
    "revision",
    "rights",
    "share",
    "unguarded",
    "unnamed",
]
