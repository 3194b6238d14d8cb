"""What each page is for, in a few sentences: the help's own text."""

from typing import Final

from django.utils.translation import gettext_lazy as _

from portal.ui.help_access import ACCESS
from portal.ui.help_topic import ALL, BOTH, PARTNER, Topic
from portal.ui.help_topics_more import MORE

TOPICS: Final[tuple[Topic, ...]] = (
    *MORE,
    Topic(
        title=_("Notifications"),
        text=(
            _(
                "What you were told, newest first; cases of one cause are one line. Under “What and how” you choose"
                " for yourself what you are told, from which urgency on, and whether a mail comes soon or daily."
            ),
            _(
                "A mail about a single case may hold a link that answers it: you sign in, see the case and confirm."
                " It works once, for you alone, and opening it decides nothing."
            ),
        ),
        url="notices:list",
        rooms=("notices",),
        icon="bell",
        permission="inbox.read",
        views=("list", "read", "rules", "answer", "open"),
    ),
    Topic(
        title=_("Store tasks"),
        text=(
            _(
                "Small things that workflows ask a store for: count a shelf, confirm a delivery, photograph a return."
                " Open one, answer, done; where the browser can, a code is read by the camera."
            ),
            _(
                "Without a network the pages stay at hand and answers wait on the phone; each is sent once when the"
                " network is back. Signing out takes them off the phone."
            ),
        ),
        url="store:tasks",
        rooms=("store",),
        icon="store",
        permission="tasks.do",
    ),
    Topic(
        title=_("Channels"),
        text=(
            _(
                "Other systems that are told when a case opens: a webhook of yours, signed, or a room in Slack or"
                " Teams. They are told its number, title and urgency and a link, never what is in it."
            ),
            _(
                "A message that is not taken is sent again with longer and longer pauses for a day and a half; its"
                " key stays the same, so that a receiver can tell that it had it."
            ),
        ),
        url="notices:channels",
        rooms=("notices",),
        icon="megaphone",
        permission="settings.edit",
        views=(
            "channels",
            "channel-add",
            "channel",
            "channel-trial",
            "channel-switch",
            "channel-remove",
        ),
    ),
    Topic(
        title=_("Domains"),
        text=(
            _(
                "Put the text record into your zone, then the alias. The portal looks for the record by itself each"
                " ten minutes, and once it is there serves your name."
            ),
            _(
                "A record that is gone for three days takes the name off the portal. A name that you give back can be"
                " claimed by nobody else for 30 days."
            ),
        ),
        url="branding:domains",
        rooms=("branding",),
        icon="globe",
        hosts=PARTNER,
        permission="branding.edit",
        views=("domains", "domain-check", "domain-first", "domain-release"),
    ),
    Topic(
        title=_("Clients"),
        text=(
            _(
                "Every client of yours in one table, what is wrong first. A client needs attention when its setup"
                " failed, a workflow or connection fails, or an exception is past its due time."
            ),
            _(
                "Its name opens the client's page; the button behind it opens the client's own portal, signed in."
            ),
        ),
        url="tenancy:fleet",
        rooms=("tenancy",),
        icon="building-2",
        hosts=PARTNER,
        permission="tenancy.read",
    ),
    Topic(
        title=_("New client"),
        text=(
            _(
                "Five steps; what you type is kept while you move between them. At the end the client gets a database"
                " schema, keys and an address of its own in a few seconds, and you watch it being made."
            ),
            _(
                "If a step of the setup fails it is tried again by itself; after five tries nothing half-made is left."
            ),
        ),
        url="tenancy:new-start",
        rooms=(),
        icon="plus",
        hosts=PARTNER,
        permission="tenancy.provision",
        views=("tenancy:new", "tenancy:new-start", "tenancy:progress"),
    ),
    Topic(
        title=_("Template library"),
        text=(
            _(
                "A template is an automation that is ready to run: a workflow, its settings, its tests and a runbook."
                " A published version never changes; what is installed stays at its version until somebody changes it."
            ),
            _(
                "Installing asks for the settings and connections, then shows what the template would have done with"
                " the client's last events. That dry run sends nothing."
            ),
        ),
        url="templates:library",
        rooms=("templates",),
        icon="blocks",
        hosts=BOTH,
        permission="templates.read",
    ),
    Topic(
        title=_("Overview"),
        text=(
            _(
                "How the day goes: key figures with their course, what needs attention, how each workflow does."
            ),
            _("Each figure opens the very rows that it counts; its formula stands under Key figures."),
        ),
        url="insights:overview",
        rooms=("insights",),
        icon="layout-dashboard",
        permission="insights.read",
    ),
    Topic(
        title=_("Exceptions"),
        text=(
            _(
                "What a workflow cannot decide by itself. Each exception says what happened, what is at stake, until"
                " when it is due, and what usually helps."
            ),
            _(
                "Decide, and the run goes on from the step that failed: nothing before it is done again. Whatever is"
                " decided stands in the audit log with its reason."
            ),
            _(
                "What goes out to a run waits eight seconds, in which Z takes it back. It is carried out even if you"
                " close the page. Five and more failures of one cause are one row, with a button that sends all of"
                " them on."
            ),
            _(
                "Above an amount that the settings say, whoever corrects, skips, enters a result or approves asks a"
                " second person. Time never agrees for anybody."
            ),
        ),
        url="inbox:list",
        rooms=("inbox",),
        icon="inbox",
        permission="inbox.read",
    ),
    Topic(
        title=_("Runs"),
        text=(
            _("One run is one order (or whatever started it) on its way through a workflow, step by step."),
            _(
                "A run that waits for an event or a time is well; one that needs review waits for a person. A failed"
                " step can be tried again, alone or with corrected data."
            ),
        ),
        url="runs:list",
        rooms=("runs", "engine"),
        icon="activity",
        permission="engine.read",
    ),
    Topic(
        title=_("Workflows"),
        text=(
            _(
                "What is at work here. A paused workflow stands still and goes on where it stood; one that is switched"
                " off starts nothing new."
                " Settings hold from the next step of every run on."
            ),
        ),
        url="workflows:list",
        rooms=("workflows",),
        icon="workflow",
        permission="engine.read",
    ),
    Topic(
        title=_("Decision tables"),
        text=(
            _(
                "A table holds rules that people keep and workflows ask: the first that fits, or all that fit, give the"
                " answer, and each answer says which rule it was."
            ),
            _(
                "A version is published with tests that pass, from now on or from a time to come; until then it can be"
                " taken back. What was decided stays decided by the version of its time."
            ),
        ),
        url="tables:list",
        rooms=("tables",),
        icon="table-2",
        permission="engine.read",
    ),
    Topic(
        title=_("Events"),
        text=(
            _("Everything that came in or was told, as it was sent, with what became of it."),
            _("What broke its contract is set aside with the reason; mend the sender, then let it in again."),
        ),
        url="events:explorer",
        rooms=("events",),
        icon="search",
        permission="events.read",
    ),
    Topic(
        title=_("Orders"),
        text=(
            _(
                "One order from its placing to its delivery: events, runs, exceptions and decisions in one line."
            ),
        ),
        url="orders:list",
        rooms=("orders",),
        icon="package",
        permission="insights.read",
    ),
    Topic(
        title=_("Connections"),
        text=(
            _(
                "How the portal reaches the other systems. A secret is kept encrypted: it can be replaced and used,"
                " never read. “Test” asks the system a harmless question."
            ),
        ),
        url="connections:list",
        rooms=("connections", "connectors"),
        icon="plug",
        permission="connectors.read",
    ),
    Topic(
        title=_("Plan and usage"),
        text=(
            _(
                "What the plan includes and what of it is used: runs, events and exceptions, metered day by day."
            ),
        ),
        url="billing:plan",
        rooms=("billing",),
        icon="receipt",
        permission="billing.read",
    ),
    *ACCESS,
    Topic(
        title=_("Branding"),
        text=(
            _(
                "Your name, logo and colour on every page of every client. One colour is enough: all others are worked"
                " out from it so that text stays readable."
            ),
        ),
        url="branding:editor",
        rooms=("branding",),
        icon="palette",
        hosts=PARTNER,
        permission="branding.edit",
    ),
    Topic(
        title=_("Audit log"),
        text=(
            _("Who did what, when and from where, with the values before and after. Nobody can change it."),
        ),
        url="audit:trail",
        rooms=("audit",),
        icon="scroll-text",
        hosts=BOTH,
        permission="audit.read",
    ),
    Topic(
        title=_("Profile and settings"),
        text=(
            _(
                "Your name, language, time zone, lighting and density, your password, and whether letters are keys."
            ),
        ),
        url="profile",
        rooms=("profile", "accounts"),
        icon="user-round",
        hosts=ALL,
    ),
)
