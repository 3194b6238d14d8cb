"""A17: a code is used once, also by a hundred at the same instant; six digits are not guessed."""

import threading
from collections.abc import Callable
from typing import Any

from django.db import connection

from kernel import clock
from tenants.access.models import User
from tenants.accounts.actions import factors
from tenants.accounts.errors import WrongCode
from tenants.accounts.models import RecoveryCode
from tests.support.cast import NOW, Cast

AT_ONCE = 10
ROUNDS = 10


def set_up(cast: Cast) -> tuple[User, str, list[str]]:
    secret = factors.new_secret()
    step = int(NOW.timestamp()) // factors.STEP_SECONDS
    made = factors.add_app(
        user=cast.owner,
        secret=secret,
        code=factors.code_at(secret, step),
        actor=cast.actor(cast.owner),
        now=NOW,
    )
    return cast.owner, secret, made.codes


def at_once(act: Callable[[], None]) -> int:
    """How many of ten threads came through."""
    through: list[int] = []
    ready = threading.Barrier(AT_ONCE)

    def one() -> None:
        try:
            ready.wait()
            with clock.hold(NOW):
                act()
            through.append(1)
        except WrongCode:
            return
        finally:
            connection.close()

    threads = [threading.Thread(target=one) for _ in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(through)


def test_a_code_is_used_once_whoever_comes_at_the_same_instant(committed: Any, cast: Cast, now: Any) -> None:
    user, secret, codes = set_up(cast)
    step = int(NOW.timestamp()) // factors.STEP_SECONDS + 1
    code = factors.code_at(secret, step)
    assert at_once(lambda: _shown(user, code)) == 1
    for recovery in codes[:ROUNDS]:
        assert at_once(lambda recovery=recovery: _shown(user, recovery)) == 1  # type: ignore[misc]
    assert RecoveryCode.objects.filter(user=user, used_at__isnull=True).count() == 0


def _shown(user: User, code: str) -> None:
    factors.show(user=user, code=code, now=NOW)


def test_the_codes_are_those_of_the_standard() -> None:
    """RFC 6238, appendix B, in six digits."""
    import base64

    secret = base64.b32encode(b"12345678901234567890").decode()
    for seconds, wanted in (
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ):
        assert factors.code_at(secret, seconds // 30) == wanted
