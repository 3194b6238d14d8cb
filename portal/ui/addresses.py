"""Addresses that every kind of host has, and those that consoles and tenants share."""

from typing import Final

from django.urls import URLPattern, URLResolver, include, path

from portal.ui import (
    access,
    audit,
    audit_proof,
    audit_streams,
    brand_files,
    first_steps,
    help_errors,
    help_pages,
    install,
    installations,
    invitations,
    lost_factors,
    profile,
    protection,
    reviews,
    roles,
    scope,
    search,
    sessions,
    sign_in_rules,
    sign_on,
    signing_in,
    support,
    templates,
    tokens,
    work,
)

HELP: Final = [
    path("", help_pages.start, name="start"),
    path("cases/", help_pages.cases, name="cases"),
    path("errors/", help_errors.errors, name="errors"),
    path("runbooks/", help_pages.runbooks, name="runbooks"),
    path("figures/", help_pages.figures, name="figures"),
    path("keys/", help_pages.keys, name="keys"),
]

PROTECTION: Final = [
    path("", protection.protection, name="protection"),
    path("app", protection.add_app, name="protection-app"),
    path("codes", protection.renew_codes, name="protection-codes"),
    path("passkey", protection.add_passkey, name="protection-passkey"),
    path("passkey/ask", protection.ask_new_passkey, name="protection-passkey-ask"),
    path("<str:factor>/remove", protection.remove, name="protection-remove"),
]

EVERYWHERE: Final[list[URLPattern | URLResolver]] = [
    path("sign-in", sessions.sign_in, name="sign-in"),
    path("sign-in/factor", signing_in.factor, name="sign-in-factor"),
    path("sign-in/passkey", signing_in.passkey, name="sign-in-passkey"),
    path("sign-in/passkey/ask", signing_in.ask_passkey, name="sign-in-passkey-ask"),
    path("sign-in/on/back", sign_on.back, name="sign-on-back"),
    path("sign-in/saml", sign_on.saml_answer, name="saml-answer"),
    path("sign-in/saml/metadata", sign_on.saml_metadata, name="saml-metadata"),
    path("sign-in/on/<str:provider>", sign_on.start, name="sign-on"),
    path("sign-in/link", signing_in.link, name="sign-in-link"),
    path("sign-in/link/<str:link>", signing_in.by_link, name="by-link"),
    path("sign-out", sessions.sign_out, name="sign-out"),
    path("enter", sessions.enter, name="enter"),
    path("invitation/<str:link>", invitations.accept, name="invitation"),
    path("go/<str:place>", sessions.go, name="go"),
    path("places/", sessions.places, name="places"),
    path("language", sessions.language, name="language"),
    path("profile", profile.profile, name="profile"),
    path("profile/password", profile.password, name="profile-password"),
    path("profile/theme", profile.theme, name="profile-theme"),
    path("first-steps/away", first_steps.put_away, name="first-steps-away"),
    path("support/enter/<str:place>", support.enter, name="support-enter"),
    path("support/leave", support.leave, name="support-leave"),
    path("profile/protection/", include(PROTECTION)),
    path("profile/confirm", protection.confirm, name="confirm"),
    path("profile/sessions/", protection.sessions, name="sessions"),
    path("profile/sessions/others", protection.end_others, name="sessions-others"),
    path("profile/sessions/<str:visit>/end", protection.end_session, name="session-end"),
    path("search/", search.search, name="search"),
    path("help/", include((HELP, "help"))),
    path("brand/<slug:slug>.<slug:version>.css", brand_files.css, name="brand-css"),
    path("brand/<slug:slug>.<slug:version>.svg", brand_files.mark, name="brand-mark"),
    path("brand/<slug:slug>.<slug:version>.png", brand_files.logo, name="brand-logo"),
    path("brand/<slug:slug>.<slug:version>.ico", brand_files.favicon, name="brand-favicon"),
]

PEOPLE: Final = [
    path("people/", access.people, name="people"),
    path("people/add", access.add_person, name="add"),
    path("people/<str:member>/role", access.set_role, name="role"),
    path("people/<str:member>/scope", scope.scope, name="scope"),
    path("people/<str:member>/invite", invitations.invite_again, name="invite"),
    path("people/<str:member>/factors", lost_factors.reset, name="factors"),
    path("people/<str:member>/remove", access.remove_person, name="remove"),
    path("roles/", roles.roles, name="roles"),
    path("roles/new", roles.add, name="role-add"),
    path("roles/<str:own_role>/", roles.change, name="role-change"),
    path("roles/<str:own_role>/remove", roles.remove, name="role-remove"),
    path("duties/new", roles.forbid, name="duty-add"),
    path("duties/<str:duty>/remove", roles.allow, name="duty-remove"),
    path("why/", reviews.why, name="why"),
    path("reviews/", reviews.reviews, name="reviews"),
    path("reviews/<str:review>/", reviews.review, name="review"),
    path("reviews/<str:review>/rows.csv", reviews.rows_csv, name="review-csv"),
    path("reviews/<str:review>/sign", reviews.sign, name="review-sign"),
    path("reviews/<str:review>/<str:item>/<slug:verdict>", reviews.decide, name="review-decide"),
    path("signing-in/", sign_in_rules.rules, name="rules"),
    path("signing-in/providers/new", sign_in_rules.add, name="provider-add"),
    path("signing-in/providers/new/saml", sign_in_rules.add_saml, name="provider-add-saml"),
    path("signing-in/providers/<str:provider>", sign_in_rules.change, name="provider"),
    path("signing-in/providers/<str:provider>/remove", sign_in_rules.remove, name="provider-remove"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/new", tokens.make_token, name="token-add"),
    path("tokens/<str:token>/rotate", tokens.rotate_token, name="token-rotate"),
    path("tokens/<str:token>/revoke", tokens.revoke_token, name="token-revoke"),
]

TENANT_SUPPORT: Final = [
    path("", support.of_tenant, name="support"),
    path("<str:support_access>/<slug:verdict>", support.decide, name="support-decide"),
]
PARTNER_SUPPORT: Final = [path("", support.of_partner, name="support")]

AUDIT: Final = [
    path("", audit.trail, name="trail"),
    path("export", audit_proof.export, name="export"),
    path("proof/", audit_proof.proof, name="proof"),
    path("proof/verify.py", audit_proof.verifier, name="verifier"),
    path("proof/keys.txt", audit_proof.keys, name="keys"),
    path("proof/checkpoint.txt", audit_proof.checkpoint, name="checkpoint"),
    path("streams/", audit_streams.streams, name="streams"),
    path("streams/new", audit_streams.add, name="stream-add"),
    path("streams/<str:stream>/switch", audit_streams.switch, name="stream-switch"),
    path("streams/<str:stream>/remove", audit_streams.remove, name="stream-remove"),
    path("<str:entry>/erase", audit_proof.erase, name="erase"),
]

WORK: Final = [
    path("", work.works, name="list"),
    path("<str:work_id>/", work.one, name="one"),
    path("<str:work_id>/<slug:how>", work.steer, name="steer"),
]

CONSOLE_AND_TENANT: Final[list[URLPattern | URLResolver]] = [
    path("", sessions.start, name="start"),
    path("", include((PEOPLE, "access"))),
    path("audit/", include((AUDIT, "audit"))),
    path("work/", include((WORK, "work"))),
]

_INSTALLATION: Final[list[URLPattern | URLResolver]] = [
    path("", installations.one, name="one"),
    path("state/<slug:state>", installations.set_state, name="state"),
    path("settings/", installations.settings, name="settings"),
    path("upgrade/", installations.upgrade, name="upgrade"),
    path("uninstall", installations.uninstall, name="uninstall"),
]
TENANT_TEMPLATES: Final[list[URLPattern | URLResolver]] = [
    path("", installations.installed, name="installed"),
    path("library/", templates.library, name="library"),
    path("library/<slug:slug>/", templates.detail, name="detail"),
    path("library/<slug:slug>/install/", install.choose, name="install-start"),
    path("library/<slug:slug>/install/<slug:step>/", install.install, name="install"),
    path("<str:installation>/", include(_INSTALLATION)),
]
PARTNER_TEMPLATES: Final[list[URLPattern | URLResolver]] = [
    path("", templates.library, name="library"),
    path("installed/", installations.installed, name="installed"),
    path("installed/<str:tenant>/<str:installation>/", include(_INSTALLATION)),
    path("<slug:slug>/", templates.detail, name="detail"),
    path("<slug:slug>/install/", install.choose, name="install-start"),
    path("<slug:slug>/install/<str:tenant>/<slug:step>/", install.install, name="install"),
]
