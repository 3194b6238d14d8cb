"""The small pieces of every page as template tags: icons, badges, ids, times, amounts, bars."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import template
from django.forms import BaseForm
from django.template.context import Context
from django.templatetags.static import static
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

from kernel import clock, jsonx
from kernel.money import Money
from portal.ui.kit import charts, forms, words
from portal.ui.kit.acts import act
from portal.ui.kit.status import Look, look

register = template.Library()
_FORMS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "minute": words.moment,
    "exact": words.exact,
    "day": words.date_label,
    "time": words.time_of_day,
}


def _nothing(said: str = words.NONE) -> SafeString:
    return format_html('<span class="none">{}</span>', said)


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """`{% icon "inbox" %}`: an icon of the sprite, for the eye alone; the word stands beside it."""
    return format_html(
        '<svg class="i{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        f" {css}" if css else "",
        static("icons.svg"),
        name,
    )


@register.simple_tag
def status(state: object, word: str = "") -> SafeString:
    """`{% status run.state %}`: colour, icon and word of a state; `word` says it in other words."""
    seen = look(state)
    return format_html(
        '<span class="badge t-{}{}">{}{}</span>',
        seen.tone,
        " live" if seen.live else "",
        icon(seen.icon),
        word or seen.word,
    )


@register.simple_tag
def badge(word: str, tone: str = "wait") -> SafeString:
    """`{% badge "12 open" %}`: a word in a pill that claims no state, so it needs no icon."""
    return format_html('<span class="badge plain t-{}">{}</span>', tone, word)


@register.simple_tag
def copy_id(value: object, label: str = "") -> SafeString:
    """`{% copy_id run.public_id %}`: an id in monospace that a click copies."""
    return format_html(
        '<button type="button" class="copyid" data-copy="{}" title="{}"><span>{}</span>{}'
        '<span class="sr">{}</span></button>',
        value,
        value,
        label or value,
        icon("copy"),
        _("Copy"),
    )


@register.simple_tag(takes_context=True)
def ago(context: Context, at: datetime | None, empty: str = words.NONE) -> SafeString:
    """`{% ago run.started_at %}`: how long since (or until), the exact instant in its title."""
    if at is None:
        return _nothing(empty)
    own_clock = context.get("clock")  # a sandbox on its own clock: the browser's clock is no help there
    return format_html(
        '<time datetime="{}" title="{}"{}>{}</time>',
        clock.rfc3339(at),
        words.exact(at),
        "" if own_clock else mark_safe(" data-rel"),
        words.ago(at, own_clock or clock.now()),
    )


@register.simple_tag
def moment(at: datetime | None, form: str = "minute") -> SafeString:
    """`{% moment event.at "exact" %}`: an instant as date and time (`minute`, `exact`, `day` or `time`)."""
    if at is None:
        return _nothing()
    shown = _FORMS[form](at)
    return format_html('<time datetime="{}" title="{}">{}</time>', clock.rfc3339(at), words.exact(at), shown)


@register.simple_tag
def duration(span: timedelta | float | None) -> SafeString:
    """`{% duration step.took %}`: a span for people, its seconds in the title."""
    if span is None:
        return _nothing()
    seconds = span.total_seconds() if isinstance(span, timedelta) else float(span)
    return format_html(
        '<span class="nowrap" title="{} s">{}</span>', words.number(seconds), words.duration(span)
    )


@register.simple_tag
def money(amount: Money | int | None, currency: str = "") -> SafeString:
    """`{% money case.value %}` or `{% money minor "EUR" %}`: an amount with its currency."""
    value = Money(amount, currency) if isinstance(amount, int) else amount
    return format_html('<span class="money nowrap">{}</span>', words.amount(value))


@register.simple_tag
def delta(value: float | Decimal | None, good: str = "up", unit: str = "%") -> SafeString:
    """`{% delta 9.4 %}`: a change with its direction in a word for the ear; `good` is up, down or none."""
    if value is None:
        return SafeString("")
    rises = value >= 0
    tone = "wait" if good == "none" or value == 0 else "ok" if rises == (good == "up") else "bad"
    return format_html(
        '<span class="delta t-{}">{}<span class="sr">{} </span>{}{}</span>',
        tone,
        icon("arrow-up-right" if rises else "arrow-down-right"),
        _("up") if rises else _("down"),
        words.number(abs(float(value))),
        unit,
    )


@register.simple_tag
def avatar(name: str, round_: bool = True) -> SafeString:
    """`{% avatar user.name %}`: two letters for somebody, for the eye alone."""
    parts = [part for part in name.replace("@", " ").replace(".", " ").split() if part[0].isalnum()]
    letters = "".join(part[0] for part in parts[:2]).upper() or "?"
    return format_html('<span class="av{}" aria-hidden="true">{}</span>', " round" if round_ else "", letters)


@register.simple_tag
def keys(*names: str) -> SafeString:
    """`{% keys "J" "K" %}`: keys to press."""
    return format_html_join("", "<kbd>{}</kbd>", ((name,) for name in names))


@register.simple_tag
def rate(share: float | None, warn: float = 0.98, bad: float = 0.9) -> SafeString:
    """`{% rate 0.971 %}`: a share as a bar and a number; below `warn` and `bad` the bar changes colour."""
    if share is None:
        return _nothing()
    css = "c4" if share < bad else "c3" if share < warn else "c2"
    return format_html(
        '<span class="rate"><svg class="{}" aria-hidden="true">'
        '<rect class="tr" width="100%" height="6" rx="3"/>'
        '<rect class="fl" width="{}%" height="6" rx="3"/></svg>{}</span>',
        css,
        f"{share * 100:.1f}",
        words.percent(share),
    )


@register.simple_tag
def meter(used: float, limit: float, label: str, forecast: float | None = None) -> SafeString:
    """`{% meter used=812 limit=1000 label="Runs" %}`: what is used of an allowance, and where it is heading."""
    share = min(used / limit, 1.0) if limit else 0.0
    ahead = min((forecast or used) / limit, 1.0) if limit else 0.0
    tone = "t-bad" if share >= 1 else "t-warn" if ahead >= 1 else ""
    return format_html(
        '<div class="meter {}"><div><b>{}</b><span class="num">{} / {}</span></div><svg class="bar" role="img"'
        ' aria-label="{}"><rect class="tr" width="100%" height="8" rx="4"/>'
        '<rect class="fc" width="{}%" height="8" rx="4"/>'
        '<rect class="fl" width="{}%" height="8" rx="4"/></svg></div>',
        tone,
        label,
        words.number(used),
        words.number(limit),
        _("%(label)s: %(share)s used") % {"label": label, "share": words.percent(share, 0)},
        f"{ahead * 100:.1f}",
        f"{share * 100:.1f}",
    )


@register.simple_tag
def spark(values: Sequence[float], css: str = "c0", goal: float | None = None) -> SafeString:
    """`{% spark kpi.last_14_days "c4" %}`: a line without axes beside a figure that is written out."""
    return charts.spark(values, css, goal if isinstance(goal, (int, float)) else None)


@register.simple_tag(takes_context=True)
def own(context: Context, text: object) -> str:
    """`{% own _("Exceptions") %}`: the partner's own word for it, where it has one."""
    return words.own(context.get("brand"), str(text))


@register.simple_tag
def swatch(colour: str) -> SafeString:
    """`{% swatch "#ffe600" %}`: a colour to look at."""
    return format_html(
        '<svg class="sw" aria-hidden="true" width="28" height="28">'
        '<rect width="100%" height="100%" rx="7" fill="{}"/></svg>',
        colour,
    )


@register.simple_tag(takes_context=True)
def url_with(context: Context, **changes: object) -> str:
    """`{% url_with state="open" after=None %}`: the present address with these parameters changed."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        if value is None or value == "":
            query.pop(name, None)
        else:
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


@register.simple_tag(takes_context=True)
def sort_link(context: Context, field: str, label: str, first: str = "asc") -> SafeString:
    """`{% sort_link "name" "Client" %}`: a column head that sorts, by `?sort=name` or `?sort=-name`."""
    now = context.get("sort") or context["request"].GET.get("sort", "")
    rising = now == field
    falling = now == f"-{field}"
    upcoming = f"-{field}" if rising or (not falling and first == "desc") else field
    mark = icon("arrow-up") if rising else icon("arrow-down") if falling else ""
    return format_html('<a href="{}">{}{}</a>', url_with(context, sort=upcoming, after=None), label, mark)


@register.simple_tag(takes_context=True)
def sort_state(context: Context, field: str) -> SafeString:
    """` aria-sort="ascending"` for the head of the column that the table is sorted by."""
    now = context.get("sort") or context["request"].GET.get("sort", "")
    if now.lstrip("-") != field:
        return SafeString("")
    return format_html(' aria-sort="{}"', "descending" if now.startswith("-") else "ascending")


@register.filter
def as_json(value: Any) -> str:
    """A value as JSON for an attribute; the template escapes it."""
    return json.dumps(value, default=str, separators=(",", ":"))


@register.filter
def pretty_json(value: Any) -> str:
    """A value as indented JSON to read."""
    return jsonx.text(value, indent=True)


@register.filter
def number(value: float | None) -> str:
    """A number with the reader's marks."""
    return words.number(value)


@register.filter
def get(mapping: Mapping[Any, Any], key: Any) -> Any:
    """`mapping[key]`, or nothing."""
    return mapping.get(key)


@register.filter
def error_lines(form: BaseForm) -> list[tuple[str, str, Sequence[str]]]:
    """For the summary at the top of a form: where each error is, and what it says."""
    return forms.summary(form)


@register.filter
def number_or_text(value: object) -> str:
    """A number with the reader's marks; anything else as it is."""
    return words.number(value) if isinstance(value, (int, float, Decimal)) else str(value)


@register.filter
def share(value: float | None) -> str:
    """A share of one as a percentage."""
    return words.percent(value)


@register.filter
def plain(value: Any) -> str:
    """A value of an audit row as people read it: text as text, anything else as JSON."""
    if value == "":
        return _("(empty)")
    return value if isinstance(value, str) else jsonx.text(value)


@register.filter
def browser(agent: str) -> str:
    """What a browser says of itself, as people call it: Firefox on Windows."""
    return words.browser(agent)


@register.filter
def day_label(day: date) -> str:
    """A calendar day, without a time zone: 23 Nov."""
    return words.day_label(day)


@register.filter(name="look")
def look_of(state: object) -> Look:
    """The look of a state: tone, icon, word."""
    return look(state)


@register.filter
def same(one: object, other: object) -> bool:
    """Whether two values are equal, where a tag wants it as a value."""
    return one == other


@register.filter(name="act")
def act_in_words(name: str) -> str:
    """An act of the audit in words."""
    return act(name)


@register.filter
def mail_time(at: datetime) -> str:
    """An instant in the long form, for mails."""
    return words.full_datetime(at)
