import base64
import json
import pickle

import pytest

from kernel import secrets
from kernel.secrets import Secret, SecretUnreadable


def test_a_secret_has_no_text_form():
    secret = Secret("correct horse")
    assert repr(secret) == "Secret(…)"
    for leak in (
        lambda: str(secret),
        lambda: f"{secret}",
        lambda: json.dumps(secret),
        lambda: pickle.dumps(secret),
        lambda: hash(secret),
    ):
        with pytest.raises(TypeError):
            leak()
    assert secret == Secret("correct horse")
    assert secret != Secret("wrong horse")


def test_what_was_revealed_is_redacted_in_every_form():
    value = 's3cr3t/with+chars and "quotes"'
    Secret(value).reveal()
    for form in (
        value,
        base64.b64encode(value.encode()).decode(),
        json.dumps(value)[1:-1],
        "s3cr3t%2Fwith%2Bchars%20and%20%22quotes%22",
    ):
        assert form not in secrets.redact(f"before {form} after")


def test_a_sealed_secret_opens_under_its_own_names_alone():
    key = secrets.new_key()
    sealed = secrets.seal(key, b"value", "tenant-a", "row-1", 1, "connection")
    assert secrets.unseal(key, sealed, "tenant-a", "row-1", 1, "connection") == b"value"
    for names in (
        ("tenant-b", "row-1", 1, "connection"),
        ("tenant-a", "row-2", 1, "connection"),
        ("tenant-a", "row-1", 2, "connection"),
        ("tenant-a", "row-1", 1, "endpoint"),
        ("tenant-arow-1", 1, "connection"),
    ):
        with pytest.raises(SecretUnreadable):
            secrets.unseal(key, sealed, *names)
    with pytest.raises(SecretUnreadable):
        secrets.unseal(secrets.new_key(), sealed, "tenant-a", "row-1", 1, "connection")


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s[:-1],
        lambda s: s[:-1] + bytes([s[-1] ^ 1]),
        lambda s: b"\x02" + s[1:],
        lambda s: b"",
        lambda s: s[:5],
    ],
)
def test_a_changed_ciphertext_never_opens(change):
    key = secrets.new_key()
    with pytest.raises(SecretUnreadable):
        secrets.unseal(key, change(secrets.seal(key, b"value", "a")), "a")


def test_no_two_seals_are_alike():
    key = secrets.new_key()
    assert len({secrets.seal(key, b"value", "a") for _ in range(500)}) == 500


def test_a_signature_is_for_one_purpose():
    signature = secrets.sign(b"key", "job", b"message")
    assert secrets.verify(b"key", "job", b"message", signature)
    assert not secrets.verify(b"key", "link", b"message", signature)
    assert not secrets.verify(b"key", "job", b"other", signature)
    assert not secrets.verify(b"other", "job", b"message", signature)


def test_what_is_scrubbed_is_gone_in_every_form_and_nothing_else_is():
    value = 's3cr3t/with+chars and "quotes"'
    text = f"a {value} b {base64.b64encode(value.encode()).decode()} c {json.dumps(value)} d"
    assert secrets.scrub(text, [value]) == 'a ••• b ••• c "•••" d'
    assert secrets.scrub(text.encode(), [value]) == 'a ••• b ••• c "•••" d'.encode()
    assert secrets.scrub("the day", ["day", ""]) == "the day"
