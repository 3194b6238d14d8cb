"""Programs made at random, of forms that end on small inputs."""

import random

from hypothesis import strategies as st

_LEAVES = """
. .a .b .c .[0] .[1] .[-1] .[] .. 1 2 0 -1 1.5 null true false "a" "a,b" [] {} .a? .[]? .[1:] .[:1] .[:-1] ."a" .["b"]
length keys type add sort unique not tostring tojson first last reverse to_entries min max flatten any all ascii_upcase
ascii_downcase explode floor values numbers strings arrays objects scalars booleans nulls iterables tonumber trim paths
transpose empty error abs keys_unsorted fromjson utf8bytelength @json @text @csv @tsv @html @uri @base64 @base64d
from_entries implode round toboolean tostream combinations isnan {a,b} {a:1} [1,2,3] {"a":{"b":2}} "\\(.)" [.[]?] [..]
.a.b .a[0] .[0].a .a[]? .a[1:]? has("a") has(0) test("a") [match("a";"g").offset] split(",") join(",") sub("a";"b")
gsub("";"x") .[[1]] .["a","b"]? .[0,1]? getpath(["a","b"]) getpath(["a",0]) paths(type=="number") del(.a) del(.[0])
del(.[]?) delpaths([["a"],["b"]]) with_entries(.) map(.) ltrimstr("a") $x
""".split()  # noqa: SIM905 - one list item a line would be three screens
_WITH_ONE = (
    """
(§)¦[§]¦{a:§}¦{((§)|tostring):1}¦(§)?¦-(§)¦map(§)¦select(§)¦first(§)¦[path(§)]¦try (§) catch "E"¦limit(2;§)
[limit(1;§)]¦sort_by(§)¦group_by(§)¦isempty(§)¦del(§)¦any(§)¦all(§)¦add(§)¦unique_by(§)¦min_by(§)¦max_by(§)
map_values(§)¦has(§)¦contains(§)¦inside(§)¦index(§)¦indices(§)¦rindex(§)¦split(§)¦join(§)¦startswith(§)¦endswith(§)
flatten(§)¦range(§)¦[range(§)]¦error(§)¦pick(§)¦getpath(§)¦[paths(§)]¦"x\\(§)y"¦@json "v\\(§)"¦@base64 "\\(§)"
nth(1;§)¦skip(1;§)¦walk(§)¦.[§]¦.[§]?¦.a[§]¦.[§:]¦.[:§]¦with_entries(§)¦def f: §; [f,f]¦def f(g): g|g; f(§)
def f($p): $p, p; [f(§)]¦any(.[]?;§)¦all(§;.)¦IN(§)¦in(§)¦INDEX(§)¦bsearch(§)¦[§]|length¦(§)|not
label $f|(§),break $f,1¦label $f|[.[]?|(§),break $f]¦first((§),error("x"))¦isempty(((§)),1)¦[.[]?|(§)]
reduce .[]? as $x (0;§)¦[foreach .[]? as $x (null;§;[$x,.])]¦[.[]?|try (§) catch "E"]¦splits(§)¦test(§)¦[scan(§)]
setpath(["a"];§)¦delpaths([§])¦[§]|add¦[§]|sort¦[§]|unique¦tojson|fromjson|(§)¦[tostream]|(§)¦[until(true;§)]
. as $x|(§)¦. as [$x]|(§)¦. as {a:$x}|(§)¦. as {$a}|(§)|.,$a¦.[]? as $x|(§)¦. as [$x] ?// $x|(§)
.[]? as {a:$x} ?// [$x] ?// $x|(§)¦getpath(["a"])|(§)¦(.a,.b)|(§)¦.a|(§)¦{a:(§),b:2}¦{"k":§}|.k¦tostream|(§)
[recurse(if type=="array" then .[] else empty end)|(§)]¦if § then 1 end¦if . then (§) else 2 end
.a |= (§)¦.[0] |= (§)¦.[]? |= (§)¦.. |= (§)¦.a = (§)¦.[0] = (§)¦.[]? = (§)¦.a += (§)¦.[]? += (§)¦.a -= (§)¦.a *= (§)
.a //= (§)¦.[1:] = (§)¦.[1:] |= (§)¦(§) = 1¦(§) |= [.]¦(§) += 1¦(§) |= empty¦((§),.b) = 1¦[(§)|.,.]
reduce (§) as $x (.; .)¦reduce (§) as $x (null; [.,$x])¦[foreach (§) as $x (0; .+1; [$x,.])]
reduce .[]? as $x ({}; .["k"] = (§))¦reduce .[]? as $x ({}; .[$x|tostring] += (§))¦reduce .[]? as $x ([]; . + [(§)])
reduce .[]? as $x (.; .a = $x | .b = (§))¦reduce .[]? as $x ({}; .k[$x|tostring] += [(§)])
reduce .[]? as $x ({}; if .k then .k += 1 else .[$x|tostring] |= (§) end)
""".strip()
    .replace("\n", "¦")
    .split("¦")
)
_WITH_TWO = (
    """
(§) | (§)¦(§), (§)¦(§) + (§)¦(§) - (§)¦(§) * (§)¦(§) / (§)¦(§) % (§)¦(§) == (§)¦(§) != (§)¦(§) < (§)¦(§) <= (§)¦(§) > (§)
(§) >= (§)¦(§) and (§)¦(§) or (§)¦(§) // (§)¦§ | §¦(§) as $x | (§)¦(§) as [$x,$y] | (§)¦(§) as {a:$x,b:$y} | (§)
if § then § end¦if § then § else . end¦[§, §]¦{a:(§),b:(§)}¦try (§) catch (§ | "E")¦reduce (§) as $x (0; §)
[foreach (§) as $x (0; §)]¦reduce (§) as $x (§; [.,$x])¦[foreach (§) as $x (§; [.,$x]; .)]¦(§) = (§)¦(§) |= (§)
(§) += (§)¦(§) -= (§)¦(§) //= (§)¦limit(1;§), (§)¦def f: §; (§) | f¦def f(g): (§) | g; f(§)
def f($a;b): (§) + b; f(1;§)¦setpath(§;§)¦any(§;§)¦all(§;§)¦IN(§;§)¦"\\(§)-\\(§)"¦(§) as $x | (§) as $y | [$x,$y]
{((§)|tostring):(§)}¦.[§:§]¦[range(§;§)]¦[sub(§;§)]¦[gsub(§;§)]¦INDEX(§;§)¦[path(§)|(§)]
label $f | (§), ((§)|break $f)¦((§) , (§))?¦[.[]?|(§)] + [(§)]¦getpath([(§),(§)])
""".strip()
    .replace("\n", "¦")
    .split("¦")
)
_KEYS = ["a", "b", "c", "key", "value", "k"]
_SCALARS = [
    None,
    True,
    False,
    0,
    1,
    2,
    3,
    -1,
    1.5,
    10,
    "",
    "a",
    "b",
    "a,b",
    "é😀",
    " x ",
    "1",
    "[1]",
    '{"a":1}',
    "YWJj",
]


def _value(dice, depth=3):
    kind = dice.random()
    if depth == 0 or kind < 0.4:
        return dice.choice(_SCALARS)
    if kind < 0.7:
        return [_value(dice, depth - 1) for _ in range(dice.randint(0, 4))]
    return {key: _value(dice, depth - 1) for key in dice.sample(_KEYS, dice.randint(0, 4))}


def _program(dice, depth):
    kind = dice.random()
    if depth == 0 or kind < 0.12:
        return dice.choice(_LEAVES)
    form = dice.choice(_WITH_ONE if kind < 0.6 else _WITH_TWO)
    while "§" in form:
        form = form.replace("§", _program(dice, depth - 1), 1)
    return form


def _case(seed):
    dice = random.Random(seed)
    return f". as $x | . as $y | {_program(dice, dice.choice([1, 2, 2, 3, 3, 4]))}", _value(dice)


CASES = st.integers(0, 2**60).map(_case)
"""Programs with an input each. They come from a seed: so they differ more than what hypothesis would vary."""
