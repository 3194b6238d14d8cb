"""Addresses on a platform host."""

from django.urls import URLPattern, URLResolver, include, path

from portal import ops
from portal.admin.addresses import OFFICE
from portal.ui import platform, styleguide
from portal.ui.addresses import EVERYWHERE

urlpatterns: list[URLPattern | URLResolver] = [
    path("health", ops.health, name="health"),
    path("ready", ops.ready, name="ready"),
    path("metrics", ops.gauges, name="metrics"),
    path("tls-ask", ops.tls_ask, name="tls-ask"),
    path("admin/", OFFICE),
    *EVERYWHERE,
    path("", include(([path("", platform.start, name="start")], "platform"))),
    path("styleguide", styleguide.styleguide, name="styleguide"),
    path("styleguide/act", styleguide.act, name="styleguide-act"),
    path("styleguide/item", styleguide.item, name="styleguide-item"),
]
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.failed"
