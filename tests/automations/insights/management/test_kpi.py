"""The command prints figures, and those of the real orders equal what was computed elsewhere."""

import json
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from automations.insights.catalog import KPIS
from automations.insights.management.commands.kpi import figures, olist10k
from tenants.tenancy.queries import TenantRef
from tests.automations.insights.conftest import OLIST

TRUTH = OLIST.parent / "olist10k_truth.json"
END = datetime(2018, 3, 27, 1, 57, 14, tzinfo=UTC)


def printed(*arguments: str) -> Any:
    out = StringIO()
    call_command("kpi", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_the_real_orders_give_the_published_figures(olist_tenant: TenantRef) -> None:
    truth = json.loads(TRUTH.read_text())
    assert olist10k(END) == truth
    found = printed("--tenant", "meridian/hollis", "--as-of", "2018-03-27T01:57:14Z", "--shape", "olist10k")
    assert found == truth


def test_the_past_comes_out_as_it_was(olist_tenant: TenantRef) -> None:
    at = datetime(2017, 6, 30, 23, 59, 59, tzinfo=UTC)
    found = figures(at)["figures"]
    assert found["orders_placed"]["value"] == 3241
    assert found["orders_under_way"]["parts"]["in_transit"] == 222
    assert sum(found["orders_by_status"]["parts"].values()) == 3241


def test_every_figure_is_printed(tenant: TenantRef) -> None:
    found = printed("--tenant", "hollis", "--json")
    assert list(found["figures"]) == list(KPIS)
    assert found["figures"]["approval_lag"] == {
        "unit": "hours",
        "value": None,
        "n": 0,
        "parts": dict.fromkeys(("p50", "p90", "p95", "p99", "mean")),
    }
    out = StringIO()
    call_command("kpi", "--tenant", "meridian/hollis", stdout=out)
    assert len(out.getvalue().splitlines()) == len(KPIS)


@pytest.mark.parametrize(
    "arguments",
    [("--tenant", "nobody"), ("--tenant", "hollis", "--as-of", "yesterday")],
    ids=["tenant", "instant"],
)
def test_what_is_asked_wrong_is_said(tenant: TenantRef, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("kpi", *arguments)
