"""Fetching what a definition refers to (OpenAPI documents, JSON Schemas): once, when it is published."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from automations.connectors import actions as connectors
from automations.engine.dsl import document as documents
from automations.engine.errors import DefinitionRefused, Finding
from kernel import http, jsonx

MAX_BYTES: Final = 4 * 1024 * 1024
SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A document as it was found, and the SHA-256 of its bytes."""

    address: str
    digest: str
    document: Any


def fetch(addresses: Iterable[str]) -> list[Fetched]:
    """Every document, through the same way out as calls take. Raises DefinitionRefused naming each that failed."""
    found, findings = [], []
    for address in sorted(addresses):
        try:
            found.append(_fetch(address))
        except (http.EgressRefused, http.NoAnswer) as error:
            findings.append(Finding("unfetched", "", f"{address}: {error.message}"))
        except (DefinitionRefused, ValueError) as error:
            findings.append(Finding("unfetched", "", f"{address} cannot be read: {error}"))
    if findings:
        raise DefinitionRefused(findings)
    return found


def _fetch(address: str) -> Fetched:
    answer = http.fetch(
        "GET", address, connectors.egress(), headers={"accept": "application/json, */*"}, seconds=SECONDS
    )
    if answer.status != 200:
        raise ValueError(f"it answered {answer.status}")
    if len(answer.body) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES // 1024 // 1024} MB")
    return Fetched(address, hashlib.sha256(answer.body).hexdigest(), _parsed(answer.body))


def _parsed(body: bytes) -> Any:
    if body.lstrip()[:1] in (b"{", b"["):
        return jsonx.loads(body)
    return documents.read(body.decode("utf-8"))
