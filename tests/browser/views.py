"""Pages about a client's figures, orders, events and systems, with something in them."""

from automations.events.models import Rejection
from tenants.tenancy import context
from tests.house import world
from tests.support import make
from tests.support.cast import Cast

SECRET = "a-key-of-the-ERP-4711"


def pages(cast: Cast) -> list[str]:
    """The addresses of overview, figures, orders, events, quarantine, endpoints, connections and settings in Hollis."""
    made = world.of_tenant(cast.tenant, "Quay", times=2)
    with context.enter(cast.tenant):
        shop = make.endpoint("shopify", name="Web shop").row
        books = make.connection(name="Books", secret=SECRET)
        taken = Rejection.objects.create(
            code="not_an_event",
            reason="no type",
            state="discarded",
            body={"a": 1},
            received_at=books.created_at,
        )
    rejection, endpoint = f"/quarantine/{made.ids['rejection']}/", f"/endpoints/{made.ids['endpoint']}/"
    connection, order = f"/connections/{books.public_id}/", f"/orders/{made.ids['order']}/"
    person, hold = f"/settings/people-data/{made.ids['subject']}/", made.ids["hold"]
    return [
        "/settings/people-data/", person, f"{person}erase",
        "/settings/retention/", f"/settings/retention/holds/{hold}/lift",
        "/overview/?period=all", "/overview/", "/figures/", "/figures/orders_placed/?period=all",
        "/figures/open_cases/?period=all", "/figures/approval_lag/?period=7", "/figures/runs_by_status/?period=90",
        "/orders/", "/orders/?q=nothing-like-it", order, f"{order}?show=cases",
        "/events/", "/events/?q=nothing-like-it", f"/events/{made.ids['event']}/",
        "/quarantine/", "/quarantine/?code=reserved", rejection, f"/quarantine/{taken.public_id}/",
        "/endpoints/", "/endpoints/new/", endpoint, f"{endpoint}secret", f"{endpoint}switch", f"/endpoints/{shop.public_id}/",
        "/connections/", "/connections/new/", "/connections/new/http/", connection, f"{connection}edit",
        f"{connection}secret", f"{connection}remove", "/settings/",
        f"{connection}pause/paused", f"{connection}limit", "/settings/pause/paused", "/settings/limit",
    ]  # fmt: skip
