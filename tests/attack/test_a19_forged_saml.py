"""A19 and A20 for SAML: what a provider never signed, or signed for somebody else, lets nobody in; nothing counts twice."""

import base64
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from django.test import Client
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod

from kernel import clock
from tenants.accounts.actions import saml as actions
from tenants.accounts.errors import SignOnRefused
from tenants.accounts.models import Identity, Provider, SamlAnswer
from tenants.tenancy.models import Partner, Tenant
from tests.support import saml
from tests.support.cast import NOW, Cast

ISSUER: Final = "https://id.cast.test"
OURS: Final = saml.Signer()
OTHER: Final = saml.Signer()
ASKED: Final = "_asked"
A: Final = f"{{{saml.SAML}}}"
P: Final = f"{{{saml.SAMLP}}}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"


@pytest.fixture
def provider(cast: Cast, now: Any) -> Provider:
    """A provider that Hollis trusts, who knows Orla."""
    row = Provider.objects.create(
        kind="saml",
        partner=Partner.objects.get(pk=cast.partner.id),
        tenant=Tenant.objects.get(pk=cast.tenant.id),
        name="Cast ID",
        issuer=ISSUER,
        sso_url=f"{ISSUER}/sso",
        certificates=[OURS.pem],
        domains=["cast.test"],
        created_at=NOW,
    )
    Identity.objects.create(provider=row, user=cast.owner, issuer=ISSUER, subject="sub-owner", created_at=NOW)
    return row


def names(cast: Cast) -> tuple[str, str]:
    return f"http://{cast.host}/sign-in/saml/metadata", f"http://{cast.host}/sign-in/saml"


def answer(cast: Cast, **said: Any) -> saml.Answer:
    ours, back = names(cast)
    return saml.Answer(
        **{"issuer": ISSUER, "audience": ours, "back": back, "asked": ASKED, "now": NOW, **said}
    )


def come(cast: Cast, row: Provider, root: Any, *, asked: str = ASKED, now: datetime = NOW) -> Any:
    ours, back = names(cast)
    text = actions.take(
        portal=cast.place(cast.host), response=saml.packed(root), ours=ours, back=back, now=now
    )
    kept = {"provider": str(row.id), "asked": asked, "next": "/", "at": NOW.timestamp()}
    return actions.complete(provider=row, kept=kept, text=text, now=now)


def refused(cast: Cast, row: Provider, root: Any, **more: Any) -> None:
    with pytest.raises(SignOnRefused):
        come(cast, row, root, **more)


def test_what_it_really_said_is_believed(cast: Cast, provider: Provider) -> None:
    assert come(cast, provider, answer(cast).signed(OURS)) == cast.owner
    both = answer(cast).signed(OURS)
    assert come(cast, provider, OURS.sign(both)) == cast.owner
    for method in (SignatureMethod.RSA_SHA512, SignatureMethod.SHA256_RSA_MGF1):
        assert come(cast, provider, answer(cast).signed(OURS, method=method)) == cast.owner
    Provider.objects.update(certificates=[OTHER.pem, OURS.pem])  # the provider is about to change its key
    provider.refresh_from_db()
    assert come(cast, provider, answer(cast).signed(OURS)) == cast.owner


def _attr(path: str, name: str, value: str | None) -> Callable[[Any], None]:
    def change(assertion: Any) -> None:
        element = assertion.find(path, {"saml": saml.SAML}) if path else assertion
        if value is None:
            del element.attrib[name]
        else:
            element.set(name, value)

    return change


def _text(path: str, value: str) -> Callable[[Any], None]:
    def change(assertion: Any) -> None:
        assertion.find(path, {"saml": saml.SAML}).text = value

    return change


def _drop(path: str) -> Callable[[Any], None]:
    def change(assertion: Any) -> None:
        element = assertion.find(path, {"saml": saml.SAML})
        element.getparent().remove(element)

    return change


_DATA = ".//saml:SubjectConfirmationData"
_BEFORE, _AFTER = saml.stamp(NOW - timedelta(hours=1)), saml.stamp(NOW + timedelta(hours=1))
SIGNED_WRONGLY: Final[dict[str, Callable[[Any], None]]] = {
    "another issuer": _text("saml:Issuer", "https://id.evil.test"),
    "no issuer": _drop("saml:Issuer"),
    "another version": _attr("", "Version", "1.1"),
    "for another portal": _text(".//saml:Audience", "https://other.test/sign-in/saml/metadata"),
    "audience begins like us": _text(
        ".//saml:Audience", "http://hollis.meridian.localhost/sign-in/saml/metadatax"
    ),
    "empty audience": _text(".//saml:Audience", ""),
    "no audience": _drop(".//saml:AudienceRestriction"),
    "no conditions": _drop("saml:Conditions"),
    "conditions without an end": _attr("saml:Conditions", "NotOnOrAfter", None),
    "over": _attr("saml:Conditions", "NotOnOrAfter", _BEFORE),
    "not yet": _attr("saml:Conditions", "NotBefore", _AFTER),
    "for a year": _attr("saml:Conditions", "NotOnOrAfter", saml.stamp(NOW + timedelta(days=365))),
    "end is no time": _attr("saml:Conditions", "NotOnOrAfter", "tomorrow"),
    "end without a zone": _attr("saml:Conditions", "NotOnOrAfter", "2026-03-02T10:00:00"),
    "another recipient": _attr(_DATA, "Recipient", "https://evil.test/sign-in/saml"),
    "recipient begins like us": _attr(_DATA, "Recipient", "http://hollis.meridian.localhost/sign-in/samlx"),
    "no recipient": _attr(_DATA, "Recipient", None),
    "confirmed for another question": _attr(_DATA, "InResponseTo", "_other"),
    "confirmed for no question": _attr(_DATA, "InResponseTo", None),
    "confirmed without an end": _attr(_DATA, "NotOnOrAfter", None),
    "confirmation is over": _attr(_DATA, "NotOnOrAfter", _BEFORE),
    "confirmation has a beginning": _attr(_DATA, "NotBefore", _BEFORE),
    "confirmed by a key": _attr(
        ".//saml:SubjectConfirmation", "Method", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"
    ),
    "no confirmation": _drop(".//saml:SubjectConfirmation"),
    "no subject": _drop("saml:Subject"),
    "empty subject": _text(".//saml:NameID", " "),
    "endless subject": _text(".//saml:NameID", "x" * 300),
    "a subject for once": _attr(
        ".//saml:NameID", "Format", "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
    ),
    "nobody signed in": _drop("saml:AuthnStatement"),
    "the session is over": _attr("saml:AuthnStatement", "SessionNotOnOrAfter", _BEFORE),
}


@pytest.mark.parametrize("name", SIGNED_WRONGLY)
def test_a_signed_assertion_that_is_not_for_us_now_is_refused(
    cast: Cast, provider: Provider, name: str
) -> None:
    refused(cast, provider, answer(cast).signed(OURS, SIGNED_WRONGLY[name]))


def _around(name: str, value: str | None) -> Callable[[Cast], Any]:
    def make(cast: Cast) -> Any:
        root = answer(cast).signed(OURS)
        if value is None:
            del root.attrib[name]
        else:
            root.set(name, value)
        return root

    return make


def _status(cast: Cast) -> Any:
    root = answer(cast).signed(OURS)
    root.find(f".//{P}StatusCode").set("Value", "urn:oasis:names:tc:SAML:2.0:status:Requester")
    return root


def _evil(assertion: Any) -> Any:
    """A copy that names somebody else."""
    forged = deepcopy(assertion)
    forged.set("ID", "_forged")
    forged.find(f".//{A}NameID").text = "sub-admin"
    for signature in forged.findall(f"{DS}Signature"):
        forged.remove(signature)
    return forged


def wrapped_1(cast: Cast) -> Any:
    """The forged assertion before the signed one."""
    root = answer(cast).signed(OURS)
    root.insert(2, _evil(root.find(f"{A}Assertion")))
    return root


def wrapped_2(cast: Cast) -> Any:
    """The forged one behind it."""
    root = answer(cast).signed(OURS)
    root.append(_evil(root.find(f"{A}Assertion")))
    return root


def wrapped_3(cast: Cast) -> Any:
    """The forged one around the signed one."""
    root = answer(cast).signed(OURS)
    signed = root.find(f"{A}Assertion")
    forged = _evil(signed)
    root.replace(signed, forged)
    forged.append(signed)
    return root


def wrapped_4(cast: Cast) -> Any:
    """The signed one inside the signature of the forged one."""
    root = answer(cast).signed(OURS)
    signed = root.find(f"{A}Assertion")
    forged, signature = _evil(signed), deepcopy(signed.find(f"{DS}Signature"))
    root.replace(signed, forged)
    forged.insert(1, signature)
    etree.SubElement(signature, f"{DS}Object").append(signed)
    return root


def wrapped_5(cast: Cast) -> Any:
    """The signed one among the response's extensions, the forged one with its signature in its place."""
    root = answer(cast).signed(OURS)
    signed = root.find(f"{A}Assertion")
    forged = _evil(signed)
    forged.insert(1, deepcopy(signed.find(f"{DS}Signature")))
    root.replace(signed, forged)
    etree.SubElement(root, f"{P}Extensions").append(signed)
    return root


def wrapped_6(cast: Cast) -> Any:
    """Two elements of one id."""
    root = answer(cast).signed(OURS)
    root.find(f"{P}Status").set("ID", str(root.find(f"{A}Assertion").get("ID")))
    return root


def wrapped_7(cast: Cast) -> Any:
    """The whole signed response inside of another."""
    inner = answer(cast).signed(OURS)
    outer = answer(cast).response()
    outer.append(_evil(inner.find(f"{A}Assertion")))
    etree.SubElement(outer, f"{P}Extensions").append(inner)
    return outer


def wrapped_8(cast: Cast) -> Any:
    """A forged assertion with a signature that points at a signed response's id."""
    root = OURS.sign(answer(cast).response())
    assertion = _evil(answer(cast).assertion())
    assertion.insert(1, deepcopy(root.find(f"{DS}Signature")))
    root.append(assertion)
    return root


def changed(cast: Cast) -> Any:
    """Somebody else, after it was signed."""
    root = answer(cast).signed(OURS)
    root.find(f".//{A}NameID").text = "sub-admin"
    return root


def added(cast: Cast) -> Any:
    """An attribute more, after it was signed."""
    root = answer(cast).signed(OURS)
    root.find(f".//{A}AttributeStatement").append(deepcopy(root.find(f".//{A}Attribute")))
    return root


def unsigned(cast: Cast) -> Any:
    root = answer(cast).response()
    root.append(answer(cast).assertion())
    return root


def only_around(cast: Cast) -> Any:
    """The response is signed, its assertion is not."""
    root = answer(cast).response()
    root.append(answer(cast).assertion())
    return OURS.sign(root)


def of_another(cast: Cast) -> Any:
    return answer(cast).signed(OTHER)


def own_key(cast: Cast) -> Any:
    """Signed by a key of its own, with our certificate written beside it."""
    root = answer(cast).signed(OTHER)
    root.find(f".//{DS}X509Certificate").text = OURS.bare
    return root


def weak(cast: Cast) -> Any:
    """A transform that leaves something out."""
    root = answer(cast).signed(OURS)
    transforms = root.find(f".//{DS}Transforms")
    etree.SubElement(transforms, f"{DS}Transform", Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116")
    return root


def two_references(cast: Cast) -> Any:
    root = answer(cast).signed(OURS)
    info = root.find(f".//{DS}SignedInfo")
    info.append(deepcopy(info.find(f"{DS}Reference")))
    return root


def whole_document(cast: Cast) -> Any:
    root = answer(cast).signed(OURS)
    root.find(f".//{DS}Reference").set("URI", "")
    return root


def elsewhere(cast: Cast) -> Any:
    root = answer(cast).signed(OURS)
    root.find(f".//{DS}Reference").set("URI", "https://evil.test/assertion.xml")
    return root


def hmac(cast: Cast) -> Any:
    root = answer(cast).signed(OURS)
    root.find(f".//{DS}SignatureMethod").set(
        "Algorithm", "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    )
    return root


def sha1(cast: Cast) -> Any:
    root = answer(cast).signed(OURS)
    root.find(f".//{DS}DigestMethod").set("Algorithm", "http://www.w3.org/2000/09/xmldsig#sha1")
    return root


def encrypted(cast: Cast) -> Any:
    root = answer(cast).response()
    etree.SubElement(root, f"{A}EncryptedAssertion")
    return root


def no_response(cast: Cast) -> Any:
    return answer(cast).signed(OURS).find(f"{A}Assertion")


FORGED: Final[dict[str, Callable[[Cast], Any]]] = {
    "an answer that nobody asked for": _around("InResponseTo", None),
    "an answer to another question": _around("InResponseTo", "_other"),
    "another destination": _around("Destination", "https://evil.test/sign-in/saml"),
    "version of the response": _around("Version", "1.1"),
    "refused there": _status,
    **{
        (made.__doc__ or made.__name__).strip(" ."): made
        for made in (wrapped_1, wrapped_2, wrapped_3, wrapped_4, wrapped_5, wrapped_6, wrapped_7, wrapped_8)
    },
    **{
        made.__name__: made
        for made in (changed, added, unsigned, only_around, of_another, own_key, weak, two_references)
    },
    **{made.__name__: made for made in (whole_document, elsewhere, hmac, sha1, encrypted, no_response)},
}


@pytest.mark.parametrize("name", FORGED)
def test_what_it_did_not_sign_is_refused(cast: Cast, provider: Provider, name: str) -> None:
    Identity.objects.create(
        provider=provider, user=cast.manager, issuer=ISSUER, subject="sub-admin", created_at=NOW
    )
    refused(cast, provider, FORGED[name](cast))
    assert not SamlAnswer.objects.exists()


def _plain(cast: Cast) -> bytes:
    return bytes(etree.tostring(answer(cast).signed(OURS)))


HOSTILE: Final[dict[str, Callable[[bytes], bytes]]] = {
    "entities": lambda text: b'<!DOCTYPE r [<!ENTITY a "x">]>' + text,
    "a billion laughs": lambda text: (
        b'<!DOCTYPE r [<!ENTITY a "' + b"x" * 100 + b'"><!ENTITY b "' + b"&a;" * 100 + b'">]>' + text
    ),
    "a file": lambda text: b'<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + text,
    "a document type elsewhere": lambda text: b'<!DOCTYPE r SYSTEM "http://evil.test/x.dtd">' + text,
    "another encoding": lambda text: (
        b'<?xml version="1.0" encoding="UTF-16"?>'.decode().encode("utf-16") + text.decode().encode("utf-16")
    ),
    "a comment in the name": lambda text: text.replace(b"sub-owner", b"sub-<!-- x -->owner"),
    "an instruction": lambda text: text.replace(b"sub-owner", b"sub-<?x y?>owner"),
    "too deep": lambda text: b"<a>" * 10_000 + text + b"</a>" * 10_000,
    "too long": lambda text: text + b" " * 300_000,
    "cut off": lambda text: text[:-20],
    "no XML": lambda text: b"hello",
    "nothing": lambda text: b"",
    "zeros": lambda text: text + b"\x00",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_xml_is_refused(cast: Cast, provider: Provider, name: str) -> None:
    refused(cast, provider, HOSTILE[name](_plain(cast)))


def test_old_algorithms_are_refused(cast: Cast, provider: Provider) -> None:
    refused(cast, provider, answer(cast).signed(OURS, digest=DigestAlgorithm.SHA224))
    refused(cast, provider, answer(cast).signed(OURS, method=SignatureMethod.RSA_SHA224))
    refused(cast, provider, answer(cast).signed(OURS, c14n="http://www.w3.org/TR/2001/REC-xml-c14n-20010315"))


def test_a_certificate_that_is_over_signs_nothing(cast: Cast, provider: Provider) -> None:
    old = saml.Signer(until=datetime(2026, 1, 1, tzinfo=UTC))
    Provider.objects.update(certificates=[old.pem])
    refused(cast, provider, answer(cast).signed(old))


def test_nothing_counts_twice(cast: Cast, provider: Provider) -> None:
    root = answer(cast).signed(OURS)
    assert come(cast, provider, root) == cast.owner
    refused(cast, provider, root)
    refused(cast, provider, OURS.sign(deepcopy(root)))  # the same assertion in another response
    refused(cast, provider, root, now=NOW + timedelta(minutes=4))


def test_an_answer_counts_for_the_browser_that_asked_and_for_a_minute(cast: Cast, provider: Provider) -> None:
    refused(cast, provider, answer(cast).signed(OURS), asked="_of another browser")
    ours, back = names(cast)
    text = actions.take(
        portal=cast.place(cast.host),
        response=saml.packed(answer(cast).signed(OURS)),
        ours=ours,
        back=back,
        now=NOW,
    )
    kept = {"provider": str(provider.id), "asked": ASKED, "next": "/", "at": NOW.timestamp()}
    for wrong, now in ((text + "x", NOW), (text, NOW + timedelta(minutes=1)), ("", NOW)):
        with pytest.raises(SignOnRefused):
            actions.complete(provider=provider, kept=kept, text=wrong, now=now)
    late = {**kept, "at": NOW.timestamp() - 700}
    with pytest.raises(SignOnRefused):
        actions.complete(provider=provider, kept=late, text=text, now=NOW)
    assert actions.complete(provider=provider, kept=kept, text=text, now=NOW) == cast.owner
    with pytest.raises(SignOnRefused):
        actions.complete(provider=provider, kept=kept, text=text, now=NOW)


def test_a_provider_speaks_on_its_own_host_alone(cast: Cast, provider: Provider) -> None:
    """A20: the same signed words, brought to another client and to the console."""
    for host in (cast.partner_host, cast.other_host, cast.other_partner_host):
        with pytest.raises(SignOnRefused):
            actions.take(
                portal=cast.place(host),
                response=saml.packed(answer(cast).signed(OURS)),
                ours=names(cast)[0],
                back=names(cast)[1],
                now=NOW,
            )


def test_the_address_for_answers_signs_nobody_in_by_itself(cast: Cast, provider: Provider) -> None:
    """No sign-on begins at the provider: whoever posts a true answer from elsewhere is nobody."""
    with clock.hold(NOW):
        browser = Client(HTTP_HOST=cast.host)
        taken = browser.post("/sign-in/saml", {"SAMLResponse": saml.packed(answer(cast).signed(OURS))})
        assert taken["Location"].startswith("/sign-in/on/back?pass=")
        browser.get(taken["Location"])
        assert not browser.session.get("_auth_user_id")
        for nonsense in ("", "!", base64.b64encode(b"x").decode(), "x" * 600_000):
            assert browser.post("/sign-in/saml", {"SAMLResponse": nonsense})["Location"] == "/sign-in"
        assert browser.get("/sign-in/saml")["Location"] == "/sign-in"
