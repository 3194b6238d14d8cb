"""What a SAML identity provider says, read so that nothing but what it signed is believed.

A response is XML from a stranger's hands until its signature is checked. So: no document type, no entity, no second
element of an id that is signed, no signature but of the one shape that SAML asks for, and from then on only the copy of
the assertion that the signature covers is looked at. Nothing here knows of databases or requests.
"""

import base64
import binascii
import secrets as random
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from cryptography import x509
from lxml import etree
from signxml.algorithms import DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, XMLVerifier

from kernel import clock

SAML: Final = "{urn:oasis:names:tc:SAML:2.0:assertion}"
SAMLP: Final = "{urn:oasis:names:tc:SAML:2.0:protocol}"
MD: Final = "{urn:oasis:names:tc:SAML:2.0:metadata}"
DS: Final = "{http://www.w3.org/2000/09/xmldsig#}"
POST: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
REDIRECT: Final = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
BEARER: Final = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
SUCCESS: Final = "urn:oasis:names:tc:SAML:2.0:status:Success"
MAIL: Final = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
TRANSIENT: Final = "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"
LONGEST: Final = 256_000
LEEWAY: Final = timedelta(seconds=60)
LONGEST_LIFE: Final = timedelta(days=1)
"""An assertion that counts for longer is refused: for so long each one is remembered, so that none counts twice."""
_DEEPEST: Final = 40
_ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"
_EXCLUSIVE: Final = "http://www.w3.org/2001/10/xml-exc-c14n#"
_METHODS: Final = frozenset(
    one
    for one in SignatureMethod
    if one.name.startswith(
        ("RSA_SHA256", "RSA_SHA384", "RSA_SHA512", "ECDSA_SHA256", "ECDSA_SHA384", "ECDSA_SHA512")
    )
    or one.name in ("SHA256_RSA_MGF1", "SHA384_RSA_MGF1", "SHA512_RSA_MGF1")
)
_DIGESTS: Final = frozenset({DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512})
_MAIL_NAMES: Final = (
    "email",
    "mail",
    "emailaddress",
    "urn:oid:0.9.2342.19200300.100.1.3",
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress",
)
_NAME_NAMES: Final = (
    "displayname",
    "urn:oid:2.16.840.1.113730.3.1.241",
    "http://schemas.microsoft.com/identity/claims/displayname",
    "name",
    "cn",
    "urn:oid:2.5.4.3",
)


class NotBelieved(Exception):
    """The document is refused; the text says why, for the log alone."""


@dataclass(frozen=True)
class Trusted:
    """An identity provider by its metadata: what it calls itself, where people are sent, what it signs with (PEM)."""

    issuer: str
    sso_url: str
    certificates: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Said:
    """What a response says, once all of it is checked."""

    assertion_id: str
    in_response_to: str
    subject: str
    email: str
    name: str
    until: datetime


def parsed(text: bytes) -> Any:
    """The root element. Raises NotBelieved for what is no plain XML in UTF-8: no document type, no entities."""
    if len(text) > LONGEST:
        raise NotBelieved("too long")
    try:
        words = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise NotBelieved("not UTF-8") from error
    if "<!" in words.replace("<!--", "").replace("<![CDATA[", "") or "\x00" in words:
        raise NotBelieved("a document type")
    reader = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=False
    )
    try:
        root = etree.fromstring(text, reader)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NotBelieved("no XML") from error
    if root.getroottree().docinfo.internalDTD is not None or _depth(root) > _DEEPEST:
        raise NotBelieved("a document type, or too deep")
    if any(not isinstance(one.tag, str) for one in root.iter()):
        raise NotBelieved("a comment or an instruction")
    return root


def _depth(root: Any) -> int:
    deepest, present = 0, 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        present += 1 if event == "start" else -1
        deepest = max(deepest, present)
    return deepest


def metadata(text: bytes) -> Trusted:
    """The identity provider that a metadata document describes. Raises NotBelieved."""
    root = parsed(text)
    entities = [root] if root.tag == f"{MD}EntityDescriptor" else list(root.iter(f"{MD}EntityDescriptor"))
    entities = [one for one in entities if one.find(f"{MD}IDPSSODescriptor") is not None]
    if len(entities) != 1:
        raise NotBelieved("The document describes no identity provider, or several.")
    entity = entities[0]
    role = entity.find(f"{MD}IDPSSODescriptor")
    places = [one for one in role.findall(f"{MD}SingleSignOnService") if one.get("Binding") == REDIRECT]
    if not entity.get("entityID") or not places or not places[0].get("Location"):
        raise NotBelieved("The document names no address for HTTP-Redirect.")
    keys = [
        pem("".join(one.itertext()))
        for descriptor in role.findall(f"{MD}KeyDescriptor")
        if descriptor.get("use", "signing") == "signing"
        for one in descriptor.iter(f"{DS}X509Certificate")
    ]
    if not keys:
        raise NotBelieved("The document holds no certificate for signing.")
    return Trusted(entity.get("entityID"), places[0].get("Location"), list(dict.fromkeys(keys)))


def pem(text: str) -> str:
    """A certificate in the usual form. Raises NotBelieved for what is none, and for a key that is too short."""
    try:
        body = base64.b64decode("".join(text.split()), validate=True)
        certificate = x509.load_der_x509_certificate(body)
    except (ValueError, binascii.Error) as error:
        raise NotBelieved("The document holds a certificate that cannot be read.") from error
    if getattr(certificate.public_key(), "key_size", 0) < 224:
        raise NotBelieved("The provider signs with a key of a kind that is not taken.")
    wrapped = base64.encodebytes(body).decode().replace("\n", "")
    lines = "\n".join(wrapped[at : at + 64] for at in range(0, len(wrapped), 64))
    return f"-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def ends_at(certificates: Sequence[str]) -> datetime | None:
    """When the last of the certificates ends, after which nobody comes in by this provider."""
    ends = [x509.load_pem_x509_certificate(one.encode()).not_valid_after_utc for one in certificates]
    return max(ends, default=None)


def question(*, sso_url: str, ours: str, back: str, now: datetime) -> tuple[str, str]:
    """(address to send the browser to, id of the question); `ours` is what we call ourselves."""
    asked = f"_{random.token_hex(20)}"
    root = etree.Element(f"{SAMLP}AuthnRequest", nsmap={"samlp": SAMLP[1:-1], "saml": SAML[1:-1]})
    root.attrib.update(
        {
            "ID": asked,
            "Version": "2.0",
            "IssueInstant": now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "Destination": sso_url,
            "AssertionConsumerServiceURL": back,
            "ProtocolBinding": POST,
        }
    )
    etree.SubElement(root, f"{SAML}Issuer").text = ours
    etree.SubElement(root, f"{SAMLP}NameIDPolicy").set("AllowCreate", "true")
    packer = zlib.compressobj(wbits=-15)
    packed = packer.compress(etree.tostring(root)) + packer.flush()
    query = urlencode({"SAMLRequest": base64.b64encode(packed).decode()})
    return f"{sso_url}{'&' if '?' in sso_url else '?'}{query}", asked


def description(*, ours: str, back: str) -> bytes:
    """Our own metadata: assertions are to be signed and sent by POST to one address."""
    root = etree.Element(f"{MD}EntityDescriptor", nsmap={"md": MD[1:-1]})
    root.set("entityID", ours)
    role = etree.SubElement(root, f"{MD}SPSSODescriptor")
    role.attrib.update(
        {
            "protocolSupportEnumeration": SAMLP[1:-1],
            "AuthnRequestsSigned": "false",
            "WantAssertionsSigned": "true",
        }
    )
    etree.SubElement(role, f"{MD}NameIDFormat").text = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
    etree.SubElement(role, f"{MD}NameIDFormat").text = MAIL
    service = etree.SubElement(role, f"{MD}AssertionConsumerService")
    service.attrib.update({"Binding": POST, "Location": back, "index": "0", "isDefault": "true"})
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def unpacked(text: str) -> bytes:
    """The document inside a form's SAMLResponse. Raises NotBelieved."""
    if len(text) > LONGEST * 2:
        raise NotBelieved("too long")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (ValueError, binascii.Error) as error:
        raise NotBelieved("not base64") from error


def issuer_of(root: Any) -> str:
    """Who says that they say it; nothing is believed yet."""
    found = root.find(f"{SAML}Issuer")
    if found is None:
        found = root.find(f"{SAML}Assertion/{SAML}Issuer")
    return _text(found)


def read(root: Any, *, trusted: Trusted, ours: str, back: str, now: datetime) -> Said:
    """What a response says. Raises NotBelieved for anything that is not as it has to be."""
    assertion = _signed(root, trusted, now)
    asked = _of_response(root, trusted, back)
    if _text(assertion.find(f"{SAML}Issuer")) != trusted.issuer or assertion.get("Version") != "2.0":
        raise NotBelieved("an assertion of somebody else")
    until = _conditions(assertion, ours, now)
    subject, by_mail = _subject(assertion, asked, back, now)
    _statement(assertion, now)
    given = dict(_attributes(assertion))
    email = next((given[name] for name in _MAIL_NAMES if given.get(name)), subject if by_mail else "")
    name = next((given[name] for name in _NAME_NAMES if given.get(name)), "")
    return Said(str(assertion.get("ID")), asked, subject, email, name[:120], until)


def _signed(root: Any, trusted: Trusted, now: datetime) -> Any:
    """The assertion as its signature covers it: a copy of what was signed, and of nothing else. Raises NotBelieved."""
    if root.tag != f"{SAMLP}Response":
        raise NotBelieved("no response")
    found = list(root.iter(f"{SAML}Assertion"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise NotBelieved("not one assertion in its place")
    (assertion,) = found
    known = [
        value
        for one in root.iter()
        for name, value in one.attrib.items()
        if name.rpartition("}")[2].lower() == "id"
    ]
    if len(known) != len(set(known)) or not assertion.get("ID"):
        raise NotBelieved("an id stands twice")
    signatures = list(root.iter(f"{DS}Signature"))
    if any(one.getparent() not in (root, assertion) for one in signatures) or len(signatures) > 2:
        raise NotBelieved("a signature where none belongs")
    for holder in (root, assertion):
        own = holder.findall(f"{DS}Signature")
        if len(own) > 1 or (holder is assertion and not own):
            raise NotBelieved("not one signature")
        if own:
            _check_shape(own[0], str(holder.get("ID")))
    if root.find(f"{DS}Signature") is not None:
        _verified(root, trusted, now)
    return _verified(assertion, trusted, now)


def _check_shape(signature: Any, signed: str) -> None:
    """One reference, to the element that holds the signature, by the two transforms that SAML allows."""
    references = list(signature.iter(f"{DS}Reference"))
    if len(references) != 1 or references[0].get("URI") != f"#{signed}":
        raise NotBelieved("a signature over something else")
    transforms = [one.get("Algorithm") for one in references[0].iter(f"{DS}Transform")]
    canonical = [one.get("Algorithm") for one in signature.iter(f"{DS}CanonicalizationMethod")]
    if transforms != [_ENVELOPED, _EXCLUSIVE] or canonical != [_EXCLUSIVE]:
        raise NotBelieved("transforms that SAML does not allow")
    if any(True for _ in signature.iter(f"{DS}Object")):
        raise NotBelieved("a signature with contents")


def _verified(element: Any, trusted: Trusted, now: datetime) -> Any:
    """What the signature inside `element` covers, by one of the keys that we were told of beforehand."""
    expected = SignatureConfiguration(
        location="./", signature_methods=_METHODS, digest_algorithms=_DIGESTS, verification_time=now
    )
    for certificate in trusted.certificates:
        try:
            result = XMLVerifier().verify(
                etree.tostring(element, with_tail=False),
                x509_cert=certificate,
                id_attribute="ID",
                expect_config=expected,
            )
        except (SignXMLException, etree.LxmlError, ValueError, KeyError, TypeError):
            continue  # another of its keys may have signed; where none has, it is refused below
        covered = result.signed_xml if not isinstance(result, list) else None
        if covered is not None and covered.tag == element.tag and covered.get("ID") == element.get("ID"):
            return covered
    raise NotBelieved("no signature by a key of this provider")


def _of_response(root: Any, trusted: Trusted, back: str) -> str:
    """The id of the question that is answered."""
    status = root.find(f"{SAMLP}Status/{SAMLP}StatusCode")
    if root.get("Version") != "2.0" or status is None or status.get("Value") != SUCCESS:
        raise NotBelieved("the provider refused")
    issuer = root.find(f"{SAML}Issuer")
    if issuer is not None and _text(issuer) != trusted.issuer:
        raise NotBelieved("a response of somebody else")
    if root.get("Destination", back) != back:
        raise NotBelieved("a response for another address")
    asked = root.get("InResponseTo")
    if not asked:
        raise NotBelieved("an answer that nobody asked for")
    return str(asked)


def _conditions(assertion: Any, ours: str, now: datetime) -> datetime:
    """Until when it counts."""
    found = assertion.find(f"{SAML}Conditions")
    if found is None or not found.get("NotOnOrAfter"):
        raise NotBelieved("no conditions")
    until = _instant(found.get("NotOnOrAfter"))
    if until + LEEWAY <= now or until > now + LONGEST_LIFE:
        raise NotBelieved("over, or without an end")
    if found.get("NotBefore") and _instant(found.get("NotBefore")) - LEEWAY > now:
        raise NotBelieved("not yet")
    audiences = found.findall(f"{SAML}AudienceRestriction")
    if not audiences or any(
        ours not in [_text(one) for one in each.findall(f"{SAML}Audience")] for each in audiences
    ):
        raise NotBelieved("for somebody else")
    return until


def _subject(assertion: Any, asked: str, back: str, now: datetime) -> tuple[str, bool]:
    """(who it is about, whether that is an address), where it was confirmed for this question and this portal."""
    found = assertion.findall(f"{SAML}Subject")
    name = found[0].find(f"{SAML}NameID") if len(found) == 1 else None
    if name is None or not 0 < len(_text(name)) <= 255 or name.get("Format") == TRANSIENT:
        raise NotBelieved("nobody who could be known again")
    for one in found[0].findall(f"{SAML}SubjectConfirmation"):
        data = one.find(f"{SAML}SubjectConfirmationData")
        if (
            one.get("Method") == BEARER
            and data is not None
            and data.get("Recipient") == back
            and data.get("InResponseTo") == asked
            and data.get("NotBefore") is None
            and data.get("NotOnOrAfter")
            and _instant(data.get("NotOnOrAfter")) + LEEWAY > now
        ):
            return _text(name), name.get("Format") == MAIL
    raise NotBelieved("confirmed for another portal, question or time")


def _statement(assertion: Any, now: datetime) -> None:
    found = assertion.findall(f"{SAML}AuthnStatement")
    if not found or not found[0].get("AuthnInstant"):
        raise NotBelieved("nobody signed in there")
    end = found[0].get("SessionNotOnOrAfter")
    if end and _instant(end) + LEEWAY <= now:
        raise NotBelieved("the session there is over")


def _attributes(assertion: Any) -> Iterator[tuple[str, str]]:
    """(name in small letters, first value), the last of a name counts least."""
    seen: Mapping[str, str] = {}
    for one in assertion.findall(f"{SAML}AttributeStatement/{SAML}Attribute"):
        name, value = str(one.get("Name", "")).lower(), one.find(f"{SAML}AttributeValue")
        if name not in seen and value is not None:
            seen = {**seen, name: _text(value)}
    yield from seen.items()


def _instant(text: str) -> datetime:
    try:
        return clock.parse_rfc3339(text)
    except (ValueError, OverflowError) as error:
        raise NotBelieved("a time that is none") from error


def _text(element: Any) -> str:
    """All the text of an element: what stands behind a comment belongs to it."""
    return "" if element is None else "".join(element.itertext()).strip()
