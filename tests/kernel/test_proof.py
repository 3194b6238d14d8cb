"""The tree and the notes: against RFC 9162 by its own definition, against known answers, against cryptography."""

import base64
import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kernel import notes, proof
from kernel.proof import Checkpoint, Key, Malformed, Tree, leaf_hash, node_hash

ENTRIES = [
    b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
]  # fmt: skip
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
"""The entries and roots with which implementations of certificate transparency test themselves."""


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 9162, 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaf_hash(leaves[0])
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(by_definition(leaves[:half]), by_definition(leaves[half:]))


def test_roots_are_the_known_ones() -> None:
    for size, root in ROOTS.items():
        tree = Tree()
        for entry in ENTRIES[:size]:
            tree.add(leaf_hash(entry))
        assert tree.root().hex() == root


def test_every_size_has_the_root_of_the_definition() -> None:
    leaves = [os.urandom(8) for _ in range(130)]
    tree = Tree()
    for size, entry in enumerate(leaves):
        assert (tree.size, tree.root()) == (size, by_definition(leaves[:size]))
        tree.add(leaf_hash(entry))


def test_a_tree_goes_on_from_its_peaks_and_takes_whole_subtrees() -> None:
    leaves = [os.urandom(8) for _ in range(100)]
    first = Tree()
    for entry in leaves[:64]:
        first.add(leaf_hash(entry))
    again, skipping = Tree(first.peaks), Tree()
    skipping.add(first.root(), 6)
    for entry in leaves[64:]:
        again.add(leaf_hash(entry))
        skipping.add(leaf_hash(entry))
    assert again.root() == skipping.root() == by_definition(leaves)
    with pytest.raises(Malformed):
        skipping.add(bytes(32), 3)


def test_what_a_leaf_completes_is_told() -> None:
    tree = Tree()
    told = list(itertools.chain.from_iterable(tree.append(bytes([n]) * 32) for n in range(4)))
    assert [(level, index) for level, index, _ in told] == [
        (0, 0), (0, 1), (1, 0), (0, 2), (0, 3), (1, 1), (2, 0),
    ]  # fmt: skip
    assert told[-1][2] == tree.root()


def test_signatures_by_hand_are_those_of_the_library() -> None:
    for number in range(8):
        private = Ed25519PrivateKey.generate()
        public = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        message = os.urandom(number * 7)
        signature = private.sign(message)
        assert proof.signed_by_hand(public, signature, message)
        assert not proof.signed_by_hand(public, signature, message + b"x")
        assert not proof.signed_by_hand(public, signature[:32] + bytes(32), message)
        at = number * 8
        broken = signature[:at] + bytes([signature[at] ^ 1]) + signature[at + 1 :]
        assert not proof.signed_by_hand(public, broken, message)


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    assert notes.make_key(tmp_path / "keys" / "audit.key")
    return tmp_path / "keys" / "audit.key"


POINT = Checkpoint("example.test/audit/t", 7, bytes(range(32)), "2026-03-02T09:30:00Z")


def test_a_note_is_read_with_its_key_alone(key_file: Path, tmp_path: Path) -> None:
    note = notes.sign(POINT, file=key_file, name="portal-audit")
    keys = notes.verifying_keys(file=key_file, name="portal-audit")
    assert proof.read_note(note, keys) == POINT
    assert note.startswith("example.test/audit/t\n7\n" + base64.b64encode(bytes(range(32))).decode())
    notes.make_key(tmp_path / "other.key")
    others = notes.verifying_keys(file=tmp_path / "other.key", name="portal-audit")
    for text, known in [
        (note, others),
        (note.replace("\n7\n", "\n8\n"), keys),
        (note.replace("portal-audit", "portal"), keys),
        (note.partition("\n\n")[0], keys),
        ("", keys),
    ]:
        with pytest.raises(Malformed):
            proof.read_note(text, known)


def test_a_key_is_made_once_and_older_ones_are_still_known(key_file: Path) -> None:
    before = notes.sign(POINT, file=key_file, name="a")
    assert not notes.make_key(key_file)
    assert key_file.stat().st_mode & 0o777 == 0o600
    key_file.write_text("another key of at least thirty-two letters\n" + key_file.read_text())
    keys = notes.verifying_keys(file=key_file, name="a")
    assert len(keys) == 2
    assert proof.read_note(before, keys) == POINT
    assert proof.read_note(notes.sign(POINT, file=key_file, name="a"), keys[:1]) == POINT
    assert [Key.read(str(key)) for key in keys] == keys


@pytest.mark.parametrize("text", ["", "a+b", "a+00000000+AAAA", "a+00000000+" + "A" * 44])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        Key.read(text)


def test_without_a_key_nothing_is_signed(tmp_path: Path) -> None:
    with pytest.raises(notes.NoAuditKey):
        notes.sign(POINT, file=tmp_path / "none", name="a")
    (tmp_path / "short").write_text("short\n")
    with pytest.raises(notes.NoAuditKey):
        notes.sign(POINT, file=tmp_path / "short", name="a")


def test_the_verifier_stands_alone(tmp_path: Path) -> None:
    """The file by itself, in a folder by itself, on a Python without packages."""
    (tmp_path / "verify.py").write_bytes(Path(proof.__file__).read_bytes())
    (tmp_path / "events.jsonl").write_text("{}\n")
    key = str(Key.of("a", bytes(32)))
    done = subprocess.run(
        [sys.executable, "-I", "-S", "verify.py", "events.jsonl", "--key", key],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert "first bad event: 0" in done.stdout
