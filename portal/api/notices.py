"""What people are told: their notices, how they want to be told, and other systems that are told."""

from typing import Any

from automations.inbox.policy import is_partner_staff
from automations.notices import actions, policy, queries
from automations.notices.enums import URGENCY, About, ChannelKind, Mail
from automations.notices.models import Channel
from automations.notices.policy import Wish
from kernel import clock
from kernel.errors import Conflict, Forbidden
from portal.api import fields
from portal.api.desk import ACCEPTED, CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing

_LEAST = [(one, one) for one in URGENCY]


class NoticeShape(Shape):
    """A line under the bell."""

    id = PublicId("ntc", source="public_id", help_text="Id of the notice.")
    about = fields.one_of(About.choices, "What it is about.")
    title = fields.text("In words.")
    severity = fields.text("How urgent its case is.")
    count = fields.number("How many alike it stands for.")
    at = fields.at("When the newest of them was told.")
    read = fields.yes_or_no("Whether one has seen it.")
    case = fields.text("Id of the newest case; empty where that is gone.", allow_blank=True)


class RuleShape(Shape):
    """How one is told about one thing."""

    about = fields.one_of(About.choices, "What it is about.")
    bell = fields.yes_or_no("Whether one is told under the bell.")
    mail = fields.one_of(Mail.choices, "When a mail comes.")
    least = fields.one_of(_LEAST, "From which urgency on.")


class SetRules(Shape):
    """How one wants to be told."""

    rules = RuleShape(many=True, help_text="What is not named stays as it is.")


class ChannelShape(Shape):
    """A system that is told. Its address is kept sealed and shown to nobody."""

    id = PublicId("chn", source="public_id", help_text="Id of the channel.")
    name = fields.text("Its name.")
    kind = fields.one_of(ChannelKind.choices, "What it speaks.")
    host = fields.text("The host of its address.")
    least = fields.one_of(_LEAST, "From which urgency on it is told.")
    active = fields.yes_or_no("Whether it is told at present.")
    sent_at = fields.perhaps_at("When it took something last.")
    failing_since = fields.perhaps_at("Since when it takes nothing.")
    error = fields.text("Why.", allow_blank=True)


class ChannelMade(ChannelShape):
    """A new channel."""

    secret = fields.text("Signs what a webhook gets; shown this once, empty for others.", allow_blank=True)


class MakeChannel(Shape):
    """A channel to make."""

    name = fields.text("Its name.", max_length=120)
    kind = fields.one_of(ChannelKind.choices, "What it speaks.")
    address = fields.text("https://…", max_length=2_000)
    least = fields.one_of(_LEAST, "From which urgency on.", required=False, default="high")


class SwitchChannel(Shape):
    """Whether it is told."""

    active = fields.yes_or_no("False: it is told nothing for now.")


def _me(call: Call) -> Any:
    if call.actor.user_id is None:
        raise Forbidden("only people are told")
    return call.actor.user_id


class Notices(Desk):
    """One's own notices."""

    rule = rule(get="inbox.read")

    @operation("list_notices", returns=NoticeShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """What one was told here, newest first. For people, not for tokens."""
        found = call.paging.of(queries.notices_of(_me(call)), by="-at")
        return Listing(queries.lines(found.items), found.next, found.previous)


class ReadNotices(Desk):
    """Having seen them."""

    rule = rule(post="inbox.read")

    @operation("read_notices", status=NO_CONTENT, once=True)
    def post(self, call: Call) -> None:
        """One has seen everything."""
        actions.mark_read(user_id=_me(call), keys=None, now=clock.now())


class Rules(Desk):
    """How one is told."""

    rule = rule(get="inbox.read", put="inbox.read")

    @operation("get_notice_rules", returns=RuleShape, many=True)
    def get(self, call: Call) -> Listing:
        """How one is told about each thing. For people, not for tokens."""
        return Listing(list(_wishes(call).values()))

    @operation("set_notice_rules", takes=SetRules, returns=RuleShape, many=True, once=True)
    def put(self, call: Call) -> Listing:
        """Say how one wants to be told."""
        _me(call)
        wanted = {
            About(one["about"]): Wish(About(one["about"]), one["bell"], Mail(one["mail"]), one["least"])
            for one in call.body["rules"]
        }
        if wanted:
            actions.set_rules(wishes=wanted, actor=call.actor, now=clock.now())
        return Listing(list(_wishes(call).values()))


def _wishes(call: Call) -> dict[About, Wish]:
    given = queries.rules_of(_me(call))
    decides = call.actor.may("inbox.decide") and not is_partner_staff(call.actor)
    return {about: policy.wish(given.get(about), about, decides=decides) for about in About}


class Channels(Desk):
    """Systems that are told."""

    rule = rule(get="settings.edit", post="settings.edit")

    @operation("list_channels", returns=ChannelShape, many=True)
    def get(self, call: Call) -> Listing:
        """Every channel, by name."""
        return Listing(list(queries.channels()))

    @operation(
        "create_channel",
        takes=MakeChannel,
        returns=ChannelMade,
        status=CREATED,
        once=True,
        raises=(Conflict,),
        example={"name": "Store operations", "kind": "slack", "address": "https://hooks.example.com/T0"},
    )
    def post(self, call: Call) -> Channel:
        """Tell another system. The secret of a webhook is in this answer and nowhere else."""
        made, secret = actions.create_channel(**call.body, actor=call.actor, now=clock.now())
        made.secret = secret  # the text for this one answer, in place of what is sealed
        return made


class OneChannel(Desk):
    """One of them."""

    rule = rule(get="settings.edit", patch="settings.edit", delete="settings.edit")

    @operation("get_channel", returns=ChannelShape)
    def get(self, call: Call, channel: str) -> Channel:
        """How it does."""
        return queries.channel(key_of("chn", channel))

    @operation("switch_channel", takes=SwitchChannel, returns=ChannelShape, once=True)
    def patch(self, call: Call, channel: str) -> Channel:
        """Tell it nothing for a while, or again."""
        row = queries.channel(key_of("chn", channel))
        return actions.set_channel_active(channel=row, **call.body, actor=call.actor, now=clock.now())

    @operation("delete_channel", status=NO_CONTENT, once=True)
    def delete(self, call: Call, channel: str) -> None:
        """Forget it with its address; what has not gone out does not go."""
        row = queries.channel(key_of("chn", channel))
        actions.delete_channel(channel=row, actor=call.actor, now=clock.now())


class TryChannel(Desk):
    """A trial."""

    rule = rule(post="settings.edit")

    @operation("try_channel", returns=ChannelShape, status=ACCEPTED, once=True)
    def post(self, call: Call, channel: str) -> Channel:
        """Send it a message that says it is a trial; look at the channel a moment later for how that went."""
        row = queries.channel(key_of("chn", channel))
        actions.try_channel(channel=row, actor=call.actor, now=clock.now())
        return row
