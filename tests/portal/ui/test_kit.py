"""The kit by itself: forms from schemas, graphs, words, cursors."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.utils import timezone, translation

from kernel.money import Money
from portal.ui.kit import graph, pages, words
from portal.ui.kit.graph import Edge, Node, lay_out
from portal.ui.kit.schemaform import SchemaForm
from portal.ui.kit.status import look
from tests.support.cost import cpu_seconds

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["warehouse", "buffer", "mode", "token"],
    "properties": {
        "warehouse": {"type": "string", "enum": ["Leeds", "Bristol", "Hull", "Derby"]},
        "buffer": {"type": "integer", "minimum": 0, "maximum": 500, "default": 2},
        "mode": {"type": "string", "enum": ["ask", "fix"], "default": "ask"},
        "limit": {"type": "number", "minimum": 0, "x-show-if": {"mode": "fix"}},
        "days": {"type": "array", "items": {"enum": ["mon", "tue"]}},
        "emails": {"type": "array", "items": {"type": "string"}},
        "token": {"type": "string", "format": "password", "minLength": 8},
        "notify": {"type": "boolean", "default": True},
        "hours": {"type": "object", "properties": {"from": {"type": "string", "pattern": "^\\d\\d:\\d\\d$"}}},
        "stores": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["code"],
                "properties": {"code": {"type": "string", "maxLength": 4}, "reserve": {"type": "integer"}},
            },
        },
    },
}
GOOD = {
    "warehouse": "Leeds", "buffer": "5", "mode": "ask", "token": "long enough", "days": ["mon"], "emails": "a@b.de\n\nc@d.de",
    "notify": "on", "hours-from": "08:00", "stores-count": "2", "stores-0-code": "L1", "stores-0-reserve": "3",
    "stores-1-code": "", "stores-1-reserve": "", "limit": "",
}  # fmt: skip


def posted(**changes: Any) -> Any:
    from django.http import QueryDict

    data = QueryDict(mutable=True)
    for name, value in {**GOOD, **changes}.items():
        data.setlist(name, value if isinstance(value, list) else [value])
    return data


def test_a_form_gives_the_json_value_that_its_schema_describes() -> None:
    form = SchemaForm(SCHEMA, posted())
    assert form.is_valid(), form.errors
    assert form.value == {
        "warehouse": "Leeds", "buffer": 5, "mode": "ask", "token": "long enough", "days": ["mon"], "emails": ["a@b.de", "c@d.de"],
        "notify": True, "hours": {"from": "08:00"}, "stores": [{"code": "L1", "reserve": 3}],
    }  # fmt: skip


def test_a_field_that_is_not_shown_neither_counts_nor_complains() -> None:
    assert "limit" not in SchemaForm(SCHEMA, posted(limit="nonsense")).value
    form = SchemaForm(SCHEMA, posted(limit="nonsense"))
    assert form.is_valid(), form.errors
    shown = SchemaForm(SCHEMA, posted(mode="fix", limit="-1"))
    assert not shown.is_valid()
    assert "limit" in shown.errors


def test_a_mistake_is_said_once_and_at_its_field() -> None:
    form = SchemaForm(SCHEMA, posted(buffer="900"))
    assert not form.is_valid()
    assert {name: len(said) for name, said in form.errors.items()} == {"buffer": 1}


def test_a_mistake_in_a_row_or_a_group_is_said_there() -> None:
    form = SchemaForm(SCHEMA, posted(**{"stores-0-code": "too long", "hours-from": "8"}))
    assert not form.is_valid()
    assert "code" in form.rows["stores"][0].errors
    assert "from" in form.groups["hours"].errors


def test_the_schema_has_the_last_word() -> None:
    form = SchemaForm(SCHEMA, posted(**{"stores-count": "1", "stores-0-code": "", "stores-0-reserve": ""}))
    assert not form.is_valid()
    assert form.non_field_errors()


def test_a_stored_secret_is_never_sent_back_and_may_stay() -> None:
    form = SchemaForm(SCHEMA, initial={"token": "the secret"}, kept={"token": "ends in 4F2a"})
    assert "the secret" not in str(form["token"])
    sent = SchemaForm(SCHEMA, posted(token=""), kept={"token": "ends in 4F2a"})
    assert sent.is_valid(), sent.errors
    assert "token" not in sent.value
    assert not SchemaForm(SCHEMA, posted(token="")).is_valid()


def test_rows_that_repeat_what_is_stored_are_kept() -> None:
    stored = {"stores": [{"code": "L1", "reserve": 3}]}
    form = SchemaForm(SCHEMA, posted(), initial=stored)
    assert form.is_valid(), form.errors
    assert form.value["stores"] == [{"code": "L1", "reserve": 3}]


AMOUNT = {"properties": {"hold": {"type": ["integer", "null"], "minimum": 1, "x-unit": "minor units"}}}


@pytest.mark.parametrize(
    ("currency", "typed", "minor"),
    [("GBP", "12.34", 1_234), ("JPY", "1500", 1_500), ("GBP", "", None), ("EUR", "0.01", 1)],
)
def test_an_amount_is_asked_in_major_units_and_kept_in_minor_ones(
    currency: str, typed: str, minor: int | None
) -> None:
    form = SchemaForm(AMOUNT, QueryDict(urlencode({"hold": typed})), currency=currency)
    assert form.is_valid(), form.errors
    assert form.value.get("hold") == minor
    kept = SchemaForm(AMOUNT, initial={"hold": 1_234}, currency="GBP")
    assert 'value="12.34"' in str(kept["hold"])
    assert kept.fields["hold"].ui["after"] == "GBP"  # type: ignore[attr-defined] # the kit's own hints


@pytest.mark.parametrize(
    ("currency", "typed"), [("GBP", "12.345"), ("JPY", "1.5"), ("GBP", "0"), ("GBP", "-3")]
)
def test_an_amount_that_the_currency_does_not_have_is_refused_as_it_was_typed(
    currency: str, typed: str
) -> None:
    form = SchemaForm(AMOUNT, QueryDict(urlencode({"hold": typed})), currency=currency)
    assert "hold" in form.errors
    assert f'value="{typed}"' in str(form["hold"])


def test_a_picker_offers_what_it_is_given() -> None:
    form = SchemaForm(
        SCHEMA, posted(warehouse="con_1"), choices={"warehouse": [("con_1", "The shop")]}, check=False
    )
    assert form.is_valid(), form.errors
    assert not SchemaForm(
        SCHEMA, posted(warehouse="con_2"), choices={"warehouse": [("con_1", "The shop")]}
    ).is_valid()


def test_a_flood_of_rows_is_cut_off() -> None:
    assert len(SchemaForm(SCHEMA, posted(**{"stores-count": "999999999"})).rows["stores"]) == 200


def test_a_graph_with_loops_is_laid_out_and_its_closing_edges_go_back() -> None:
    found = lay_out(["a", "b", "c"], [("a", "b"), ("b", "c"), ("c", "a"), ("b", "b")])
    assert set(found.back) == {("c", "a"), ("b", "b")}
    assert found.x["a"] < found.x["b"] < found.x["c"]


def test_no_node_of_a_graph_lies_over_another() -> None:
    names = [f"n{number}" for number in range(60)]
    edges = [(names[at], names[at + step]) for step in (1, 3, 7) for at in range(0, 60 - step, step)]
    found = lay_out(names, edges)
    for one in names:
        for other in names:
            if one < other and found.x[one] == found.x[other]:
                assert abs(found.y[one] - found.y[other]) >= 52, (one, other)


def test_a_hundred_and_twenty_steps_are_drawn_in_a_quarter_of_a_second() -> None:
    nodes = [Node(f"n{number}", f"Step {number}") for number in range(120)]
    edges = [Edge(f"n{at}", f"n{at + step}") for step in (1, 2, 5) for at in range(0, 120 - step, step)]
    edges.append(Edge("n119", "n0"))
    assert cpu_seconds(lambda: graph.draw(nodes, edges), enough=0.25) < 0.25
    drawn = graph.draw(nodes, edges)
    assert drawn.count("<a ") == 120


def test_texts_in_a_graph_are_escaped() -> None:
    drawn = graph.draw([Node("<b>", "<script>", note="<i>")], [Edge("<b>", "<b>", "<u>")])
    assert "<script>" not in drawn
    assert "<i>" not in drawn
    assert "<u>" not in drawn


def test_an_unknown_edge_is_left_out_and_nothing_is_drawn_of_nothing() -> None:
    assert lay_out(["a"], [("a", "gone")]).ways == {}
    assert "<svg" in graph.draw([], [])


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.34, "340 ms"),
        (45.1, "45.1 s"),
        (72, "1 m 12 s"),
        (7_500, "2 h 05 m"),
        (273_600, "3 d 4 h"),
        (-5, "\N{MINUS SIGN}5 s"),
    ],
)
def test_a_duration_is_said_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert words.duration(seconds) == said


NOW = datetime(2026, 11, 23, 9, 12, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36 Edg/130.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari on iPhone"),
        ("curl/8.9", "curl/8.9"),
        ("", words.NONE),
    ],
)  # fmt: skip
def test_a_browser_is_called_what_people_call_it(agent: str, said: str) -> None:
    assert words.browser(agent) == said


def test_times_are_said_from_now_and_by_date_where_that_is_clearer() -> None:
    assert words.ago(NOW, NOW) == "just now"
    assert words.ago(NOW - timedelta(minutes=4), NOW) == "4 min ago"
    assert words.ago(NOW + timedelta(hours=2), NOW) == "in 2 hr"
    assert words.ago(NOW - timedelta(days=9), NOW) == "14 Nov"
    assert words.ago(NOW - timedelta(days=400), NOW) == "19 Oct 2025"


def test_instants_and_amounts_follow_the_reader() -> None:
    assert words.exact(NOW) == "23 Nov 2026, 09:12:08 UTC"
    with translation.override("de"), timezone.override("Europe/Berlin"):
        assert words.exact(NOW) == "23 Nov. 2026, 10:12:08 MEZ" or words.exact(NOW).endswith("10:12:08 CET")
        assert words.amount(Money(104_500, "EUR")) == "1.045,00\N{NO-BREAK SPACE}€"
        assert words.percent(0.992) == "99,2%"
    assert words.amount(Money(104_500, "GBP")) == "£1,045.00"


def test_an_unknown_state_is_shown_by_its_name_and_claims_nothing() -> None:
    seen = look("half_done")
    assert (seen.tone, str(seen.word)) == ("wait", "Half done")


def test_an_address_with_a_wrong_id_does_not_exist() -> None:
    from kernel.errors import NotFound

    for wrong in ("", "tnt_", "run_01h455vb4pex5vsknk084sn02q", "tnt_!!!"):
        with pytest.raises(NotFound):
            pages.key_of("tnt", wrong)


def test_a_toast_travels_in_plain_ascii() -> None:
    from django.http import HttpResponse

    assert pages.tell(HttpResponse(), "Größe geändert")["HX-Trigger"].isascii()
