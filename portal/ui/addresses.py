"""Addresses that every kind of host has, and those that consoles and tenants share."""

from typing import Final

from django.urls import URLPattern, URLResolver, include, path

from portal.ui import access, audit, brand_files, profile, search, sessions

EVERYWHERE: Final[list[URLPattern | URLResolver]] = [
    path("sign-in", sessions.sign_in, name="sign-in"),
    path("sign-out", sessions.sign_out, name="sign-out"),
    path("enter", sessions.enter, name="enter"),
    path("go/<str:place>", sessions.go, name="go"),
    path("places/", sessions.places, name="places"),
    path("language", sessions.language, name="language"),
    path("profile", profile.profile, name="profile"),
    path("profile/password", profile.password, name="profile-password"),
    path("profile/theme", profile.theme, name="profile-theme"),
    path("search/", search.search, name="search"),
    path("brand/<slug:slug>.<slug:version>.css", brand_files.css, name="brand-css"),
    path("brand/<slug:slug>.<slug:version>.svg", brand_files.mark, name="brand-mark"),
    path("brand/<slug:slug>.<slug:version>.png", brand_files.logo, name="brand-logo"),
]

PEOPLE: Final = [
    path("people/", access.people, name="people"),
    path("people/add", access.add_person, name="add"),
    path("people/<str:member>/role", access.set_role, name="role"),
    path("people/<str:member>/remove", access.remove_person, name="remove"),
    path("tokens/", access.tokens, name="tokens"),
    path("tokens/new", access.make_token, name="token-add"),
    path("tokens/<str:token>/revoke", access.revoke_token, name="token-revoke"),
]

CONSOLE_AND_TENANT: Final[list[URLPattern | URLResolver]] = [
    path("", sessions.start, name="start"),
    path("", include((PEOPLE, "access"))),
    path("", include(([path("audit/", audit.trail, name="trail")], "audit"))),
]
