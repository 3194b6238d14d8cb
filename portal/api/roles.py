"""Own roles, pairs of rights that are kept apart, why somebody may do something, and reviews of who has access."""

from typing import Any

from rest_framework import serializers

from kernel import clock
from kernel.errors import Conflict, NotFound
from portal.api import fields
from portal.api.access import place_of
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import PublicId, Shape, key_of
from portal.api.pages import Listing
from tenants.access import catalog, queries
from tenants.access.actions import reviewing
from tenants.access.actions import roles as actions
from tenants.access.enums import Verdict
from tenants.access.errors import LastAdmin, MoreThanOwn, ReviewOpen, RoleInUse, ToxicPair
from tenants.access.models import AccessReview, CustomRole, DutyRule, Membership, ReviewItem
from tenants.access.queries import reviews, rights

_RIGHTS = sorted(catalog.PERMISSIONS)


def _place(call: Call) -> dict[str, Any]:
    return {"partner_id": call.partner_id, "tenant_id": call.tenant_id}


def _found(rows: Any, prefix: str, public_id: str) -> Any:
    """The row of the address, if it is one of this place. Raises NotFound."""
    found = rows.filter(pk=key_of(prefix, public_id)).first()
    if found is None:
        raise NotFound
    return found


class NewOwnRole(Shape):
    """What a role is called and what it may do."""

    name = serializers.CharField(max_length=60, help_text="Its name; one role has it here.")
    permissions = serializers.ListField(
        child=serializers.ChoiceField(choices=_RIGHTS),
        allow_empty=False,
        help_text="What it may do; nothing that you do not hold yourself.",
    )


class OwnRole(Shape):
    """A role that this place made itself."""

    id = PublicId("rol", help_text="Id of the role.")
    name = fields.text("Its name.")
    permissions = serializers.ListField(child=serializers.CharField(), help_text="What it may do.")
    created_at = fields.at("When it was made.")


_ROLE = {"name": "Night shift", "permissions": ["inbox.read", "inbox.comment"]}


class Roles(Desk):
    """Own roles."""

    rule = rule(get="access.people", post="access.people")

    @operation("list_roles", returns=OwnRole, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Roles that this place made itself; the shipped ones are always there besides."""
        return call.paging.of(rights.roles_of(**_place(call)), by="created_at")

    @operation(
        "make_role",
        takes=NewOwnRole,
        returns=OwnRole,
        status=CREATED,
        once=True,
        raises=(MoreThanOwn, ToxicPair, Conflict),
        example=_ROLE,
    )
    def post(self, call: Call) -> CustomRole:
        """Put a role together."""
        partner, tenant = place_of(call)
        return actions.make_role(
            partner=partner, tenant=tenant, **call.body, actor=call.actor, now=clock.now()
        )


class OneRole(Desk):
    """One own role."""

    rule = rule(get="access.people", put="access.people", delete="access.people")

    @operation("get_role", returns=OwnRole)
    def get(self, call: Call, own_role: str) -> Any:
        """One own role."""
        return _found(rights.roles_of(**_place(call)), CustomRole.prefix, own_role)

    @operation(
        "change_role",
        takes=NewOwnRole,
        returns=OwnRole,
        raises=(MoreThanOwn, ToxicPair, Conflict),
        example=_ROLE,
    )
    def put(self, call: Call, own_role: str) -> CustomRole:
        """Another name or other rights; they count from the next request of everybody who holds it."""
        found = _found(rights.roles_of(**_place(call)), CustomRole.prefix, own_role)
        return actions.change_role(role=found, **call.body, actor=call.actor, now=clock.now())

    @operation("drop_role", status=NO_CONTENT, raises=(RoleInUse,))
    def delete(self, call: Call, own_role: str) -> None:
        """Take a role away that nobody holds."""
        found = _found(rights.roles_of(**_place(call)), CustomRole.prefix, own_role)
        actions.drop_role(role=found, actor=call.actor, now=clock.now())


class NewDuty(Shape):
    """Two rights to keep apart."""

    first = fields.one_of(_RIGHTS, "One right.")
    second = fields.one_of(_RIGHTS, "The other.")
    reason = fields.reason("Why.", max_length=400)


class Duty(Shape):
    """Two rights that nobody is given both of."""

    id = PublicId("dty", help_text="Id of the rule.")
    first = fields.text("One right.")
    second = fields.text("The other.")
    reason = fields.text("Why.", allow_blank=True)
    created_at = fields.at("Since when.")


class Duties(Desk):
    """Duties kept apart."""

    rule = rule(get="access.people", post="access.people")

    @operation("list_duties", returns=Duty, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Pairs that nobody here is given both of, the partner's among them."""
        return call.paging.of(rights.duties_of(**_place(call)), by="created_at")

    @operation(
        "forbid_pair",
        takes=NewDuty,
        returns=Duty,
        status=CREATED,
        once=True,
        raises=(Conflict,),
        example={"first": "access.people", "second": "inbox.decide", "reason": "four eyes"},
    )
    def post(self, call: Call) -> DutyRule:
        """Keep two duties apart; whoever holds both already keeps them and is reported."""
        partner, tenant = place_of(call)
        return actions.forbid_pair(
            partner=partner, tenant=tenant, **call.body, actor=call.actor, now=clock.now()
        )


class OneDuty(Desk):
    """One pair."""

    rule = rule(delete="access.people")

    @operation("allow_pair", status=NO_CONTENT)
    def delete(self, call: Call, duty: str) -> None:
        """Let both be held again; a client does not undo its partner's rule."""
        own = rights.duties_of(**_place(call)).filter(tenant_id=call.tenant_id)
        actions.allow_pair(rule=_found(own, DutyRule.prefix, duty), actor=call.actor, now=clock.now())


class ToxicHolder(Shape):
    """Somebody who holds both of a pair."""

    holder = fields.text("A person's address, or a token's name.")
    by = fields.text("The role; `token` for a token.")
    first = fields.text("One right.", source="rule.first")
    second = fields.text("The other.", source="rule.second")


class ToxicPairs(Desk):
    """Who holds what is kept apart."""

    rule = rule(get="access.people")

    @operation("list_toxic_pairs", returns=ToxicHolder, many=True)
    def get(self, call: Call) -> Any:
        """Everybody here who holds both of a pair."""
        return rights.toxic(**_place(call))


class Ground(Shape):
    """One thing that was looked at."""

    what = fields.text("role, partner_role, grant, no_role or deactivated.")
    detail = fields.text("Which.")
    gives = fields.yes_or_no("Whether it gives the right.")


class WhyAnswer(Shape):
    """Whether they may, and why."""

    yes = fields.yes_or_no("Whether they may.")
    reasons = Ground(many=True, help_text="Everything that was looked at.")


class Why(Desk):
    """Why somebody may do something."""

    rule = rule(get="access.review")

    @operation("get_why", returns=WhyAnswer)
    def get(self, call: Call, member: str, right: str) -> Any:
        """Why a member may or may not do something here."""
        found = _found(queries.people_of(**_place(call)), Membership.prefix, member)
        if right not in catalog.PERMISSIONS:
            raise NotFound
        return rights.why(user=found.user, permission=right, **_place(call))


class ReviewedRight(Shape):
    """One right in a review."""

    id = PublicId("rvi", help_text="Id of the item.")
    kind = fields.text("member, token or grant.")
    holder = fields.text("Who.")
    held = fields.text("The role, or what it is for.")
    permissions = serializers.ListField(child=serializers.CharField(), help_text="What it allows.")
    used_at = fields.perhaps_at("When the holder was last here.")
    verdict = fields.one_of(Verdict.choices, "What was decided.")
    decided_by = fields.text("By whom.", allow_blank=True)
    decided_at = fields.perhaps_at("When.")


class AccessReviewHead(Shape):
    """A look at who has access."""

    id = PublicId("rev", help_text="Id of the review.")
    started_by = fields.text("Who began it.")
    started_at = fields.at("When; rights are as they were then.")
    signed_by = fields.text("Who signed it.", allow_blank=True)
    signed_at = fields.perhaps_at("When it was signed.")
    statement = fields.text("What they signed for.", allow_blank=True)


class WholeAccessReview(AccessReviewHead):
    """A review with its rights."""

    items = ReviewedRight(many=True, source="items.all", help_text="Every right.")


class Reviews(Desk):
    """Access reviews."""

    rule = rule(get="access.review", post="access.review")

    @operation("list_reviews", returns=AccessReviewHead, many=True, paged=True)
    def get(self, call: Call) -> Listing:
        """Reviews of this place, newest first."""
        return call.paging.of(reviews.reviews_of(**_place(call)), by="-started_at")

    @operation("start_review", returns=WholeAccessReview, status=CREATED, once=True, raises=(Conflict,))
    def post(self, call: Call) -> AccessReview:
        """Write down who has access now, to be decided on."""
        partner, tenant = place_of(call)
        return reviewing.start_review(partner=partner, tenant=tenant, actor=call.actor, now=clock.now())


class OneReview(Desk):
    """One review."""

    rule = rule(get="access.review")

    @operation("get_review", returns=WholeAccessReview)
    def get(self, call: Call, review: str) -> Any:
        """One review with its rights."""
        return _found(reviews.reviews_of(**_place(call)), AccessReview.prefix, review)


class Decision(Shape):
    """What to do about a right."""

    verdict = fields.one_of([Verdict.KEPT.value, Verdict.REMOVED.value], "Keep it, or take it away at once.")


class OneItem(Desk):
    """One right in a review."""

    rule = rule(patch="access.review")

    @operation("decide_review_item", takes=Decision, returns=ReviewedRight, raises=(Conflict, LastAdmin))
    def patch(self, call: Call, review: str, item: str) -> ReviewItem:
        """Keep a right or take it away."""
        found = _found(reviews.reviews_of(**_place(call)), AccessReview.prefix, review)
        row = _found(found.items, ReviewItem.prefix, item)
        verdict = Verdict(call.body["verdict"])
        return reviewing.decide_item(item=row, verdict=verdict, actor=call.actor, now=clock.now())


class Signature(Shape):
    """What is signed for."""

    statement = serializers.CharField(max_length=2_000, help_text="It stands in the audit log.")


class Sign(Desk):
    """Signing a review."""

    rule = rule(post="access.review")

    @operation(
        "sign_review", takes=Signature, returns=WholeAccessReview, once=True, raises=(ReviewOpen, Conflict)
    )
    def post(self, call: Call, review: str) -> AccessReview:
        """Sign for a review in which everything is decided."""
        found = _found(reviews.reviews_of(**_place(call)), AccessReview.prefix, review)
        return reviewing.sign_review(review=found, **call.body, actor=call.actor, now=clock.now())
