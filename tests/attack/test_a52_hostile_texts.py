"""A52: markup in names, orders, comments and files, read in a real browser: nothing opens a dialog or leaves this host."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from automations.engine.models import Run
from automations.events import actions as events
from automations.inbox import actions
from automations.inbox.models import Case, View
from kernel import clock, ids
from kernel.actor import system
from tenants.access.actions import roles
from tenants.access.models import User
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant
from tests.attack.hostile_text import markup
from tests.automations.inbox.conftest import Bench
from tests.browser.conftest import Visit, chromium, server, visit
from tests.support import make
from tests.support.cast import Cast

__all__ = ["chromium", "server", "visit"]
SHARED = (
    "/inbox/?each=1", "/inbox/views/", "/runs/", "/orders/", "/events/", "/overview/?period=all", "/people/", "/roles/",
    "/roles/new", "/people/add", "/connections/", "/endpoints/", "/tokens/", "/audit/", "/notifications/", "/why/", "/settings/",
)  # fmt: skip


def furnish(cast: Cast) -> list[str]:
    """Everything that somebody may name or write is called by a text of the corpus; the addresses to look at."""
    now = clock.now()
    tenant = Tenant.objects.get(pk=cast.tenant.id)
    corpus = list(markup())
    User.objects.filter(pk=cast.reviewer.pk).update(name=corpus[0])
    place = {
        "partner": Partner.objects.get(slug="meridian"),
        "tenant": tenant,
        "actor": system("test"),
        "now": now,
    }
    with context.enter(cast.tenant):
        bench, rosa = Bench(), cast.actor(cast.reviewer)
        for number, text in enumerate(corpus):
            at = now - timedelta(minutes=number)
            run = bench.fail(order_id=text, address={"name": text}, at=at)
            case = Case.objects.get(run_id=run.pk)
            actions.comment_on_case(case_id=case.pk, text=text, actor=rosa, now=at)
            actions.attach_file(
                case_id=case.pk, name=f"{text[:60]}.txt", content=f"seen: {text}".encode(), actor=rosa, now=at
            )
            View.objects.create(
                owner_id=ids.uuid7(),
                owner=text,
                name=text[:60],
                slug=f"v-{number}",
                shared=True,
                created_at=at,
            )
            if number % 4 == 0:
                order = make.order(order_id=f"{number}-{text}", number=text)
                events.publish(
                    type="order.placed", subject=order["order_id"], data=order, source="/shop", time=at
                )
                make.connection(name=text[:60])
                make.endpoint(name=text[:60], now=at)
                roles.make_role(name=text[:60], permissions=["audit.read"], **place)
        while events.dispatch(context.current(), now=now):
            pass
        cases = [f"/inbox/{one.public_id}/" for one in Case.objects.filter(run_id__isnull=False)]
        runs = [f"/runs/{one.public_id}/" for one in Run.objects.all()[::6]]
    assert len(cases) >= len(corpus)
    return [
        *SHARED,
        *cases[: len(corpus)],
        *runs,
        *(f"/search/?q={text[:20]}" for text in ("<script>", "'\"><svg onload=alert(1)>")),
    ]


@pytest.mark.browser
@pytest.mark.timeout(400)
def test_nothing_that_people_write_does_anything(cast: Cast, visit: Callable[..., Visit]) -> None:
    addresses = furnish(cast)  # that this watch hears what acts is shown beside the drawings of A49
    seen = visit(cast.owner, cast.host)
    dialogs: list[str] = []
    seen.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    for path in addresses:
        answer = seen.go(path)
        assert answer.status == 200, path
        planted = seen.page.evaluate(
            "[...document.querySelectorAll('[onerror],[onload],[onfocus],[onmouseover],[ontoggle],iframe,object,embed,base,"
            'a[href^="javascript:" i],a[href^="data:" i],a[href^="http://evil" i],a[href^="//evil" i],img[src*="evil"]\')].map((one) => one.outerHTML)'
        )
        assert planted == [], path
        assert seen.page.evaluate("document.querySelectorAll('script').length") <= 3, path
    assert dialogs == []
    assert seen.foreign == []
    assert seen.complaints == []
