"""Addresses on a partner host."""

from django.urls import URLPattern, URLResolver

urlpatterns: list[URLPattern | URLResolver] = []
handler404 = "portal.ui.errors.not_found"
handler500 = "portal.ui.errors.failed"
