"""People's data and how long data are kept: find, export and erase a person; terms, legal holds, proofs of purges."""

from dataclasses import dataclass
from typing import Any, Final

from django.core.exceptions import ObjectDoesNotExist
from rest_framework import serializers

from kernel import clock
from kernel.errors import Conflict, Invalid, NotFound
from portal.api import fields
from portal.api.desk import ACCEPTED, CREATED, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from tenants.privacy import policy, queries
from tenants.privacy.actions import keeping, subjects
from tenants.privacy.enums import Keeps, Level, SubjectState
from tenants.privacy.errors import NotReady, OnHold
from tenants.privacy.models import LegalHold, SubjectRequest
from tenants.tenancy.models import Partner, Tenant

_TERMS: Final = "What the person is known by: e-mail addresses, telephone numbers, customer ids, full names."


def _texts(words: str, **more: Any) -> serializers.ListField:
    """Texts that say something."""
    return serializers.ListField(child=serializers.CharField(max_length=200), help_text=words, **more)


class SubjectShape(Shape):
    """A request about one person's data; it names nobody."""

    id = PublicId("dsr", source="public_id", help_text="Id of the request.")
    reference = fields.text("What the request is called here.")
    state = fields.one_of(SubjectState.choices, "How far it is.")
    asked_by = fields.text("Who asked.")
    asked_at = fields.at("When it was asked for.")
    found_at = fields.perhaps_at("When all was looked through; null until then.")
    erased_at = fields.perhaps_at("When the person was gone; null until then.")
    error = fields.text("What went wrong last; empty where nothing did.", allow_blank=True)


class SubjectWhole(SubjectShape):
    """A request with what was found."""

    terms = fields.anything("What the person is known by: as given, then what stood beside it.")
    given = fields.number("How many of these were given.")
    found = fields.anything("Rows in which the person stands, by table.")
    erased = fields.anything("Rows that were changed, by table.")
    orders = fields.anything("Business keys of what was found, at most 200.")
    hold = fields.text(
        "The legal hold that is in the way of an erasure; empty where none is.", allow_blank=True
    )


class SubjectTerms(Shape):
    """Who it is."""

    terms = _texts(_TERMS)


class NewSubject(SubjectTerms):
    """Somebody to look for."""

    reference = fields.text(
        "What you call the request; it stays for good, so it names nobody.",
        required=False,
        default="",
        allow_blank=True,
        max_length=80,
    )


class SubjectErase(Shape):
    """Erasing the person."""

    terms = _texts(f"{_TERMS} Without it, all that the request knows.", required=False, default=list)
    reference = fields.text("The request's reference again, so that no other is meant.", max_length=80)
    reason = fields.reason(required=True)


class SubjectRow(Shape):
    """A row in which the person stands."""

    table = fields.text("What kind of row it is.")
    key = fields.anything("Its key.")
    about = fields.text("The business key that it is about; empty where it is about none.", allow_blank=True)
    content = fields.anything("The members in which the person stands.")


@dataclass(frozen=True)
class _Whole:
    """A request with what is read out of it."""

    row: SubjectRequest
    terms: list[str]
    given: int
    found: dict[str, int]
    orders: list[str]
    hold: str

    def __getattr__(self, name: str) -> Any:
        """What the row has."""
        return getattr(self.row, name)


def _whole(row: SubjectRequest) -> _Whole:
    known = policy.opened(row, purpose=policy.SUBJECT)
    orders = row.found.get("business", [])
    held = policy.hold_over(known, orders) if row.state == SubjectState.FOUND else None
    return _Whole(
        row=row,
        terms=known,
        given=int(row.found.get("given", len(known))),
        found={label: said["rows"] for label, said in row.found.get("places", {}).items()},
        orders=orders[:200],
        hold=held.name if held is not None else "",
    )


def _row(subject: str) -> SubjectRequest:
    found: SubjectRequest | None = queries.requests().filter(pk=key_of("dsr", subject)).first()
    if found is None:
        raise NotFound
    return found


class Subjects(Desk):
    """Requests about people."""

    rule = rule(get="privacy.subjects", post="privacy.subjects")

    @operation("list_data_subjects", returns=SubjectShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Requests about people's data, the newest first."""
        return call.paging.of(queries.requests(), by="-asked_at")

    @operation(
        "find_data_subject",
        takes=NewSubject,
        returns=SubjectShape,
        status=ACCEPTED,
        once=True,
        example={"terms": ["ann@example.com"], "reference": "DSR 12"},
    )
    def post(self, call: Call) -> SubjectRequest:
        """Look for a person in everything; the request says `found` when all was looked through."""
        return subjects.open_request(actor=call.actor, now=clock.now(), **call.body)


class OneSubject(Desk):
    """One request."""

    rule = rule(get="privacy.subjects")

    @operation("get_data_subject", returns=SubjectWhole)
    def get(self, call: Call, subject: str) -> _Whole:
        """How far it is, and how many rows were found where."""
        return _whole(_row(subject))


class LookAgain(Desk):
    """Looking again."""

    rule = rule(post="privacy.subjects")

    @operation(
        "find_data_subject_again",
        takes=SubjectTerms,
        returns=SubjectShape,
        status=ACCEPTED,
        once=True,
        raises=(NotReady,),
        example={"terms": ["ann@example.com", "Ann Example"]},
    )
    def post(self, call: Call, subject: str) -> SubjectRequest:
        """Look for the same person by these terms."""
        return subjects.look_again(row=_row(subject), actor=call.actor, now=clock.now(), **call.body)


class SubjectRows(Desk):
    """What was found."""

    rule = rule(get="privacy.subjects")

    @operation("list_data_subject_rows", returns=SubjectRow, many=True, paged=True, raises=(NotReady,))
    def get(self, call: Call, subject: str) -> Listing:
        """Everything that was found of the person; each page leaves a line in the audit log.

        A page may hold fewer rows than were asked for, where rows have gone since; `next` says whether there is more.
        """
        start = call.paging.cursor or "0"
        if not start.isdigit() or len(start) > 9:
            raise Invalid(fields={"cursor": ["This is no place in the list."]})
        rows, after = subjects.export_page(
            row=_row(subject), start=int(start), most=call.paging.limit, actor=call.actor, now=clock.now()
        )
        return Listing(rows, next=str(after) if after else "")


class EraseSubject(Desk):
    """Erasing."""

    rule = rule(post="privacy.subjects")

    @operation(
        "erase_data_subject",
        takes=SubjectErase,
        returns=SubjectShape,
        status=ACCEPTED,
        once=True,
        raises=(NotReady, OnHold),
    )
    def post(self, call: Call, subject: str) -> SubjectRequest:
        """Take the person out of everything: names give way to a mark, keys and amounts stay. It cannot be undone."""
        row, given = _row(subject), dict(call.body)
        typed = given.pop("reference")
        if typed.strip() != row.reference:
            raise Invalid(fields={"reference": ["This is not its reference."]})
        terms = given.pop("terms") or policy.opened(row, purpose=policy.SUBJECT)
        if not terms:
            raise NotReady
        return subjects.erase_subject(
            row=row, terms=terms, typed=typed, actor=call.actor, now=clock.now(), **given
        )


class TermShape(Shape):
    """How long a class of data is kept."""

    what = fields.one_of(Keeps.choices, "The class.")
    days = fields.number("For how many days; 0: without end.")
    level = fields.one_of(Level.choices, "Who said so.")


class SetTerms(Shape):
    """Terms of one's own, by class; what is not named stays."""

    terms = fields.anything(
        "Days by class (run_data, runs, events, cases): 0 keeps without end, null goes by the level above."
    )


def _terms(call: Call) -> list[Any]:
    return queries.standing(partner_id=call.partner_id, tenant_id=call.tenant_id)


def _place(call: Call) -> dict[str, Any]:
    if call.tenant_id:
        return {"tenant": Tenant.objects.get(pk=call.tenant_id)}
    return {"partner": Partner.objects.get(pk=call.partner_id)}


def _asked(given: Any) -> dict[Keeps, int | None]:
    if not isinstance(given, dict) or not given:
        raise Invalid(fields={"terms": ["Send days by class."]})
    unknown = sorted(set(given) - set(Keeps.values))
    if unknown:
        raise Invalid(fields={f"terms.{unknown[0]}": ["There is no such class."]})
    for name, days in given.items():
        if days is not None and (isinstance(days, bool) or not isinstance(days, int)):
            raise Invalid(fields={f"terms.{name}": ["Give a whole number of days, or null."]})
    return {Keeps(name): days for name, days in given.items()}


class Retention(Desk):
    """Terms."""

    rule = rule(get="audit.read", patch="privacy.retention")

    @operation("get_retention", returns=TermShape, many=True)
    def get(self, call: Call) -> Listing:
        """How long each class of data is kept here, and who said so."""
        return Listing(_terms(call))

    @operation(
        "set_retention",
        takes=SetTerms,
        returns=TermShape,
        many=True,
        example={"terms": {"events": 365, "cases": None}},
    )
    def patch(self, call: Call) -> Listing:
        """Set terms of one's own; all of them, or none where one is refused."""
        keeping.set_terms(days=_asked(call.body["terms"]), actor=call.actor, now=clock.now(), **_place(call))
        return Listing(_terms(call))


class HoldShape(Shape):
    """A legal hold."""

    id = PublicId("hld", source="public_id", help_text="Id of the hold.")
    name = fields.text("Its name.")
    reason = fields.text("What it is for.")
    everything = fields.yes_or_no("Whether it covers everything.")
    keys = fields.anything("Business keys that it covers.")
    person = fields.yes_or_no("Whether it covers a person.", source="has_person")
    placed_by = fields.text("Who placed it.")
    placed_at = fields.at("When.")
    lifted_by = fields.text("Who lifted it; empty while it is in force.", allow_blank=True)
    lifted_at = fields.perhaps_at("When it was lifted; null while it is in force.")


class NewHold(Shape):
    """A hold to place."""

    name = fields.text("Its name.", max_length=120)
    reason = fields.text("What it is for.", max_length=500)
    everything = fields.yes_or_no("Keep everything.", required=False, default=False)
    keys = _texts("Business keys: orders, returns.", required=False, default=list, allow_empty=True)
    data_subject = PublicId(
        "dsr", required=False, default=None, allow_null=True, help_text="A request whose person is covered."
    )


class HoldFilter(Shape):
    """Which holds."""

    lifted = fields.yes_or_no("Those that were lifted.", required=False, default=False)


class Holds(Desk):
    """Legal holds."""

    rule = rule(get="audit.read", post="privacy.retention")

    @operation("list_legal_holds", query=HoldFilter, returns=HoldShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Legal holds that are in force, or those that were lifted; the newest first."""
        return call.paging.of(queries.holds(lifted=call.query.get("lifted", False)), by="-placed_at")

    @operation(
        "place_legal_hold",
        takes=NewHold,
        returns=HoldShape,
        status=CREATED,
        once=True,
        raises=(Conflict, NotReady),
        example={"name": "Case 7", "reason": "Court order 7/26", "keys": ["10045"]},
    )
    def post(self, call: Call) -> LegalHold:
        """Keep everything, orders, or a person's data, against every term and every wish, until it is lifted."""
        given = dict(call.body)
        asked = given.pop("data_subject", None)
        if asked:
            given["subject"] = _found(asked)
        return keeping.place_hold(actor=call.actor, now=clock.now(), **given)


def _found(asked: Any) -> SubjectRequest:
    try:
        row: SubjectRequest = queries.requests().get(pk=asked)
    except ObjectDoesNotExist:
        raise NotFound from None
    if row.state != SubjectState.FOUND:
        raise NotReady
    return row


class LiftReason(Shape):
    """Why."""

    reason = fields.reason(required=True)


class LiftHold(Desk):
    """Lifting."""

    rule = rule(post="privacy.retention")

    @operation("lift_legal_hold", takes=LiftReason, returns=HoldShape, once=True, raises=(Conflict,))
    def post(self, call: Call, hold: str) -> LegalHold:
        """Lift a hold: terms and wishes count again."""
        key = key_of("hld", hold)
        row = queries.holds().filter(pk=key).first() or queries.holds(lifted=True).filter(pk=key).first()
        if row is None:
            raise NotFound
        return keeping.lift_hold(hold=row, actor=call.actor, now=clock.now(), **call.body)


class PurgeShape(Shape):
    """The proof of a purge."""

    id = PublicId("prg", source="public_id", help_text="Id of the proof.")
    what = fields.one_of(Keeps.choices, "The class that was deleted.")
    at = fields.at("When.")
    until = fields.at("What was older than this was due.")
    deleted = fields.number("Rows that went.")
    held = fields.number("Rows that were due and that a hold kept.")
    digest = fields.text("SHA-256 over the keys of what went, sorted, a line each.", allow_blank=True)


class Purges(Desk):
    """Proofs."""

    rule = rule(get="audit.read")

    @operation("list_purges", returns=PurgeShape, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """What was deleted because it was kept long enough, the newest first."""
        return call.paging.of(queries.purges(), by="-at")
