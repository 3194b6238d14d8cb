"""What a failed step raised is read in any of the shapes in which systems answer."""

from typing import Any

import pytest

from automations.inbox.contract import Problem, failures
from automations.inbox.enums import ErrorClass

STANDARD = "https://open-workflow-specification.org/dsl/errors/types/"
REQUEST = {"request": {"method": "POST", "uri": "https://erp.example.com/orders"}}


def error(status: int, detail: str = "", kind: str = "communication", **more: Any) -> dict[str, Any]:
    return {"type": STANDARD + kind, "status": status, "detail": detail, **REQUEST, **more}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (error(503, "HTTP 503"), ErrorClass.CONNECTION),
        (error(504, "no answer from erp.example.com within 30 s", title="No answer"), ErrorClass.CONNECTION),
        (error(500, "HTTP 500: internal"), ErrorClass.CONNECTION),
        (error(408, "HTTP 408", "timeout"), ErrorClass.CONNECTION),
        (error(429, "HTTP 429", retryAfter=30), ErrorClass.RATE_LIMIT),
        (error(401, "HTTP 401", "authentication"), ErrorClass.PERMISSION),
        (error(403, "port 25 is not open for calls", "authorization"), ErrorClass.PERMISSION),
        (error(409, "HTTP 409: Order 10045 already exists"), ErrorClass.DUPLICATE),
        (error(409, "HTTP 409: The lines add up to 90, the order says 80."), ErrorClass.INVALID_VALUE),
        (error(413, "HTTP 413"), ErrorClass.TOO_LARGE),
        (error(404, "HTTP 404: no such customer"), ErrorClass.MISSING_DATA),
        (error(422, "HTTP 422: postcode: This is required."), ErrorClass.MISSING_DATA),
        (error(422, "HTTP 422: quantity: A whole number from 1 on is required."), ErrorClass.INVALID_VALUE),
        (error(400, "HTTP 400: unknown currency XYZ"), ErrorClass.INVALID_VALUE),
        (error(504, "broke off", unknown=True), ErrorClass.UNKNOWN_OUTCOME),
        ({"type": STANDARD + "expression", "status": 400, "detail": "null has no keys"}, ErrorClass.ENGINE),
        ({"type": STANDARD + "runtime", "status": 500, "detail": "three claims"}, ErrorClass.ENGINE),
        (
            {
                "type": STANDARD + "validation",
                "status": 400,
                "pointer": "/shipping_address",
                "detail": 'input/shipping_address: "postcode" is a required property',
            },
            ErrorClass.MISSING_DATA,
        ),
    ],
)
def test_an_error_has_a_class(given: dict[str, Any], expected: ErrorClass) -> None:
    assert failures.classify(given, failures.problems_of(given)) == expected


@pytest.mark.parametrize(
    "response",
    [
        {"fields": {"shipping_address.postcode": ["This is required."]}},
        {"errors": {"shipping_address.postcode": "This is required."}},
        {"errors": [{"pointer": "#/shipping_address/postcode", "detail": "This is required."}]},
        {
            "errors": [
                {
                    "source": {"pointer": "/data/attributes/shipping_address/postcode"},
                    "title": "This is required.",
                }
            ]
        },
        {"violations": [{"propertyPath": "shipping_address.postcode", "message": "This is required."}]},
        {"invalid-params": [{"name": "shipping_address.postcode", "reason": "This is required."}]},
        {"detail": [{"loc": ["body", "shipping_address", "postcode"], "msg": "This is required."}]},
        {"error": {"details": [{"field": "shipping_address.postcode", "message": "This is required."}]}},
    ],
)
def test_every_shape_says_the_same(response: dict[str, Any]) -> None:
    found = failures.problems_of(error(422, response=response))
    assert found == (Problem("/shipping_address/postcode", "This is required.", missing=True),)
    assert found[0].field == "postcode"


@pytest.mark.parametrize(
    "response",
    [
        "<html>Bad Gateway</html>",
        {},
        {"message": "no"},
        {"errors": 7},
        {"errors": [None, 3]},
        [1],
        None,
        {"fields": {}},
    ],
)
def test_what_says_nothing_gives_nothing(response: Any) -> None:
    assert failures.problems_of(error(422, response=response)) == ()


def test_a_field_in_a_list_has_its_place() -> None:
    assert Problem("/lines/0/unitPrice", "").field == "unit price (1)"
    assert Problem("", "").field == ""


def test_words_of_a_page_are_kept_short() -> None:
    page = "<html><body><h1>502</h1>\n Bad   Gateway</body></html>"
    assert failures.said(error(502, "HTTP 502", response=page)) == "502 Bad Gateway"


@pytest.mark.parametrize(
    ("uri", "kind"),
    [
        ("https://portal/errors/needs-approval", "needs_approval"),
        ("urn:shop:stock-short", "stock_short"),
        (STANDARD + "runtime", "run_failed"),
        ("about:blank", "run_failed"),
        ("", "run_failed"),
    ],
)
def test_an_error_that_a_workflow_names_is_a_kind(uri: str, kind: str) -> None:
    assert failures.own_kind({"type": uri}) == kind
