"""From source text to tokens. Strings come as a quote, pieces of text and interpolations, and a closing quote."""

import re
from typing import Final, NamedTuple

from automations.engine.dsl.jq.errors import ExpressionSyntaxError

MAX_SOURCE: Final = 16_384
MAX_TOKENS: Final = 4_000
_MAX_DIGITS: Final = 400

_TOKEN: Final = re.compile(
    r"""
      (?P<space>   [ \t\r\n]+ | \#(?:[^\\\n]|\\(?:\r\n|\n|.)|\\)* )
    | (?P<field>   \.[A-Za-z_][A-Za-z_0-9]* )
    | (?P<number>  (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )
    | (?P<variable>\$[A-Za-z_][A-Za-z_0-9]*(?:::[A-Za-z_][A-Za-z_0-9]*)* )
    | (?P<name>    [A-Za-z_][A-Za-z_0-9]*(?:::[A-Za-z_][A-Za-z_0-9]*)* )
    | (?P<format>  @[A-Za-z0-9_]+ )
    | (?P<quote>   " )
    | (?P<symbol>  \?// | //= | [|+\-*/%]= | == | != | <= | >= | // | \.\. | [.\[\](){}|,:;=<>+\-*/%?$] )
    """,
    re.VERBOSE,
)
_TEXT: Final = re.compile(r'[^"\\]+')
_ESCAPES: Final = {
    '"': '"',
    "\\": "\\",
    "/": "/",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
}
_UNICODE: Final = re.compile(r"u([0-9a-fA-F]{4})(?:\\u([0-9a-fA-F]{4}))?")


class Token(NamedTuple):
    """`kind` is field, number, variable, name, format, symbol, text, end, or `quote`, `(`, `)` around strings.

    `text` is what stands there; for a `text` token the decoded characters, for a name without its sign.
    """

    kind: str
    text: str
    position: int


class _Lexer:
    def __init__(self, source: str) -> None:
        self.source = source
        self.tokens: list[Token] = []
        self.position = 0
        self.open: list[int] = []
        """For each interpolation that is open, how many round brackets are open inside it."""

    def fail(self, message: str, position: int) -> ExpressionSyntaxError:
        return ExpressionSyntaxError(message, self.source, position)

    def add(self, kind: str, text: str, position: int) -> None:
        if len(self.tokens) >= MAX_TOKENS:
            raise self.fail(f"an expression has at most {MAX_TOKENS} words and signs", position)
        self.tokens.append(Token(kind, text, position))

    def run(self) -> list[Token]:
        match = _TOKEN.match
        end = len(self.source)
        while self.position < end:
            found = match(self.source, self.position)
            if found is None:
                raise self.strange()
            start, self.position = self.position, found.end()
            kind, text = str(found.lastgroup), found.group()
            if kind == "quote":
                self.add("quote", '"', start)
                self.string(start)
            elif kind == "symbol":
                self.symbol(text, start)
            elif kind == "number" and len(text) > _MAX_DIGITS:
                raise self.fail(f"a number has at most {_MAX_DIGITS} digits", start)
            elif kind != "space":
                self.add(kind, text[1:] if kind in ("field", "variable", "format") else text, start)
        if self.open:
            raise self.fail("a text with \\( … ) in it is not closed", end)
        self.add("end", "", end)
        return self.tokens

    def strange(self) -> ExpressionSyntaxError:
        sign = self.source[self.position]
        if sign == "'" or sign in "“”„‘’«»":  # noqa: RUF001 - what word processors make of quotes
            return self.fail(
                f'{sign} does not belong here; texts stand in straight double quotes: "…"', self.position
            )
        return self.fail(f"{sign!r} does not belong here", self.position)

    def symbol(self, text: str, start: int) -> None:
        if self.open and text == "(":
            self.open[-1] += 1
        elif self.open and text == ")":
            if self.open[-1] == 0:
                self.open.pop()
                self.add(")", ")", start)
                self.string(start)
                return
            self.open[-1] -= 1
        self.add("symbol", text, start)

    def string(self, start: int) -> None:
        """Reads on inside a string, up to its closing quote or to the next `\\(`."""
        parts: list[str] = []
        begun = self.position
        while True:
            plain = _TEXT.match(self.source, self.position)
            if plain:
                parts.append(plain.group())
                self.position = plain.end()
            if self.position >= len(self.source):
                raise self.fail('a text is not closed: its second " is missing', start)
            if self.source[self.position] == '"':
                closing: tuple[str, int] = ("quote", 1)
                break
            if self.source.startswith("\\(", self.position):
                closing = ("(", 2)
                break
            parts.append(self.escape())
        if parts:
            self.add("text", "".join(parts), begun)
        kind, width = closing
        self.add(kind, kind, self.position)
        self.position += width
        if kind == "(":
            self.open.append(0)

    def escape(self) -> str:
        """The character that the escape at the current position stands for."""
        start = self.position
        sign = self.source[start + 1 : start + 2]
        if sign in _ESCAPES and sign:
            self.position += 2
            return _ESCAPES[sign]
        found = _UNICODE.match(self.source, start + 1)
        if found is None:
            raise self.fail(f"\\{sign} is not an escape; a backslash itself is written \\\\", start)
        first = int(found.group(1), 16)
        second = int(found.group(2), 16) if found.group(2) else 0
        if 0xD800 <= first < 0xDC00 and 0xDC00 <= second < 0xE000:
            self.position = found.end()
            return chr(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        if 0xD800 <= first < 0xDC00:
            raise self.fail("half of a surrogate pair is no character; write the character itself", start)
        self.position = start + 6
        return "\ufffd" if 0xDC00 <= first < 0xE000 else chr(first)


def tokens(source: str) -> list[Token]:
    """The tokens of `source`, the last of kind `end`. Raises ExpressionSyntaxError."""
    if len(source) > MAX_SOURCE:
        raise ExpressionSyntaxError(
            f"an expression has at most {MAX_SOURCE} characters, this has {len(source)}"
        )
    return _Lexer(source).run()
