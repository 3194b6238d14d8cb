"""A partner's brand: drafted, published, taken back; and the names of its own by which its portals go."""

from typing import Any

from kernel import clock
from kernel.errors import Conflict, Invalid, NotFound
from portal.api import fields
from portal.api.desk import CREATED, NO_CONTENT, Call, Desk, operation, rule
from portal.api.fields import Members, PublicId, Shape, key_of
from portal.api.pages import Listing
from tenants.branding import actions, queries
from tenants.branding.actions.editing import TEXTS
from tenants.branding.errors import HostTaken, NotProven
from tenants.branding.models import DomainClaim
from tenants.tenancy.models import Partner
from tenants.tenancy.queries import tenant_of


class BrandTexts(Shape):
    """Everything of a brand but its pictures."""

    name = fields.text("What the portal is called.", max_length=60)
    colour = fields.text("One colour, as #0057b8; every other is worked out from it.", max_length=7)
    sidebar = fields.one_of([("light", "Light"), ("dark", "Dark")], "The sidebar's ground.")
    support_email = fields.text("Stands on the sign-in page and on error pages.", allow_blank=True)
    support_url = fields.text("A help page.", allow_blank=True)
    sender_name = fields.text("The name before the address of mails.", allow_blank=True)
    imprint_url = fields.text("Legal notice.", allow_blank=True)
    privacy_url = fields.text("Privacy.", allow_blank=True)
    terms_url = fields.text("Terms.", allow_blank=True)
    words = Members(help_text='Own words, by language: {"en": {"tenant": "Store group"}}.')


class DraftBrand(BrandTexts):
    """What the brand is to become; what is not named stays."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Every member may be left out."""
        super().__init__(*args, **kwargs)
        for part in self.fields.values():
            part.required = False


class BrandShape(Shape):
    """A brand."""

    published = BrandTexts(help_text="What every page shows.")
    draft = BrandTexts(allow_null=True, help_text="What it is to become; null where nobody has begun.")
    has_logo = fields.yes_or_no("Whether a picture stands in place of the letter.")
    has_favicon = fields.yes_or_no("Whether browsers show a picture of its own.")


class BrandVersionShape(Shape):
    """What was published once."""

    number = fields.number("Its number.")
    values = BrandTexts(help_text="What it said.")
    made_by = fields.text("Who published it.")
    published_at = fields.at("When.")


def _partner(call: Call) -> Partner:
    return Partner.objects.get(pk=call.partner_id)


def _brand(call: Call) -> dict[str, Any]:
    partner = call.portal.partner
    assert partner is not None
    found, draft = queries.brand_of(partner), queries.draft_of(partner.id)
    published = {name: getattr(found, name) for name in TEXTS}
    return {
        "published": published,
        "draft": {**published, **draft.values} if draft else None,
        "has_logo": found.has_logo,
        "has_favicon": found.has_favicon,
    }


class Brand(Desk):
    """The brand."""

    rule = rule(get="branding.edit", patch="branding.edit", delete="branding.edit")

    @operation("get_brand", returns=BrandShape)
    def get(self, call: Call) -> dict[str, Any]:
        """What is published, and the draft."""
        return _brand(call)

    @operation("draft_brand", takes=DraftBrand, returns=BrandShape, once=True, example={"colour": "#0057b8"})
    def patch(self, call: Call) -> dict[str, Any]:
        """Keep what the brand is to become; nobody else sees it until it is published."""
        actions.save_draft(partner=_partner(call), values=call.body, actor=call.actor, now=clock.now())
        return _brand(call)

    @operation("discard_brand_draft", status=NO_CONTENT, once=True, raises=(NotFound,))
    def delete(self, call: Call) -> None:
        """Throw the draft away; what is published stays."""
        actions.discard_draft(partner=_partner(call), actor=call.actor, now=clock.now())


class PublishBrand(Desk):
    """Publishing."""

    rule = rule(post="branding.edit")

    @operation("publish_brand", returns=BrandShape, once=True, raises=(NotFound,))
    def post(self, call: Call) -> dict[str, Any]:
        """Publish the draft on every page."""
        actions.publish_draft(partner=_partner(call), actor=call.actor, now=clock.now())
        return _brand(call)


class BrandVersions(Desk):
    """What was published."""

    rule = rule(get="branding.edit")

    @operation("list_brand_versions", returns=BrandVersionShape, many=True)
    def get(self, call: Call) -> Listing:
        """The last fifty versions that were published, newest first."""
        return Listing(queries.versions_of(call.partner_id))


class RollBackBrand(Desk):
    """Going back."""

    rule = rule(post="branding.edit")

    @operation("roll_back_brand", returns=BrandShape, once=True)
    def post(self, call: Call, number: int) -> dict[str, Any]:
        """Publish an earlier version once more, as a version of its own."""
        actions.roll_back(partner=_partner(call), number=number, actor=call.actor, now=clock.now())
        return _brand(call)


class DomainShape(Shape):
    """A name of the partner's own, with its proof."""

    id = PublicId("dcl", source="public_id", help_text="Id of the claim.")
    host = fields.text("The name.")
    tenant = PublicId("tnt", source="tenant_id", allow_null=True, help_text="The client that it leads to.")
    verified_at = fields.perhaps_at("Since when it is served.")
    failing_since = fields.perhaps_at("Since when its proof is not found any more.")
    checked_at = fields.perhaps_at("When the proof was looked for last.")
    problem = fields.text("Why it is not served.", allow_blank=True)
    proof_name = fields.text("The name of the text record to make.")
    proof_value = fields.text("What that has to say.")


class ClaimDomain(Shape):
    """A name to bring."""

    host = fields.text("As in portal.example.com.", max_length=253)
    tenant = PublicId(
        "tnt", required=False, default=None, allow_null=True, help_text="A client; null: the console."
    )


def _shown(claim: DomainClaim) -> DomainClaim:
    claim.proof_name = queries.proof_name(claim.host)  # type: ignore[attr-defined] # for the shape alone
    claim.proof_value = queries.proof_value(claim)  # type: ignore[attr-defined]
    return claim


def _claim(call: Call, text: str) -> DomainClaim:
    found: DomainClaim | None = queries.claims_of(call.partner_id).filter(pk=key_of("dcl", text)).first()
    if found is None:
        raise NotFound
    return found


class Domains(Desk):
    """Names of one's own."""

    rule = rule(get="branding.edit", post="branding.edit")

    @operation("list_domains", returns=DomainShape, many=True)
    def get(self, call: Call) -> Listing:
        """Every name with its proof."""
        return Listing([_shown(one) for one in queries.claims_of(call.partner_id)])

    @operation(
        "claim_domain",
        takes=ClaimDomain,
        returns=DomainShape,
        status=CREATED,
        once=True,
        raises=(HostTaken,),
        example={"host": "portal.example.com"},
    )
    def post(self, call: Call) -> DomainClaim:
        """Bring a name: make the text record that the answer names, then have it checked."""
        given = call.body
        tenant = tenant_of(call.partner_id, given["tenant"]) if given["tenant"] else None
        if given["tenant"] and tenant is None:
            raise Invalid(fields={"tenant": ["This is no client of yours."]})
        made = actions.claim_domain(
            partner=_partner(call), tenant=tenant, host=given["host"], actor=call.actor, now=clock.now()
        )
        return _shown(made)


class OneDomain(Desk):
    """One of them."""

    rule = rule(get="branding.edit", delete="branding.edit")

    @operation("get_domain", returns=DomainShape)
    def get(self, call: Call, domain: str) -> DomainClaim:
        """How it stands."""
        return _shown(_claim(call, domain))

    @operation("release_domain", status=NO_CONTENT, once=True)
    def delete(self, call: Call, domain: str) -> None:
        """Give it back; for thirty days nobody else may claim it."""
        actions.release_domain(claim=_claim(call, domain), actor=call.actor, now=clock.now())


class CheckDomain(Desk):
    """The proof."""

    rule = rule(post="branding.edit")

    @operation("check_domain", returns=DomainShape, raises=(NotProven, HostTaken))
    def post(self, call: Call, domain: str) -> DomainClaim:
        """Look for the proof now; found, the name is served from now on."""
        return _shown(actions.verify_domain(claim=_claim(call, domain), actor=call.actor, now=clock.now()))


class FirstDomain(Desk):
    """The name of links."""

    rule = rule(post="branding.edit")

    @operation("use_domain_in_links", returns=DomainShape, once=True, raises=(Conflict,))
    def post(self, call: Call, domain: str) -> DomainClaim:
        """Let links in mails use this name, and others lead to it."""
        claim = _claim(call, domain)
        actions.make_primary(
            partner=claim.partner, tenant=claim.tenant, host=claim.host, actor=call.actor, now=clock.now()
        )
        return _shown(_claim(call, domain))
