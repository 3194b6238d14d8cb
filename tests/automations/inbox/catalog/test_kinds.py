"""Every kind of case can be read, decided and declined."""

import pytest
from django.utils import translation

from automations.inbox import registry
from automations.inbox.catalog import words
from automations.inbox.contract import Kind, Problem, Trouble
from automations.inbox.enums import CLOSING, FAILED, ON_THE_RUN, ErrorClass

FULL = Trouble(
    system="ERP",
    thing="order 10045",
    step="Book the order",
    status=422,
    detail="postcode: A postcode is required.",
    problems=(Problem("/postcode", "A postcode is required.", missing=True),),
    retry_after=30,
)


def test_every_error_class_has_a_kind() -> None:
    for one in ErrorClass.values:
        code = f"{FAILED}.{one}"
        assert registry.kind(code, of_run=True).code == code


@pytest.mark.parametrize("kind", registry.kinds(), ids=lambda kind: kind.code)
@pytest.mark.parametrize("trouble", [FULL, Trouble(thing="the order")], ids=["told", "nothing known"])
def test_a_kind_has_words_for_every_trouble(kind: Kind, trouble: Trouble) -> None:
    with translation.override("en"):
        title = str(kind.title).format(
            system=trouble.system or "The workflow",
            thing=trouble.thing,
            what=words.what(trouble),
            step=trouble.step,
        )
        cause = kind.cause(trouble)
        suggestion = str(kind.suggestion).format(what="postcode")
    for text in (title, cause, suggestion, str(kind.decline), str(kind.label)):
        assert "%(" not in text
        assert "{" not in text
    assert kind.runbook
    assert kind.sla_hours > 0


@pytest.mark.parametrize("kind", registry.kinds(), ids=lambda kind: kind.code)
def test_a_kind_can_be_decided_and_declined(kind: Kind) -> None:
    allowed = set(kind.decisions)
    assert len(allowed) == len(kind.decisions)
    assert allowed <= ON_THE_RUN or allowed == CLOSING
    assert set(kind.answers) <= allowed


def test_what_nobody_knows_falls_back() -> None:
    assert registry.kind("gift_wrap_missing").code == "generic"
    assert registry.kind("stock_short", of_run=True).code == "run_failed"


def test_many_problems_are_told_in_one_breath() -> None:
    trouble = Trouble(
        problems=(
            Problem("/postcode", "required", missing=True),
            Problem("/lines/1/quantity", "must be at least 1."),
            Problem("/city", "required", missing=True),
        )
    )
    assert words.what(trouble) == "postcode is missing; quantity (2): must be at least 1 and 1 more"


@pytest.mark.parametrize(
    ("request_", "names", "name"),
    [
        ({"connection": "erp"}, {"erp": "Brightpearl"}, "Brightpearl"),
        ({"connection": "erp"}, {}, "The ERP"),
        ({"connection": "warehouse_eu"}, {}, "The warehouse eu"),
        ({"uri": "https://erp.example.com/orders"}, {}, "erp.example.com"),
        (None, {}, ""),
    ],
)
def test_a_system_has_a_name(request_: object, names: dict[str, str], name: str) -> None:
    assert words.system_name({"request": request_}, names) == name


def test_a_thing_is_named_where_its_id_can_be_said() -> None:
    assert words.thing("order.placed", "10045") == "order 10045"
    assert words.thing("return.requested", "RMA-7") == "return RMA-7"
    assert words.thing("order.placed", "e481f51cbdc54678b7cc49136f2d6af7") == "the order"
