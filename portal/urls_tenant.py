"""Addresses on a tenant host."""

from django.urls import URLPattern, URLResolver, include, path

from portal import hooks
from portal.api.addresses import SCIM, TENANT
from portal.api.reference import REFERENCE
from portal.ui.addresses import CONSOLE_AND_TENANT, EVERYWHERE, TENANT_SUPPORT, TENANT_TEMPLATES
from portal.ui.tenant_addresses import PAGES
from portal.ui.usage_addresses import TENANT_USAGE
from portal.ui.work_addresses import WORK

urlpatterns: list[URLPattern | URLResolver] = [
    path("hooks/<str:token>", hooks.receive, name="hooks"),
    path("api/scim/v2/", include((SCIM, "scim"))),
    path("api/v1/", include(([*TENANT, *REFERENCE], "api"))),
    *EVERYWHERE,
    *CONSOLE_AND_TENANT,
    path("support/", include((TENANT_SUPPORT, "accounts"))),
    *PAGES,
    path("templates/", include((TENANT_TEMPLATES, "templates"))),
    path("usage/", include((TENANT_USAGE, "billing"))),
    *WORK,
]
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.failed"
