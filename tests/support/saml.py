"""A SAML identity provider: what it signs, and a process of its own that people are sent to and that sends them back.

`python -m tests.support.saml PORT` serves metadata at `/metadata` and takes questions at `/sso`; whoever asks names the
subject there, in place of a password. What it signs with is in the working folder of nobody: a key made at the start.
"""

import base64
import html
import json
import os
import re
import subprocess
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from lxml import etree
from signxml import DigestAlgorithm, SignatureMethod, XMLSigner

from deploy.local.ports import free_port

SAML = "urn:oasis:names:tc:SAML:2.0:assertion"
SAMLP = "urn:oasis:names:tc:SAML:2.0:protocol"
EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


@dataclass
class Signer:
    """A key with its certificate."""

    key: Any = field(default_factory=lambda: rsa.generate_private_key(65537, 2048))
    until: datetime = field(default_factory=lambda: datetime(2040, 1, 1, tzinfo=UTC))

    def __post_init__(self) -> None:
        """A certificate over its own key."""
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "idp.test")])
        made = x509.CertificateBuilder(name, name, self.key.public_key(), x509.random_serial_number())
        made = made.not_valid_before(datetime(2020, 1, 1, tzinfo=UTC)).not_valid_after(self.until)
        self.pem = made.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    @property
    def bare(self) -> str:
        """The certificate as it stands in XML."""
        return "".join(line for line in self.pem.splitlines() if not line.startswith("-"))

    def sign(self, element: Any, **more: Any) -> Any:
        """The element with its signature inside, behind the issuer as SAML wants it."""
        signer = XMLSigner(
            signature_algorithm=more.get("method", SignatureMethod.RSA_SHA256),
            digest_algorithm=more.get("digest", DigestAlgorithm.SHA256),
            c14n_algorithm=more.get("c14n", EXCLUSIVE),
        )
        space = "http://www.w3.org/2000/09/xmldsig#"
        holder = etree.SubElement(element, f"{{{space}}}Signature", Id="placeholder", nsmap={"ds": space})
        element.remove(holder)
        element.insert(1, holder)
        return signer.sign(
            element, key=self.key, cert=self.pem, reference_uri=f"#{element.get('ID')}", id_attribute="ID"
        )


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass
class Answer:
    """What goes into a response; each can be said wrongly."""

    issuer: str
    audience: str
    back: str
    asked: str
    now: datetime
    subject: str = "sub-owner"
    format: str = PERSISTENT
    mail: str = "owner@cast.test"
    name: str = "Orla"
    assertion_id: str = field(default_factory=lambda: f"_{os.urandom(12).hex()}")
    response_id: str = field(default_factory=lambda: f"_{os.urandom(12).hex()}")
    minutes: int = 5

    def assertion(self) -> Any:
        """The assertion, not signed yet."""
        until = stamp(self.now + timedelta(minutes=self.minutes))
        return etree.fromstring(
            f"""<saml:Assertion xmlns:saml="{SAML}" ID="{self.assertion_id}" Version="2.0"
 IssueInstant="{stamp(self.now)}"><saml:Issuer>{self.issuer}</saml:Issuer><saml:Subject><saml:NameID
 Format="{self.format}">{self.subject}</saml:NameID><saml:SubjectConfirmation
 Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData InResponseTo="{self.asked}"
 NotOnOrAfter="{until}" Recipient="{self.back}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions
 NotBefore="{stamp(self.now - timedelta(minutes=1))}" NotOnOrAfter="{
                until
            }"><saml:AudienceRestriction><saml:Audience>{
                self.audience
            }</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{
                stamp(self.now)
            }"/><saml:AttributeStatement><saml:Attribute Name="mail"><saml:AttributeValue>{
                self.mail
            }</saml:AttributeValue></saml:Attribute><saml:Attribute Name="displayName"><saml:AttributeValue>{
                self.name
            }</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion>"""
        )

    def response(self) -> Any:
        """The response around nothing."""
        return etree.fromstring(
            f"""<samlp:Response xmlns:samlp="{SAMLP}" xmlns:saml="{SAML}" ID="{
                self.response_id
            }" Version="2.0"
 IssueInstant="{stamp(self.now)}" Destination="{self.back}" InResponseTo="{self.asked}"><saml:Issuer>{
                self.issuer
            }</saml:Issuer><samlp:Status><samlp:StatusCode
 Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status></samlp:Response>"""
        )

    def signed(self, signer: Signer, change: Callable[[Any], Any] | None = None, **more: Any) -> Any:
        """The response with its signed assertion; `change` is done to the assertion before it is signed."""
        root, assertion = self.response(), self.assertion()
        if change is not None:
            change(assertion)
        root.append(signer.sign(assertion, **more))
        return root


def packed(root: Any) -> str:
    """As a form carries it."""
    text = root if isinstance(root, bytes) else etree.tostring(root)
    return base64.b64encode(text).decode()


def metadata(issuer: str, sso: str, *certificates: str) -> str:
    """A provider's description of itself."""
    keys = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>'
        f"<ds:X509Certificate>{one}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for one in certificates
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{issuer}">'
        f'<md:IDPSSODescriptor protocolSupportEnumeration="{SAMLP}">{keys}<md:SingleSignOnService'
        f' Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="{sso}"/></md:IDPSSODescriptor>'
        f"</md:EntityDescriptor>"
    )


def question(address: str) -> Any:
    """The question inside the address that a browser was sent to."""
    query = parse_qs(urlsplit(address).query)
    return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))


class _Desk(BaseHTTPRequestHandler):
    """Answers questions about whomever the browser names."""

    signer: Signer
    base: str

    def do_GET(self) -> None:
        """Metadata; or the form that goes back to the portal, signed."""
        parts = urlsplit(self.path)
        if parts.path == "/metadata":
            self._say(metadata(self.base, f"{self.base}/sso", self.signer.bare))
            return
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        asked = question(self.path)
        answer = Answer(
            issuer=self.base,
            audience=str(asked.findtext(f"{{{SAML}}}Issuer")),
            back=str(asked.get("AssertionConsumerServiceURL")),
            asked=str(asked.get("ID")),
            now=datetime.fromisoformat(str(asked.get("IssueInstant"))),
            **json.loads(given.get("as", "{}")),
        )
        form = packed(answer.signed(self.signer))
        self._say(
            f'<form method="post" action="{html.escape(answer.back)}"><input name="SAMLResponse" value="{form}"></form>'
        )

    def _say(self, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@dataclass
class Process:
    """A provider that is up."""

    base: str

    def get(self, path: str) -> str:
        """What it answers."""
        asked = HTTPConnection(self.base.removeprefix("http://"), timeout=10)
        try:
            asked.request("GET", path)
            answer = asked.getresponse()
            said = answer.read().decode()
            assert answer.status == 200, said[:300]
            return said
        finally:
            asked.close()

    def answer(self, address: str, **person: str) -> tuple[str, str]:
        """(where the form goes, SAMLResponse) for somebody who signs in there."""
        from urllib.parse import urlencode

        said = self.get(f"{address.removeprefix(self.base)}&{urlencode({'as': json.dumps(person)})}")
        found = re.search(r'action="([^"]+)".*value="([^"]+)"', said)
        assert found, said[:300]
        return html.unescape(found[1]), found[2]


@contextmanager
def running() -> Iterator[Process]:
    """A provider on a free port, for the block."""
    made = Process(f"http://127.0.0.1:{free_port()}")
    process = subprocess.Popen([sys.executable, "-m", "tests.support.saml", made.base.rpartition(":")[2]])
    try:
        for _ in range(300):
            assert process.poll() is None, "the provider did not start"
            try:
                made.get("/metadata")
                break
            except OSError:
                time.sleep(0.1)
        yield made
    finally:
        process.terminate()
        process.wait(10)


if __name__ == "__main__":
    port = int(sys.argv[1])
    _Desk.signer, _Desk.base = Signer(), f"http://127.0.0.1:{port}"
    ThreadingHTTPServer(("127.0.0.1", port), _Desk).serve_forever()
