"""Three tenants at once, in many threads and in any order: nothing of one ever turns up in another."""

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest
from asgiref.sync import sync_to_async
from django.contrib.contenttypes.models import ContentType
from django.core.cache import CacheHandler
from django.db import connection, transaction
from django.test import Client

from automations.connectors import actions as connectors
from automations.connectors.models import Connection
from automations.engine.models import Definition, Workflow
from kernel import ids
from kernel import jobs as kernel_jobs
from kernel.errors import NotFound
from kernel.secrets import SecretUnreadable
from portal import settings as ours
from tenants.access import actions as access
from tenants.access import policy
from tenants.access.queries import actor_for
from tenants.tenancy import context
from tenants.tenancy.errors import NoTenant
from tenants.tenancy.models import Tenant
from tenants.tenancy.queries import TenantRef, host, ref_of
from tests.house.ground import MARKS, Ground
from tests.house.world import BY
from tests.support.cast import NOW

THREADS: Final = 6
ROUNDS: Final = 600
FEWEST: Final = 3_000
JOB: Final = "test.where_am_i"
CACHES: Final = CacheHandler(ours.CACHES)
"""The portal's own, whose keys name the tenant; tests of pages have another."""


@dataclass
class Place:
    """A tenant with what is its own and nobody else's."""

    ref: TenantRef
    host: str
    token: str
    mark: str
    connection: Any
    secret: str


@dataclass
class Town:
    """All places, a key that a row of each has, and who may do something to that row in Hollis alone."""

    places: list[Place]
    twin: Any
    person: Any
    faults: list[str] = field(default_factory=list)
    done: Counter[str] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)


@pytest.fixture(scope="module")
def town(ground: Ground, django_db_blocker: Any) -> Iterator[Town]:
    """Three tenants with a connection, a secret and a workflow each, the workflows under one and the same key."""
    with django_db_blocker.unblock():
        twin = ids.uuid7()
        tokens = {"hollis": "token", "novel": "novel_token", "arbor": "other_token"}
        hosts = {"arbor": ground.cast.other_host, "hollis": ground.cast.host}
        hosts["novel"] = f"novel.{ground.cast.partner_host}"
        places = [_place(slug, hosts[slug], ground.tokens[name], twin) for slug, name in tokens.items()]
        found = Town(places, twin, ground.cast.analyst)
        with context.enter(places[0].ref):
            access.grant(
                user=found.person,
                permission="engine.operate",
                obj=Workflow.objects.get(pk=twin),
                actor=BY,
                now=NOW,
            )
        yield found


def _place(slug: str, at: str, token: str, twin: Any) -> Place:
    ref, secret = ref_of(Tenant.objects.get(slug=slug)), f"the secret of {slug}"
    with context.enter(ref):
        row = Connection.objects.order_by("id")[0]
        connectors.update_connection(connection=row, auth="bearer", actor=BY, now=NOW)
        connectors.set_secret(connection=row, secret=secret, actor=BY, now=NOW)
        Workflow.objects.create(
            id=twin,
            name="twin",
            title=f"{MARKS[slug]} twin",
            definition=Definition.objects.order_by("id")[0],
            created_at=NOW,
        )
    return Place(ref, at, token, MARKS[slug], row.id, secret)


def rows(town: Town, place: Place) -> None:
    """Rows by the ORM and by plain SQL are the tenant's own."""
    with context.enter(place.ref):
        assert {name.split()[0] for name in Connection.objects.values_list("name", flat=True)} == {place.mark}
        with connection.cursor() as cursor:
            cursor.execute("select title from engine_workflow where id = %s", [town.twin])
            assert cursor.fetchall() == [(f"{place.mark} twin",)]


def cache(town: Town, place: Place) -> None:
    """One key, three values."""
    with context.enter(place.ref):
        CACHES["default"].set("who", place.mark, 60)
        assert CACHES["default"].get("who") == place.mark
    with context.leave(), pytest.raises(NoTenant):
        CACHES["default"].get("who")


def session(town: Town, place: Place) -> None:
    """A token and a session count where they were made, and show what is there."""
    other = random.choice([one for one in town.places if one is not place])
    shown = Client(HTTP_HOST=place.host).get("/api/v1/connections", headers=_bearer(place))
    assert shown.status_code == 200
    assert {one["name"].split()[0] for one in shown.json()["items"]} == {place.mark}
    assert Client(HTTP_HOST=other.host).get("/api/v1/connections", headers=_bearer(place)).status_code == 401


def _bearer(place: Place) -> dict[str, str]:
    return {"Authorization": f"Bearer {place.token}"}


def task(town: Town, place: Place) -> None:
    """A job belongs to the tenant that it was asked for in, whoever is entered when it is sent or done."""
    other = random.choice(town.places)
    with kernel_jobs.recorded() as recorded:
        with context.enter(other.ref), transaction.atomic(), context.enter(place.ref):
            kernel_jobs.enqueue(JOB, mark=place.mark)
        with context.enter(other.ref):
            assert recorded.run_all() == 1
            assert context.current().id == other.ref.id


def secret(town: Town, place: Place) -> None:
    """A secret opens in its tenant; the same row is nothing elsewhere."""
    other = random.choice([one for one in town.places if one is not place])
    with context.enter(place.ref):
        assert place.secret in connectors.open_connection(place.connection).headers()["Authorization"]
    with context.enter(other.ref), pytest.raises((NotFound, SecretUnreadable, Connection.DoesNotExist)):
        connectors.open_connection(place.connection)


def grants(town: Town, place: Place) -> None:
    """A grant on a row holds in its tenant alone, under the very same key, for the very same person."""
    with context.enter(place.ref):
        row = Workflow.objects.get(pk=town.twin)
        actor = actor_for(town.person, host(place.host, "localhost"))
        assert policy.may(actor, "engine.operate", row) == (place is town.places[0])


def content_types(town: Town, place: Place) -> None:
    """They are shared, so that what a process remembers of them is right everywhere."""
    with context.enter(place.ref):
        if random.random() < 0.2:
            ContentType.objects.clear_cache()
        kept = ContentType.objects.get_for_model(Workflow)
        assert kept.model_class() is Workflow
        with connection.cursor() as cursor:
            cursor.execute(
                "select id from django_content_type where app_label = 'engine' and model = 'workflow'"
            )
            assert cursor.fetchall() == [(kept.pk,)]


def in_and_out(town: Town, place: Place) -> None:
    """Whoever enters comes back to where they were, also after an error."""
    other = random.choice(town.places)
    with context.enter(other.ref):
        with pytest.raises(ZeroDivisionError), context.enter(place.ref):
            assert context.current().id == place.ref.id
            _ = 1 / 0
        assert context.current().id == other.ref.id
        assert Workflow.objects.get(pk=town.twin).title == f"{other.mark} twin"
    assert context.current_or_none() is None
    with pytest.raises(NoTenant):
        Workflow.objects.exists()


def other_threads(town: Town, place: Place) -> None:
    """Work that is handed to another thread finds its own tenant there, or none."""

    def look() -> str:
        try:
            return str(Workflow.objects.get(pk=town.twin).title)
        except NoTenant:
            return ""
        finally:
            connection.close()

    async def ask() -> str:
        return await sync_to_async(look, thread_sensitive=False)()

    with context.enter(place.ref):
        assert asyncio.run(ask()) in ("", f"{place.mark} twin")


DOES: Final[list[Callable[[Town, Place], None]]] = [
    rows,
    rows,
    cache,
    cache,
    grants,
    content_types,
    in_and_out,
    secret,
    task,
    session,
    other_threads,
]


def walk(town: Town, seed: int, blocker: Any) -> None:
    """One thread: so many things, in any order, wherever."""
    dice = random.Random(seed)
    with blocker.unblock():
        try:
            for _ in range(ROUNDS):
                does, place = dice.choice(DOES), dice.choice(town.places)
                try:
                    does(town, place)
                except BaseException as error:  # noqa: BLE001 - told of at the end, with all others
                    with town.lock:
                        town.faults.append(f"{does.__name__} in {place.mark}: {error!r}"[:400])
                with town.lock:
                    town.done[does.__name__] += 1
        finally:
            connection.close()


@pytest.mark.timeout(300)
def test_nothing_crosses_over(town: Town, django_db_blocker: Any, capsys: pytest.CaptureFixture[str]) -> None:
    heard: list[tuple[str, str]] = []

    @kernel_jobs.job(JOB)
    def where(*, mark: str, **_: object) -> None:
        heard.append((mark, context.current().slug))

    try:
        threads = [
            threading.Thread(target=walk, args=(town, seed, django_db_blocker)) for seed in range(THREADS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        del kernel_jobs.registry[JOB]
    assert not town.faults, f"{len(town.faults)} faults, such as:\n" + "\n".join(town.faults[:10])
    assert town.done.total() >= FEWEST
    assert set(town.done) == {does.__name__ for does in DOES}
    assert Counter(MARKS[slug] == mark for mark, slug in heard) == {True: town.done["task"]}
    with capsys.disabled():
        print(f"\ninterleaved: {town.done.total()} things in {THREADS} threads, nothing crossed over")


def test_it_sees_what_crosses_over(town: Town, django_db_blocker: Any) -> None:
    """The checks themselves: with the places' names swapped each of them objects."""
    first, second = town.places[0], town.places[1]
    swapped = Place(first.ref, first.host, first.token, second.mark, second.connection, second.secret)
    with django_db_blocker.unblock():
        for does in (rows, secret, session):
            with pytest.raises((AssertionError, NotFound, SecretUnreadable, Connection.DoesNotExist)):
                does(town, swapped)


def test_no_room_keeps_files_that_all_tenants_share() -> None:
    """Nothing is stored as a file under a name that two tenants could both have; the day it is, this says so."""
    from portal.env import ROOT

    users = [
        str(path.relative_to(ROOT))
        for house in ("kernel", "tenants", "automations", "templates_lib", "billing", "portal")
        for path in (ROOT / house).rglob("*.py")
        if any(
            word in path.read_text()
            for word in ("default_storage", "models.FileField(", "models.ImageField(")
        )
    ]
    assert users == [], "let the storage's names begin with the tenant's key, and try it in DOES above"
