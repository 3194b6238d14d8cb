"""Drafting, publishing and taking back: what is published stands on every page and is kept as a version."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.validators import URLValidator, validate_email
from django.db import transaction

from kernel.actor import Actor
from kernel.errors import Invalid, NotFound
from tenants.audit.actions import record
from tenants.branding.enums import WORDS
from tenants.branding.errors import BadColour
from tenants.branding.models import PICTURES, Brand, BrandVersion
from tenants.branding.palette import is_colour
from tenants.branding.queries import DEFAULT_COLOUR, forget_brands
from tenants.tenancy.models import Partner

TEXTS: Final = (
    "name",
    "colour",
    "sidebar",
    "support_email",
    "support_url",
    "sender_name",
    "imprint_url",
    "privacy_url",
    "terms_url",
    "words",
)
_URLS: Final = ("support_url", "imprint_url", "privacy_url", "terms_url")
_WORD: Final = re.compile(r"^[\w .&/-]{1,40}$")
_NAME: Final = re.compile(r"^[^\x00-\x1f\x7f]*$")
_web = URLValidator(schemes=["https"])


def set_brand(
    *,
    partner: Partner,
    name: str,
    colour: str,
    sidebar: str,
    support_email: str,
    support_url: str,
    actor: Actor,
    now: datetime,
    **more: Any,
) -> Brand:
    """Publish at once how a partner's portal is called and looks. Raises Invalid, naming the field."""
    actor.require("branding.edit")
    given = {"name": name, "colour": colour, "sidebar": sidebar, "support_email": support_email}
    with transaction.atomic():
        brand = locked(partner, now)
        values = _checked({**texts_of(brand), **given, "support_url": support_url, **more})
        before = texts_of(brand)
        _write(brand, values, now)
        BrandVersion.objects.filter(partner=partner, published_at__isnull=True).delete()
        keep_version(brand, actor, now)
        record(
            actor=actor,
            action="branding.edit",
            obj=brand,
            now=now,
            before=before,
            after=values,
            partner_id=partner.id,
        )
    forget_brands()
    return brand


def save_draft(*, partner: Partner, values: Mapping[str, Any], actor: Actor, now: datetime) -> BrandVersion:
    """Keep `values` as the partner's draft, which nobody but its editors sees. Raises Invalid, naming the field."""
    actor.require("branding.edit")
    with transaction.atomic():
        brand = locked(partner, now)
        draft = draft_of(partner) or _version(brand, actor, now)
        before = dict(draft.values)
        draft.values = _checked({**texts_of(brand), **before, **values})
        draft.made_by, draft.created_at = actor.label[:200], now
        draft.save()
        record(
            actor=actor,
            action="branding.draft",
            obj=brand,
            now=now,
            before=before,
            after=draft.values,
            partner_id=partner.id,
        )
    return draft


def publish_draft(*, partner: Partner, actor: Actor, now: datetime) -> Brand:
    """Put the draft on every page. Raises NotFound where there is none."""
    actor.require("branding.edit")
    with transaction.atomic():
        brand, draft = locked(partner, now), draft_of(partner)
        if draft is None:
            raise NotFound("there is no draft")
        before, values = texts_of(brand), _checked(draft.values)
        for picture in PICTURES:
            setattr(brand, picture, getattr(draft, picture))
        _write(brand, values, now)
        draft.delete()
        keep_version(brand, actor, now)
        record(
            actor=actor,
            action="branding.publish",
            obj=brand,
            now=now,
            before=before,
            after=values,
            partner_id=partner.id,
        )
    forget_brands()
    return brand


def discard_draft(*, partner: Partner, actor: Actor, now: datetime) -> None:
    """Forget the draft; what is published stays. Raises NotFound where there is none."""
    actor.require("branding.edit")
    with transaction.atomic():
        brand, draft = locked(partner, now), draft_of(partner)
        if draft is None:
            raise NotFound("there is no draft")
        record(
            actor=actor,
            action="branding.discard",
            obj=brand,
            now=now,
            before=dict(draft.values),
            partner_id=partner.id,
        )
        draft.delete()


def roll_back(*, partner: Partner, number: int, actor: Actor, now: datetime) -> Brand:
    """Publish an earlier version once more, as a version of its own. Raises NotFound."""
    actor.require("branding.edit")
    with transaction.atomic():
        brand = locked(partner, now)
        found = BrandVersion.objects.filter(
            partner=partner, number=number, published_at__isnull=False
        ).first()
        if found is None:
            raise NotFound
        before, values = texts_of(brand), _checked({**texts_of(brand), **found.values})
        for picture in PICTURES:
            setattr(brand, picture, getattr(found, picture))
        _write(brand, values, now)
        keep_version(brand, actor, now)
        record(
            actor=actor,
            action="branding.roll_back",
            obj=brand,
            now=now,
            before=before,
            after={**values, "as": number},
            partner_id=partner.id,
        )
    forget_brands()
    return brand


def locked(partner: Partner, now: datetime) -> Brand:
    """The partner's brand, held to the end of the transaction; made with sensible values where there is none."""
    Brand.objects.get_or_create(
        partner=partner, defaults={"name": partner.name[:60], "colour": DEFAULT_COLOUR, "updated_at": now}
    )
    return Brand.objects.select_for_update().get(partner=partner)


def draft_of(partner: Partner) -> BrandVersion | None:
    """The partner's draft."""
    return BrandVersion.objects.filter(partner=partner, published_at__isnull=True).first()


def texts_of(brand: Brand) -> dict[str, Any]:
    """Everything of a brand but its pictures."""
    return {name: getattr(brand, name) for name in TEXTS}


def keep_version(brand: Brand, actor: Actor, now: datetime) -> None:
    """Keep what is published now as the newest version."""
    row = _version(brand, actor, now)
    row.published_at = now
    row.save(force_insert=True)


def _version(brand: Brand, actor: Actor, now: datetime) -> BrandVersion:
    last = BrandVersion.objects.filter(partner=brand.partner).order_by("-number").first()
    return BrandVersion(
        partner=brand.partner,
        number=last.number + 1 if last else 1,
        values=texts_of(brand),
        **{picture: getattr(brand, picture) for picture in PICTURES},
        made_by=actor.label[:200],
        created_at=now,
    )


def _write(brand: Brand, values: Mapping[str, Any], now: datetime) -> None:
    for name, value in values.items():
        setattr(brand, name, value)
    brand.updated_at = now
    brand.save()


def _checked(given: Mapping[str, Any]) -> dict[str, Any]:
    """What may be kept of `given`: typed values, no markup, no style. Raises Invalid, naming every wrong field."""
    values = {name: given.get(name, "") for name in TEXTS}
    texts = {name: str(value or "").strip() for name, value in values.items() if name != "words"}
    texts["colour"] = texts["colour"].lower()
    texts["sidebar"] = texts["sidebar"] if texts["sidebar"] in ("light", "dark") else "light"
    if not is_colour(texts["colour"]):
        raise BadColour(fields={"colour": [str(BadColour.__doc__)]})
    wrong: dict[str, list[str]] = {}
    if not texts["name"]:
        wrong["name"] = ["Give the portal a name."]
    for name in ("name", "sender_name"):
        if not _NAME.match(texts[name]) or len(texts[name]) > 60:
            wrong[name] = ["Use one line of at most 60 characters."]
    if texts["support_email"] and not _is_email(texts["support_email"]):
        wrong["support_email"] = ["This is no e-mail address."]
    for name in _URLS:
        if texts[name] and not _is_web(texts[name]):
            wrong[name] = ["Use an address that starts with https://."]
    words = _words(values["words"] or {}, wrong)
    if wrong:
        raise Invalid(fields=wrong)
    return {**texts, "words": words}


def _words(given: Mapping[str, Mapping[str, str]], wrong: dict[str, list[str]]) -> dict[str, dict[str, str]]:
    """Own words by language; what is empty is left out."""
    found: dict[str, dict[str, str]] = {}
    for language, words in given.items():
        for key, word in words.items():
            word = str(word).strip()
            if not word:
                continue
            if key not in WORDS or not _WORD.match(word):
                wrong[f"word_{key}_{language}"] = ["Use letters and digits, at most 40."]
            else:
                found.setdefault(str(language)[:8], {})[key] = word
    return found


def _is_email(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _is_web(text: str) -> bool:
    try:
        _web(text)
    except ValidationError:
        return False
    return len(text) <= 200
