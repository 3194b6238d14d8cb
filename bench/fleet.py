"""The fleet page of a partner with many clients: time from request to answer, and statements, in one process."""

import argparse
import json
import statistics
import time

from bench import ground


def main() -> None:
    """Make clients, sign the partner's admin in, and ask for the page again and again."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--turns", type=int, default=20)
    options = parser.parse_args()
    with ground.servers():
        ground.ready()
        for number in range(options.count):
            ground.tenant(f"client-{number}")
        seconds, statements, size = _asked(options.turns)
    print(
        json.dumps(
            {
                "name": "fleet",
                "tenants": options.count,
                "p50_s": round(statistics.median(seconds), 3),
                "max_s": round(max(seconds), 3),
                "statements": statements,
                "html_kb": round(size / 1_024, 1),
            }
        )
    )


def _asked(turns: int) -> tuple[list[float], int, int]:
    """(seconds of each turn, statements of the last one, bytes of the page); the first turn is not counted."""
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from kernel import clock
    from kernel.actor import system
    from tenants.access import actions as access
    from tenants.access.enums import Role
    from tenants.access.models import User
    from tenants.tenancy.models import Domain, Partner

    settings.STORAGES["staticfiles"] = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    partner = Partner.objects.get(slug="bench")
    host = f"bench.{settings.BASE_DOMAIN}"
    Domain.objects.get_or_create(
        host=host, defaults={"partner": partner, "verified_at": clock.now(), "created_at": clock.now()}
    )
    access.add_member(
        partner=partner,
        tenant=None,
        email="admin@bench.test",
        name="Admin",
        role=Role.PARTNER_ADMIN,
        actor=system("bench"),
        now=clock.now(),
    )
    browser = Client(HTTP_HOST=host)
    browser.force_login(User.objects.get(email="admin@bench.test"), settings.AUTHENTICATION_BACKENDS[0])
    session = browser.session
    session["host"] = host
    session.save()
    seconds = []
    for _turn in range(turns + 1):
        began = time.perf_counter()
        answer = browser.get("/clients/")
        seconds.append(time.perf_counter() - began)
        if answer.status_code != 200:
            raise SystemExit(f"the page answered {answer.status_code}")
    with CaptureQueriesContext(connection) as seen:
        browser.get("/clients/")
    return seconds[1:], len(seen), len(answer.content)


if __name__ == "__main__":
    main()
