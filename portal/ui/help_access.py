"""What the pages about people, their rights, tokens and secrets are for."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from portal.ui.help_topic import BOTH, Topic

ACCESS: Final[tuple[Topic, ...]] = (
    Topic(
        title=_("People"),
        text=(
            _(
                "Who is let in, with which role; the table below says what each role may do. Somebody you add gets a"
                " mail with a link that works once."
            ),
            _(
                "A client's people can be let in for parts only: for some workflows, stores or regions. They see the"
                " runs, cases and orders of these, and nothing else is there for them."
            ),
            _(
                "Somebody who lost their phone: “Reset second factors” in their row, after you have proved who you are."
                " Their sessions end, and they set up another."
            ),
        ),
        url="access:people",
        rooms=("access",),
        icon="users",
        hosts=BOTH,
        permission="access.people",
    ),
    Topic(
        title=_("Signing in"),
        text=(
            _(
                "How people come in here: by password, link, passkey or single sign-on, and whether a second factor is"
                " needed. What you change holds at everybody's next click."
            ),
            _(
                "Identity providers speak OpenID Connect or SAML 2.0. Register this portal there first, by the address"
                " on the page; then sign in by it yourself before you turn on “Single sign-on only”."
            ),
        ),
        url="access:rules",
        rooms=(),
        views=("access:rules", "access:provider-add", "access:provider-add-saml", "access:provider"),
        icon="key-round",
        hosts=BOTH,
        permission="access.policy",
    ),
    Topic(
        title=_("Support access"),
        text=(
            _(
                "An engineer of your provider comes in for a reason and a time, under a red banner; both audits say"
                " so. You see who is here, may ask to be asked first, show somebody out, or forbid it."
            ),
            _("Whoever came for support sees no secret, lets nobody in and changes no way of signing in."),
        ),
        url="accounts:support",
        rooms=(),
        views=("accounts:support", "support-enter"),
        icon="shield-alert",
        permission="access.support",
    ),
    Topic(
        title=_("Secrets"),
        text=(
            _(
                "Every key and password that the portal keeps for you, by name: the one address it may go to, the"
                " workflows that use it, when it was last used and when its system ends it. Values cannot be read by"
                " anybody; give a new one on the connection's page."
            ),
        ),
        url="tenancy:secrets",
        rooms=(),
        views=("tenancy:secrets",),
        icon="lock",
        permission="connectors.edit",
    ),
    Topic(
        title=_("Somebody asks for their data"),
        text=(
            _(
                "Find a person by what they are known by, in events, runs, cases, files and the audit log; give out"
                " what was found as a file, or erase it. Ids and amounts stay, so that runs and figures still fit."
            ),
            _(
                "Pictures and PDFs on cases are not looked into, neither to find nor to erase: look at them yourself."
            ),
        ),
        url="privacy:subjects",
        rooms=("privacy",),
        views=("privacy:subjects",),
        icon="users",
        permission="privacy.subjects",
    ),
    Topic(
        title=_("How long data are kept"),
        text=(
            _(
                "Each class of data has a term: your own, your partner's or the platform's. A legal hold keeps data"
                " against every term and every wish to be erased, until it is lifted. Each purge leaves a proof."
            ),
            _(
                "Card numbers in what systems send and in what people write are masked before anything is kept, but for"
                " the last four digits; not so in pictures, PDFs and files that a workflow takes as they are."
            ),
        ),
        url="privacy:retention",
        rooms=(),
        views=("privacy:retention",),
        hosts=BOTH,
        icon="clock",
        permission="privacy.retention",
    ),
    Topic(
        title=_("Roles and duties kept apart"),
        text=(
            _(
                "Beside the roles that are always there you can put together your own, of rights that you hold"
                " yourself. A change holds from the next click of everybody with the role."
            ),
            _(
                "Say which two rights one person must not have together: whoever would get both is refused, and"
                " whoever has both already is listed until you have put it right."
            ),
        ),
        url="access:roles",
        rooms=(),
        views=("access:roles", "access:role-add", "access:role-change", "access:duty-add"),
        icon="shield-check",
        hosts=BOTH,
        permission="access.people",
    ),
    Topic(
        title=_("Access reviews"),
        text=(
            _(
                "A review writes down every person, token and single right there is. Keep each or take it away, which"
                " counts at once; when nothing is left, sign. The file has who had what, and what was said of it."
            ),
            _("“Why somebody may” explains one right of one person: which role gives it, or which would."),
        ),
        url="access:reviews",
        rooms=(),
        views=("access:reviews", "access:review", "access:review-decide", "access:review-sign", "access:why"),
        icon="user-check",
        hosts=BOTH,
        permission="access.review",
    ),
    Topic(
        title=_("API tokens"),
        text=(
            _(
                "Keys for machines. A token is shown once, does no more than it is given, and can be revoked at any"
                " time. The reference of the API is at /api/v1/docs."
            ),
            _(
                "Renew a token before it ends: the new one has the same rights, the old one goes on for as long as you"
                " choose. A token goes with its maker: who may no longer do something, whose token may not either."
            ),
            _(
                "A token is pat_ and 49 letters and digits, the last six a checksum (CRC-32), so that scanners know a"
                " lost one at sight. Send it in the header Authorization alone; an address ends up in logs."
            ),
        ),
        url="access:tokens",
        rooms=(),
        icon="key-round",
        hosts=BOTH,
        permission="access.tokens",
        views=("access:tokens", "access:token-add", "access:token-rotate", "access:token-revoke"),
    ),
)
