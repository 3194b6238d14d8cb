"""Runs that carry much: rows stay small, the run page and resuming see all of it, and it goes with the run."""

import random
import string
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from django.db import connection

from automations.engine import queries
from automations.engine.actions import carry, operate
from automations.engine.models import Blob, Run
from automations.events.models import Event
from kernel import clock, jsonx
from tests.automations.engine.actions.test_drain import BY, deploy, only_run, place

_random = random.Random(11)


def noise(length: int) -> str:
    return "".join(_random.choices(string.ascii_letters, k=length))


def serve(body: bytes) -> int:
    """A server that answers with `body`, for as long as the tests run; its port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


def widest() -> int:
    """The longest bytes of any row that the engine writes for runs."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            select greatest(
              (select coalesce(max(length(steps)), 0) from engine_segment),
              (select coalesce(max(length(snapshot)), 0) from engine_state),
              (select coalesce(max(greatest(length(input), length(output))), 0) from engine_run))
            """
        )
        return int(cursor.fetchone()[0])


def test_a_catalogue_of_twenty_megabytes_goes_through_a_run(committed, tenant, worker, settings):
    articles = [{"sku": f"SKU-{n}", "text": noise(200)} for n in range(92_000)]
    port = serve(jsonx.dumps(articles))
    settings.EGRESS_ALLOW = frozenset({f"127.0.0.1:{port}"})
    deploy(
        f"""
do:
  - load: {{call: http, with: {{method: get, endpoint: 'http://127.0.0.1:{port}/catalogue'}}, output: {{as: '{{catalogue: .}}'}}}}
  - pause: {{wait: PT0.05S}}
  - count: {{set: {{n: '${{ .catalogue | length }}', last: '${{ .catalogue[-1].sku }}', catalogue: '${{ .catalogue }}'}}}}
  - done: {{set: {{n: '${{ .n }}', last: '${{ .last }}'}}}}
"""
    )
    place()
    worker(seconds=30.0)
    run = only_run()
    assert (run.status, queries.run_view(run.id).output) == ("completed", {"n": 92_000, "last": "SKU-91999"})
    assert widest() < 64 * 1024
    (blob,) = Blob.objects.all()
    assert blob.size > 20_000_000
    load, _, count, _ = queries.journal(run.id)
    assert [part.path for part in load.kept] == [("o", "catalogue")]
    assert load.output == {"catalogue": {"keptApart": {"sha256": blob.digest, "bytes": blob.size}}}
    assert (count.output["n"], count.kept[0].digest) == (92_000, blob.digest)
    assert queries.journal(run.id, complete=True)[0].output == {"catalogue": articles}


def test_a_large_event_is_the_input_and_what_a_person_corrects(committed, tenant, worker):
    note = noise(120_000)
    deploy(
        "do: [{a: {set: {note: '${ .[0].data.note }', n: '${ .[0].subject }'}}},"
        " {b: {if: '.n != \"ok\"', raise: {error: {type: 'https://x/e', status: 400}}}}]"
    )
    place(note=note)
    worker()
    run = only_run()
    view = queries.run_view(run.id)
    assert (run.status, widest() < 64 * 1024) == ("suspended", True)
    assert [part.size for part in view.input_kept] == [120_002]
    assert view.failed_data["note"] == note  # what a person corrects is whole
    operate.resume(
        run_id=run.id, mode="edit", value={**view.failed_data, "n": "ok"}, actor=BY, now=clock.now()
    )
    assert widest() < 64 * 1024
    worker()
    assert only_run().status == "completed"
    output = queries.run_view(run.id).output
    assert (output["n"], output["note"]["keptApart"]["bytes"]) == ("ok", 120_002)


def test_items_of_a_map_and_what_they_give(committed, tenant, worker):
    deploy(
        "do: [{m: {call: 'map:1@default', with: {each: one, in: '${ [.[0].data.note, .[0].data.note] }',"
        " do: [{a: {set: {text: '${ $one }'}}}]}}},"
        " {n: {set: {lengths: '${ map(.text | length) }'}}}]"
    )
    place(note=noise(100_000))
    worker()
    parent = Run.objects.get(parent_id=None)
    assert (parent.status, queries.run_view(parent.id).output) == (
        "completed",
        {"lengths": [100_000, 100_000]},
    )
    assert widest() < 64 * 1024


def test_a_long_journal_is_written_in_short_rows(committed, tenant, worker):
    deploy("do: [{l: {for: {in: '${ [range(3000)] }'}, do: [{a: {set: {n: '${ $index }'}}}]}}]")
    place()
    worker()
    run = only_run()
    steps = queries.journal(run.id, most=5_000)
    assert [step.no for step in steps] == list(range(3_001))
    assert queries.line_count(run.id) == 3_001
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from engine_segment")
        assert cursor.fetchone()[0] >= 6


def test_a_value_that_is_too_large_holds_the_run_in_front_of_it(committed, tenant, worker, monkeypatch):
    monkeypatch.setattr(carry, "MAX_VALUE", 100_000)
    deploy(
        "do: [{a: {set: {x: 1}}}, {w: {wait: PT0.05S}},"
        f" {{b: {{set: {{x: '{noise(90_000)}', y: '{noise(90_000)}'}}}}}},"
        " {c: {set: {z: '${ .x + .y }'}}}]"
    )
    place()
    worker()
    run = only_run()
    assert (run.status, run.error["limit"], run.error["code"]) == ("suspended", "value", "limit_value")
    assert Event.objects.get(type="portal.run.suspended").data["error"]["limit"] == "value"
    assert [step.name for step in queries.journal(run.id)] == ["a"]
    operate.cancel(run_id=run.id, actor=BY, now=clock.now(), reason="too large")
    assert only_run().status == "cancelled"


def test_a_run_that_could_not_be_written_is_tried_again_from_what_was(committed, tenant, worker, monkeypatch):
    deploy(f"do: [{{a: {{set: {{x: '{noise(200_000)}'}}}}}}, {{b: {{set: {{n: '${{ .x | length }}'}}}}}}]")
    with monkeypatch.context() as patch:
        patch.setattr(carry, "MAX_VALUE", 100_000)
        place()
        worker()
    assert only_run().status == "suspended"
    operate.resume(run_id=only_run().id, mode="retry", actor=BY, now=clock.now())
    worker()
    run = only_run()
    assert (run.status, queries.run_view(run.id).output) == ("completed", {"n": 200_000})
    steps = queries.journal(run.id)
    assert [(step.no, step.status) for step in steps] == [(0, "resumed"), (1, "completed"), (2, "completed")]


def test_a_run_has_an_age(committed, tenant, worker, monkeypatch):
    monkeypatch.setattr(carry, "MAX_AGE", 2.0)
    deploy("do: [{l: {listen: {to: {one: {with: {type: never.comes}}}}}}]")
    place()
    worker(idle=2.5)
    run = only_run()
    assert (run.status, run.error["limit"]) == ("suspended", "age")


def test_what_is_kept_of_a_run_is_found_by_its_hash(committed, tenant, worker):
    deploy("do: [{a: {set: {text: '${ .[0].data.note }'}}}]")
    text = noise(100_000)
    place(note=text)
    worker()
    run = only_run()
    (part,) = queries.run_view(run.id).output_kept
    assert queries.kept_value(run.id, part.digest) == text
    assert queries.kept_value(run.id, "0" * 64) is None


def test_a_journal_that_was_written_line_by_line_is_folded(committed, tenant, worker):
    deploy("do: [{l: {for: {in: '${ [range(1100)] }'}, do: [{w: {wait: PT0.001S}}]}}]")
    place()
    worker(seconds=40.0)
    run = only_run()
    assert run.status == "completed"
    steps = queries.journal(run.id, most=5_000)
    assert [step.no for step in steps] == list(range(1_101))
    assert {step.status for step in steps} == {"completed"}
    with connection.cursor() as cursor:
        cursor.execute("select seq from engine_segment order by seq")
        rows = [row[0] for row in cursor.fetchall()]
    assert rows[:2] == [0, 512]
    assert len(rows) < 120  # what is not full yet stays as it was written
    assert [step.no for step in queries.tail(run.id, most=2_000)] == list(range(1_100, -1, -1))
    assert [step.no for step in queries.tail(run.id, before=700, most=300)] == list(range(699, 399, -1))
