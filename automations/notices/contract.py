"""What channels get: one JSON object a message, in the form that each kind of receiver takes."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from automations.notices.enums import ChannelKind

Json = Any


def words(body: Mapping[str, Json], place: str) -> str:
    """A message in one sentence."""
    if body.get("trial"):
        return _("This is a trial message from %(place)s.") % {"place": place}
    text = f"{body['code']}: {body['title']}"
    more = int(body.get("count", 1)) - 1
    if more:
        text += " " + ngettext("(and %(n)d more like it)", "(and %(n)d more like it)", more) % {"n": more}
    return f"{place} · {text}"


def payload(kind: ChannelKind, body: Mapping[str, Json], place: str, link: str) -> Json:
    """`body` as `kind` takes it: our own object, Slack's text with a link, or a card for Teams."""
    text = words(body, place)
    if kind == ChannelKind.SLACK:
        return {"text": f"{_slack(text)} <{link}|{_slack(_('Open it'))}>"}
    if kind == ChannelKind.TEAMS:
        return {"type": "message", "attachments": [_card(text, link)]}
    told = {name: body[name] for name in ("code", "case", "title", "severity", "count") if name in body}
    return {
        "type": "notice.trial" if body.get("trial") else "notice.case_opened",
        "timestamp": body["at"],
        "data": {**told, "place": place, "text": text, "url": link},
    }


def _slack(text: str) -> str:
    """The three characters that mean something to Slack, so that a title mentions and links nobody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _card(text: str, link: str) -> Json:
    return {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "content": {
            "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
            "type": "AdaptiveCard",
            "version": "1.4",
            # plain runs of text: a text block would read a title as Markdown
            "body": [{"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text}]}],
            "actions": [{"type": "Action.OpenUrl", "title": _("Open it"), "url": link}],
        },
    }
