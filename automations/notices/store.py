"""SQL of the notices: lines that count, in one statement for a whole batch; what waits to go out, over all tenants."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db import connection

from kernel import ids

Line = tuple[UUID, str, str, str, str, UUID, int]
"""user, about, alike, title, severity, case, count."""
_TELL: Final = """
insert into notices_notice (id, user_id, about, alike, title, severity, case_id, count, at)
select id, user_id, about, alike, title, severity, case_id, count, %s
from unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::int[])
     as given (id, user_id, about, alike, title, severity, case_id, count)
on conflict (user_id, about, alike) where read_at is null do update
set count = notices_notice.count + excluded.count, title = excluded.title, severity = excluded.severity,
    case_id = excluded.case_id, at = excluded.at, mailed_at = null
"""
WAITING: Final = """
select coalesce(array_agg(id), '{{}}') from (
    select id from {schema}.notices_message
    where sent_at is null and given_up_at is null and send_at <= %s
    order by send_at limit 50
) as due
"""


def tell(lines: Sequence[Line], at: datetime) -> None:
    """Write lines, or count them where the same line is there and unread."""
    if not lines:
        return
    columns = list(zip(*sorted(lines, key=lambda line: (str(line[0]), line[1], line[2])), strict=True))
    with connection.cursor() as cursor:
        cursor.execute(_TELL, [at, [ids.uuid7() for _ in lines], *(list(column) for column in columns)])
