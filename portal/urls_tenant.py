"""Addresses on a tenant host."""

from django.urls import URLPattern, URLResolver, path

from portal import hooks

urlpatterns: list[URLPattern | URLResolver] = [path("hooks/<str:token>", hooks.receive, name="hooks")]
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.failed"
