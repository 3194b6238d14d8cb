"""Addresses on a partner host."""

from django.urls import URLPattern, URLResolver, include, path

from portal.api.addresses import PARTNER, SCIM
from portal.api.reference import REFERENCE
from portal.ui import branding, domains, files, fleet, leaving, new_client, standing, tenancy
from portal.ui.addresses import CONSOLE_AND_TENANT, EVERYWHERE, PARTNER_SUPPORT, PARTNER_TEMPLATES
from portal.ui.privacy_addresses import AT_PARTNER
from portal.ui.usage_addresses import PARTNER_USAGE

CLIENTS = [
    path("", fleet.fleet, name="fleet"),
    path("new/", new_client.new_client, name="new-start"),
    path("new/<slug:step>/", new_client.new_client, name="new"),
    path("pause/<slug:state>", standing.everybody, name="pause-all"),
    path("deleted/", leaving.deleted, name="deleted"),
    path("deleted/<str:deletion>/certificate", leaving.certificate, name="certificate"),
    path("<str:tenant>/", tenancy.detail, name="detail"),
    path("<str:tenant>/pause/<slug:state>", standing.client, name="pause"),
    path("<str:tenant>/delete", leaving.delete, name="delete"),
    path("<str:tenant>/keep", leaving.keep, name="keep"),
    path("<str:tenant>/files/", files.files, name="files"),
    path("<str:tenant>/files/make", files.make, name="file-make"),
    path("<str:tenant>/files/<str:tenant_file>/download", files.download, name="file-download"),
    path("<str:tenant>/files/<str:tenant_file>/remove", files.remove, name="file-remove"),
    path("<str:tenant>/files/<str:tenant_file>/restore", files.restore, name="file-restore"),
    path("<str:tenant>/restores/<str:restore>/", files.compared, name="restore"),
    path("<str:tenant>/restores/<str:restore>/<slug:how>", files.settle, name="settle"),
    path("<str:tenant>/sandbox", files.sandbox, name="sandbox"),
    path("<str:tenant>/setup/", tenancy.progress, name="progress"),
    path("<str:tenant>/state/<slug:state>", tenancy.set_state, name="state"),
]
BRANDING = [
    path("", branding.editor, name="editor"),
    path("logo", branding.logo, name="logo"),
    path("favicon", branding.favicon, name="favicon"),
    path("discard", branding.discard, name="discard"),
    path("domains/", domains.domains, name="domains"),
    path("domains/<str:domain>/check", domains.check, name="domain-check"),
    path("domains/<str:domain>/first", domains.first, name="domain-first"),
    path("domains/<str:domain>/release", domains.release, name="domain-release"),
    path("versions/<int:number>/back", branding.back, name="back"),
    path("readability", branding.readability, name="readability"),
    path("preview-<slug:colour>.css", branding.preview_css, name="preview-css"),
]

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/scim/v2/", include((SCIM, "scim"))),
    path("api/v1/", include(([*PARTNER, *REFERENCE], "api"))),
    *EVERYWHERE,
    *CONSOLE_AND_TENANT,
    path("support/", include((PARTNER_SUPPORT, "accounts"))),
    path("clients/", include((CLIENTS, "tenancy"))),
    path("settings/", include((AT_PARTNER, "privacy"))),
    path("branding/", include((BRANDING, "branding"))),
    path("templates/", include((PARTNER_TEMPLATES, "templates"))),
    path("usage/", include((PARTNER_USAGE, "billing"))),
]
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.failed"
