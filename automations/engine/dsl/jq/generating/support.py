"""What generated code may call, by the name it has there."""

from typing import Any, Final

from automations.engine.dsl.jq.builtins import (
    access,
    arithmetic,
    editing,
    ordering,
    regex,
    results,
    streams,
    tracking,
)
from automations.engine.dsl.jq.builtins.formats import FORMATS, write_text
from automations.engine.dsl.jq.errors import Break, ExpressionError, Raised, too_deep
from automations.engine.dsl.jq.fuel import Fuel, full
from automations.engine.dsl.jq.reading.scope import NOW
from automations.engine.dsl.jq.values import Json, described


def object_key(value: Json) -> str:
    """`value`, which must be a text to be the key of an object."""
    if value.__class__ is not str:
        raise Raised(f"Cannot use {described(value)} as object key")
    return str(value)


def counted(fuel: Fuel, count: Json, complaint: str) -> Json:
    """`count` for `limit` and the like: not below 0. What is no number fails as soon as it is counted down."""
    if ordering.less(fuel, count, 0):
        raise Raised(complaint)
    return count


def unset(name: str) -> ExpressionError:
    """The error for a variable that the caller did not give."""
    return ExpressionError("the present is not given" if name == NOW else f"${name} is not given")


SUPPORT: Final[dict[str, Any]] = {
    "Break": Break,
    "Draft": editing.Draft,
    "KeyError": KeyError,
    "LookupError": LookupError,
    "Raised": Raised,
    "RecursionError": RecursionError,
    "TypeError": TypeError,
    "add": arithmetic.add,
    "at_most": ordering.at_most,
    "bool": bool,
    "copied": editing.copied,
    "counted": counted,
    "cut": access.cut,
    "descend": access.descend,
    "descend_paths": access.descend_paths,
    "divide": arithmetic.divide,
    "draw_each": access.draw_each,
    "draw_each_if": access.draw_each_if,
    "each_pair": access.each_pair,
    "each_pair_if": access.each_pair_if,
    "ended": tracking.ended,
    "equal": ordering.equal,
    "extended": tracking.extended,
    "field": access.field,
    "fields": access.fields,
    "float": float,
    "group_by": ordering.group_by,
    "max_by": ordering.max_by,
    "min_by": ordering.min_by,
    "sort_by": ordering.sort_by,
    "unique_by": ordering.unique_by,
    "from_stream": streams.from_stream,
    "full": full,
    "get_path": access.get_path,
    "index": access.index,
    "int": int,
    "item": access.item,
    "joined": tracking.joined,
    "kept": tracking.kept,
    "less": ordering.less,
    "list": list,
    "multiply": arithmetic.multiply,
    "negate": arithmetic.negate,
    "nothing": object(),
    "object": object,
    "object_key": object_key,
    "product": streams.product,
    "put": editing.put,
    "reach": tracking.reach,
    "reach_all": tracking.reach_all,
    "recurse": streams.recurse,
    "remainder": arithmetic.remainder,
    "settle": results.settle,
    "span": streams.span,
    "stepped": streams.stepped,
    "str": str,
    "substitute": regex.substitute,
    "subtract": arithmetic.subtract,
    "tame": results.tame,
    "too_deep": too_deep,
    "unset": unset,
    "until": streams.until,
    "walk": streams.walk,
    "walk_one": streams.walk_one,
    "write_text": write_text,
    **{f"format_{name}": write for name, write in FORMATS.items()},
}
