"""CloudEvents in every mode, Standard Webhooks to the letter, and nothing that two readers could read differently."""

import base64
import json
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standardwebhooks import Webhook

from automations.connectors.contract import Arrival, Delivery, Flaw
from automations.connectors.errors import SignatureMissing, SignatureWrong, TimestampStale
from automations.events import contract
from automations.events.errors import NotAnEvent, WrongMediaType
from automations.events.models import Event
from kernel.errors import Invalid, TooLarge
from tests.support import make
from tests.support.cast import NOW

SHARED = Path("/work/shared/payloads")
needs_payloads = pytest.mark.skipif(not SHARED.exists(), reason="the shared payloads are not on this machine")
STRUCTURED = "application/cloudevents+json"


def delivery(body: Any, content_type: str = STRUCTURED, **headers: str) -> Delivery:
    named = {"Content-Type": content_type, **{key.replace("_", "-"): value for key, value in headers.items()}}
    return Delivery(make.headers(named), make.body(body))


def one(*arguments: Any, **keywords: Any) -> Arrival:
    (found,) = contract.read(delivery(*arguments, **keywords))
    assert isinstance(found, Arrival)
    return found


class TestModes:
    def test_structured(self) -> None:
        found = one(
            make.cloudevent(id="e-1", correlationid="c-1"), "application/cloudevents+json; charset=UTF-8"
        )
        assert (found.id, found.type, found.source, found.subject) == (
            "e-1",
            "order.placed",
            "/shops/harbour",
            "10045",
        )
        assert found.time == datetime(2026, 3, 2, 8, 14, 9, tzinfo=UTC)
        assert found.data == make.order()
        assert found.extensions == {"correlationid": "c-1"}

    def test_binary(self) -> None:
        found = one(
            {"a": [1, None]},
            "application/json; charset=utf-8",
            ce_specversion="1.0",
            ce_id="e-1",
            ce_source="/shop",
            ce_type="till.opened",
            ce_time="2026-03-02T10:14:09+02:00",
            ce_subject="Gr%C3%BCn%20%2Fx",
            ce_causationid="c-7",
        )
        assert (found.subject, found.data, found.extensions) == (
            "Grün /x",
            {"a": [1, None]},
            {"causationid": "c-7"},
        )
        assert found.time == datetime(2026, 3, 2, 8, 14, 9, tzinfo=UTC)

    def test_binary_with_text(self) -> None:
        found = one("Hällo".encode(), "text/plain; charset=utf-8", **self.ATTRIBUTES)
        assert (found.data, found.extensions) == ("Hällo", {"datacontenttype": "text/plain; charset=utf-8"})

    def test_binary_with_bytes(self) -> None:
        found = one(b"\x00\xff", "image/png", **self.ATTRIBUTES)
        assert found.data is None
        assert found.extensions == {"datacontenttype": "image/png", "data_base64": "AP8="}

    def test_binary_without_body(self) -> None:
        assert one(b"", "application/json", **self.ATTRIBUTES).data is None

    def test_a_batch_keeps_its_order_and_names_its_flaws(self) -> None:
        found = contract.read(
            delivery(
                [make.cloudevent(id="a"), {"id": 1}, make.cloudevent(id="b")],
                "application/cloudevents-batch+json",
            )
        )
        assert isinstance(found[0], Arrival)
        assert isinstance(found[2], Arrival)
        assert (found[0].id, found[2].id) == ("a", "b")
        assert found[1] == Flaw("specversion", "must be 1.0", {"id": 1})

    @pytest.mark.parametrize("body", [{}, "text", 5, None])
    def test_a_batch_is_an_array(self, body: Any) -> None:
        with pytest.raises(NotAnEvent):
            contract.read(delivery(json.dumps(body).encode(), "application/cloudevents-batch+json"))

    @pytest.mark.parametrize(
        "content_type",
        [
            "application/json",
            "application/cloudevents+xml",
            "application/cloudevents+json; charset=utf-16",
            "",
        ],
    )
    def test_other_media_types_are_not_read(self, content_type: str) -> None:
        with pytest.raises(WrongMediaType):
            contract.read(delivery(make.cloudevent(), content_type))

    ATTRIBUTES = {"ce_specversion": "1.0", "ce_id": "e", "ce_source": "/s", "ce_type": "t.x"}


class TestAttributes:
    @pytest.mark.parametrize(
        ("changes", "attribute", "reason"),
        [
            ({"specversion": "0.3"}, "specversion", "must be 1.0"),
            ({"specversion": None}, "specversion", "must be 1.0"),
            ({"id": None}, "id", "is missing"),
            ({"id": ""}, "id", "is missing"),
            ({"id": 5}, "id", "must be a string"),
            ({"id": "x" * 201}, "id", "must have 1 to 200 characters"),
            ({"source": None}, "source", "is missing"),
            ({"source": "a b"}, "source", "must be a URI reference"),
            ({"type": "a\nb"}, "type", "holds a control character"),
            ({"subject": ""}, "subject", "must have 1 to 200 characters"),
            ({"subject": {}}, "subject", "must be a string"),
            ({"time": "yesterday"}, "time", "must be an RFC 3339 time with a zone"),
            ({"time": "2026-03-02T08:14:09"}, "time", "must be an RFC 3339 time with a zone"),
            ({"time": "2026-W10-1T08:14:09Z"}, "time", "must be an RFC 3339 time with a zone"),
            ({"time": "2026-02-30T08:14:09Z"}, "time", "is no instant that exists"),
            ({"time": "0001-01-01T00:00:00+14:00"}, "time", "is no instant that exists"),
            ({"time": 5}, "time", "must be an RFC 3339 time with a zone"),
            ({"datacontenttype": "json"}, "datacontenttype", "must be a media type"),
            ({"dataschema": "no uri"}, "dataschema", "must be a URI"),
            ({"data_base64": "AA=="}, "data_base64", "stands beside data; one of the two"),
            ({"Upper": "x"}, "Upper", "is no name of an attribute: use a-z and 0-9"),
            ({"nested": {"a": 1}}, "nested", "must be a string, a boolean or a 32 bit integer"),
            ({"big": 2**31}, "big", "must be a string, a boolean or a 32 bit integer"),
            ({"half": 0.5}, "half", "must be a string, a boolean or a 32 bit integer"),
            ({"long": "x" * 1_025}, "long", "must have at most 1024 characters"),
            ({f"ext{number}": 1 for number in range(33)}, "extensions", "are too many: at most 32 are kept"),
        ],
    )
    def test_what_is_wrong_is_said_with_its_name(self, changes: Any, attribute: str, reason: str) -> None:
        event = {**make.cloudevent(), **changes}
        with pytest.raises(NotAnEvent) as caught:
            contract.read(delivery({name: value for name, value in event.items() if value is not None}))
        assert caught.value.fields == {attribute: [reason]}
        assert caught.value.status == 400

    def test_null_means_absent(self) -> None:
        event = {**make.cloudevent(time=None), "subject": None, "time": None, "dataschema": None, "ext": None}
        found = one(event)
        assert (found.subject, found.time, found.extensions) == ("", None, {})

    def test_data_in_base64_is_read_where_it_is_json(self) -> None:
        packed = base64.b64encode(b'{"a":1}').decode()
        event = {**make.cloudevent(), "data_base64": packed, "datacontenttype": "application/json"}
        del event["data"]
        assert one(event).data == {"a": 1}
        del event["datacontenttype"]
        assert (one(event).data, one(event).extensions) == (None, {"data_base64": packed})

    def test_what_differs_has_another_digest_and_what_does_not_has_the_same(self) -> None:
        event = make.cloudevent()
        assert one(event).digest == one(dict(reversed(event.items()))).digest
        for change in ({"data": {}}, {"subject": "x"}, {"ext": "1"}, {"time": None}):
            assert one({**event, **change}).digest != one(event).digest

    def test_integers_beyond_64_bits_stay_exact(self) -> None:
        assert one(make.cloudevent(data={"n": 10**30})).data == {"n": 10**30}


class TestHostileJson:
    @pytest.mark.parametrize(
        "body",
        [
            b'{"specversion":"1.0","specversion":"1.0"}',
            b'{"data": NaN}',
            b'{"data": 1e999}',
            b'{"data": "\\ud800"}',
            b'{"data": ' + b"1" * 401 + b"}",
            b'{"data": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
            b"[" * 100_000,
            b"\x80",
        ],
    )
    def test_is_refused_in_no_time(self, body: bytes) -> None:
        started = time.thread_time()
        with pytest.raises((Invalid, TooLarge)):
            contract.read(delivery(body))
        assert time.thread_time() - started < 0.1

    def test_many_keys_are_not_slow(self) -> None:
        body = json.dumps(
            {**make.cloudevent(data={f"k{number}": number for number in range(60_000)})}
        ).encode()
        started = time.thread_time()
        assert len(one(body).data) == 60_000
        assert time.thread_time() - started < 0.5


class TestSignatures:
    BODY = b'{"test": 2432232314}'
    SECRET = contract.new_secret()

    def verify(self, headers: Any, *keys: str, at: datetime = NOW, body: bytes = BODY) -> None:
        contract.verify(Delivery(headers, body), keys or (self.SECRET,), at)

    def test_ours_is_what_the_reference_library_makes(self) -> None:
        right = Webhook(self.SECRET).sign("msg_1", NOW, self.BODY.decode())
        assert make.signed(self.BODY, self.SECRET)["webhook-signature"] == right
        self.verify(make.signed(self.BODY, self.SECRET))

    @pytest.mark.parametrize("change", [b"", b'{"test": 2432232315}', b'{"test": 2432232314} '])
    def test_a_tampered_body_is_found(self, change: bytes) -> None:
        with pytest.raises(SignatureWrong):
            self.verify(make.signed(self.BODY, self.SECRET), body=change)

    def test_a_tampered_id_or_timestamp_is_found(self) -> None:
        headers = dict(make.signed(self.BODY, self.SECRET))
        later = str(int(NOW.timestamp()) + 1)
        for change in ({"webhook-id": "msg_2"}, {"webhook-timestamp": later}):
            with pytest.raises(SignatureWrong):
                self.verify(make.headers({**headers, **change}))

    def test_any_key_and_any_signature_of_the_list_will_do(self) -> None:
        other = contract.new_secret()
        headers = dict(make.signed(self.BODY, self.SECRET))
        wrong = make.signed(self.BODY, other)["webhook-signature"]
        headers["webhook-signature"] = f"{wrong} {headers['webhook-signature']} v1a,xyz"
        self.verify(make.headers(headers), contract.new_secret(), self.SECRET)

    @pytest.mark.parametrize("form", ["v1a,{}", "v2,{}", "{}", "v1{}", "v1,", "v1,{}x", ",{}", "V1,{}"])
    def test_only_scheme_v1_counts(self, form: str) -> None:
        headers = dict(make.signed(self.BODY, self.SECRET))
        bare = headers["webhook-signature"].partition(",")[2]
        with pytest.raises(SignatureWrong):
            self.verify(make.headers({**headers, "webhook-signature": form.format(bare)}))

    def test_a_list_without_end_is_not_walked(self) -> None:
        headers = dict(make.signed(self.BODY, self.SECRET))
        headers["webhook-signature"] = "v1,x " * 10 + headers["webhook-signature"]
        with pytest.raises(SignatureWrong):
            self.verify(make.headers(headers))

    @pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", "1614265330.5", "١٢٣", "9" * 13])
    def test_a_timestamp_is_digits(self, timestamp: str) -> None:
        headers = {**make.signed(self.BODY, self.SECRET), "webhook-timestamp": timestamp}
        with pytest.raises((SignatureWrong, SignatureMissing)):
            self.verify(make.headers(headers))

    @pytest.mark.parametrize(("seconds", "stale"), [(299, False), (300, False), (301, True)])
    def test_the_window_has_an_edge(self, seconds: int, stale: bool) -> None:
        headers = make.signed(self.BODY, self.SECRET)
        for at in (NOW + timedelta(seconds=seconds), NOW - timedelta(seconds=seconds)):
            if stale:
                with pytest.raises(TimestampStale):
                    self.verify(headers, at=at)
            else:
                self.verify(headers, at=at)

    def test_no_key_at_all_verifies_nothing(self) -> None:
        with pytest.raises(SignatureWrong):
            contract.verify(Delivery(make.signed(self.BODY, self.SECRET), self.BODY), (), NOW)

    @pytest.mark.parametrize(
        "secret", ["", "whsec_", "whsec_c2hvcnQ=", "whsec_not base64 at all!", "x" * 44, "whsec_" + "A" * 100]
    )
    def test_a_weak_secret_is_refused(self, secret: str) -> None:
        with pytest.raises(ValueError, match="24 to 64 bytes"):
            contract.check_secret(secret)

    def test_a_new_secret_is_256_bits(self) -> None:
        contract.check_secret(self.SECRET)
        assert len(base64.b64decode(self.SECRET.removeprefix("whsec_"))) == 32
        assert contract.new_secret() != self.SECRET

    @needs_payloads
    def test_the_published_vectors_verify(self) -> None:
        vectors = json.loads((SHARED / "signature_vectors.json").read_text())
        chosen = [one for one in vectors if one["scheme"] == "standard-webhooks"]
        for vector in chosen:
            headers = make.headers(
                {
                    "webhook-id": vector["id"],
                    "webhook-timestamp": str(vector["timestamp"]),
                    "webhook-signature": vector["value"],
                }
            )
            at = datetime.fromtimestamp(vector["timestamp"], UTC)
            contract.verify(Delivery(headers, vector["body"].encode()), [vector["secret"]], at)
            with pytest.raises(SignatureWrong):
                contract.verify(Delivery(headers, vector["body"].encode() + b" "), [vector["secret"]], at)
        assert len(chosen) == 1


_TEXT = st.text(st.characters(blacklist_categories=("Cs", "Cc")), min_size=1, max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)
_EVENTS = st.fixed_dictionaries(
    {
        "specversion": st.sampled_from(["1.0", "0.3", "", 1]),
        "id": _TEXT | st.integers() | st.just(""),
        "source": st.sampled_from(["/a", "urn:x:y", "https://x.example/a?b#c", "", "a b", 5]),
        "type": _TEXT | st.just(""),
    },
    optional={
        "subject": _TEXT | st.none() | st.just(""),
        "time": st.sampled_from(["2026-03-02T08:14:09Z", "2026-03-02", "", None, 7]),
        "datacontenttype": st.sampled_from(["application/json", "text/plain", "", None]),
        "dataschema": st.sampled_from(["https://x.example/s", "s", None]),
        "data": _JSON,
    },
)


@needs_payloads
class TestConformance:
    def test_the_http_binding_of_the_conformance_kit(self) -> None:
        text = (SHARED / "cloudevents_conformance/features__http-protocol-binding.feature").read_text()
        ran = 0
        for outline in text.split("Scenario Outline:")[1:]:
            request, expected_data = re.findall(r'"""\n(.*?)\n\s*"""', outline, re.DOTALL)
            table, examples = outline.split("Examples:")
            wanted = dict(re.findall(r"\|\s*(\w+)\s*\|\s*(\S.*?)\s*\|", table))
            content_types = [line.strip(" |") for line in examples.splitlines()[2:] if line.strip(" |")]
            for content_type in content_types:
                head, _, body = request.replace("<contentType>", content_type).partition("\n\n")
                lines = [line.strip().partition(": ") for line in head.splitlines()[1:]]
                headers = {name: value for name, _, value in lines}
                (found,) = contract.read(Delivery(make.headers(headers), body.encode()))
                assert isinstance(found, Arrival)
                assert found.id == wanted["id"]
                assert found.type == wanted["type"]
                assert found.source == wanted["source"]
                assert found.time == datetime.fromisoformat(wanted["time"])
                assert found.data == json.loads(expected_data)
                ran += 1
        assert ran == 4

    SCHEMA = SHARED / "cloudevents_spec_schema/cloudevents__formats__cloudevents.json"

    @given(event=_EVENTS)
    @settings(max_examples=300, deadline=None)
    def test_what_we_take_is_valid_by_the_standards_schema_and_stays_so(self, event: Any) -> None:
        schema = jsonschema_rs.Draft7Validator(json.loads(self.SCHEMA.read_text()), validate_formats=True)
        try:
            found = one(event)
        except NotAnEvent:
            return
        assert schema.is_valid(event)
        stored = Event(
            source=found.source,
            event_id=found.id,
            type=found.type,
            subject=found.subject,
            time=found.time or NOW,
            data=found.data,
            extensions=found.extensions,
        )
        assert schema.is_valid(stored.envelope())
        assert one(stored.envelope()).data == found.data
