"""What the tenancy room does in SQL: schemas, the roles that guard them, and what a role may do in shared tables."""

from tenants.tenancy.store import carrying
from tenants.tenancy.store.fleet import LOCK_SECONDS, Script, apply, close, script_for
from tenants.tenancy.store.leaving import clear_shared, left_in_shared, rows_in
from tenants.tenancy.store.packing import Packer, Unpacker
from tenants.tenancy.store.rights import rights, share, unguarded, unnamed
from tenants.tenancy.store.roles import drop_role, guard
from tenants.tenancy.store.schemas import (
    TEMPLATE_SCHEMA,
    SchemaImageFailed,
    create_schema,
    drop_schema,
    make_image,
    migrate_schema,
    migrations,
    over_schemas,
    revision,
    revision_of,
)

__all__ = [
    "LOCK_SECONDS",
    "TEMPLATE_SCHEMA",
    "Packer",
    "SchemaImageFailed",
    "Script",
    "Unpacker",
    "apply",
    "carrying",
    "clear_shared",
    "close",
    "create_schema",
    "drop_role",
    "drop_schema",
    "guard",
    "left_in_shared",
    "make_image",
    "migrate_schema",
    "migrations",
    "over_schemas",
    "revision",
    "revision_of",
    "rights",
    "rows_in",
    "script_for",
    "share",
    "unguarded",
    "unnamed",
]
