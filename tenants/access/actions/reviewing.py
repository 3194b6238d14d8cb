"""Looking at everybody who has access, one by one: kept or taken away, and at the end somebody signs for it."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from guardian.models import UserObjectPermission

from kernel.actor import Actor
from kernel.errors import Conflict, Invalid
from tenants.access.actions import end_membership
from tenants.access.enums import Verdict
from tenants.access.errors import ReviewOpen
from tenants.access.models import AccessReview, ApiToken, Membership, ReviewItem
from tenants.access.queries import people_of, rights, tokens_of
from tenants.audit.actions import record
from tenants.tenancy import context
from tenants.tenancy.models import Partner, Tenant


def start_review(*, partner: Partner, tenant: Tenant | None, actor: Actor, now: datetime) -> AccessReview:
    """Write down everybody who has access to a place now, to be decided on. Raises Conflict while another is open."""
    actor.require("access.review")
    try:
        with transaction.atomic():
            made = AccessReview.objects.create(
                partner=partner, tenant=tenant, started_by=actor.label[:200], started_at=now
            )
            ReviewItem.objects.bulk_create(_items(made))
            record(
                actor=actor,
                action="access.start_review",
                obj=made,
                now=now,
                after={"rights": made.items.count()},
                partner_id=partner.id,
            )
    except IntegrityError as error:
        raise Conflict("a review is open already: decide on what is left in it, and sign it") from error
    return made


def _items(review: AccessReview) -> Iterator[ReviewItem]:
    place: dict[str, Any] = {"partner_id": review.partner_id, "tenant_id": review.tenant_id}
    for member in people_of(**place):
        held = rights.permissions_anywhere(member.role, member.custom, of_partner=review.tenant_id is None)
        yield ReviewItem(
            review=review,
            kind="member",
            holder_id=member.id,
            holder=member.user.email,
            held=member.role_name,
            permissions=sorted(held),
            used_at=member.user.last_login,
        )
    for token in tokens_of(**place).filter(revoked_at__isnull=True):
        yield ReviewItem(
            review=review,
            kind="token",
            holder_id=token.id,
            holder=f"{token.name} ({token.hint}…)",
            held="API token",
            permissions=token.scopes,
            used_at=token.last_used_at,
        )
    if review.tenant_id is not None:
        with context.enter(review.tenant_id):
            grants = list(_grants(review))
        yield from grants


def _grants(review: AccessReview) -> Iterator[ReviewItem]:
    """Rights on single objects, which stand in the schema of the client."""
    for grant in UserObjectPermission.objects.select_related("permission__content_type", "user"):
        yield ReviewItem(
            review=review,
            kind="grant",
            holder_id=grant.user_id,
            holder=grant.user.email,
            held=str(grant.permission.name)[:400],
            permissions=[f"{grant.permission.content_type.app_label}.{grant.permission.codename}"],
            object_type=grant.permission.content_type.model,
            object_id=UUID(grant.object_pk),
            used_at=grant.user.last_login,
        )


def decide_item(*, item: ReviewItem, verdict: Verdict, actor: Actor, now: datetime) -> ReviewItem:
    """Keep a right, or take it away at once. Raises Conflict once it is taken or signed for, Invalid, and LastAdmin."""
    actor.require("access.review")
    if verdict == Verdict.OPEN:
        raise Invalid(fields={"verdict": ["Keep it or take it away."]})
    with transaction.atomic():
        item = ReviewItem.objects.select_for_update(of=("self",)).select_related("review").get(pk=item.pk)
        if item.review.signed_at is not None:
            raise Conflict("this review is signed")
        if item.verdict == Verdict.REMOVED:
            raise Conflict("this right is taken away already")
        if verdict == Verdict.REMOVED:
            _take_away(item, actor, now)
        before = item.verdict
        item.verdict, item.decided_by, item.decided_at = verdict, actor.label[:200], now
        item.save(update_fields=["verdict", "decided_by", "decided_at"])
        record(
            actor=actor,
            action="access.decide_item",
            obj=item,
            now=now,
            before={"verdict": before},
            after={"verdict": verdict, "holder": item.holder, "held": item.held},
            partner_id=item.review.partner_id,
        )
    return item


def _take_away(item: ReviewItem, actor: Actor, now: datetime) -> None:
    """End what the item is about, as far as it is still there."""
    if item.kind == "member":
        member = (
            Membership.objects.select_for_update(of=("self",))
            .select_related("user", "custom")
            .filter(pk=item.holder_id)
            .first()
        )
        if member is not None and member.user_id == actor.user_id:
            raise Conflict("nobody takes their own right away in a review that they do")
        if member is not None:
            end_membership(membership=member, actor=actor, now=now)
    elif item.kind == "token":
        ApiToken.objects.filter(pk=item.holder_id, revoked_at__isnull=True).update(revoked_at=now)
    else:
        _take_grant(item)


def _take_grant(item: ReviewItem) -> None:
    app, _, codename = str(item.permissions[0]).partition(".")
    assert item.review.tenant_id is not None  # a console has no objects of its own
    with context.enter(item.review.tenant_id):
        UserObjectPermission.objects.filter(
            user_id=item.holder_id,
            permission__codename=codename,
            permission__content_type__app_label=app,
            object_pk=str(item.object_id),
        ).delete()


def sign_review(*, review: AccessReview, statement: str, actor: Actor, now: datetime) -> AccessReview:
    """Sign for a review in which everything is decided. Raises ReviewOpen, and Conflict where it is signed."""
    actor.require("access.review")
    with transaction.atomic():
        review = AccessReview.objects.select_for_update(of=("self",)).get(pk=review.pk)
        if review.signed_at is not None:
            raise Conflict("this review is signed")
        counts = {verdict: review.items.filter(verdict=verdict).count() for verdict in Verdict.values}
        if counts[Verdict.OPEN]:
            raise ReviewOpen
        review.signed_by, review.signed_at, review.statement = actor.label[:200], now, statement
        review.save(update_fields=["signed_by", "signed_at", "statement"])
        record(
            actor=actor,
            action="access.sign_review",
            obj=review,
            now=now,
            after={"kept": counts[Verdict.KEPT], "removed": counts[Verdict.REMOVED]},
            reason=statement,
            partner_id=review.partner_id,
        )
    return review
