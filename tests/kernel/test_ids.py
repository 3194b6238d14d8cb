import threading
import time
import uuid

import pytest

from kernel import ids


def test_keys_are_version_7_and_sort_by_their_making():
    keys = [ids.uuid7() for _ in range(5_000)]
    assert keys == sorted(keys)
    assert {key.version for key in keys} == {7}
    assert {key.variant for key in keys} == {uuid.RFC_4122}


def test_a_key_tells_when_it_was_made():
    before = time.time_ns() // 1_000_000
    key = ids.uuid7()
    assert before - 1 <= key.int >> 80 <= time.time_ns() // 1_000_000 + 1


def test_threads_make_no_key_twice():
    made: list[uuid.UUID] = []

    def make() -> None:
        made.extend(ids.uuid7() for _ in range(2_000))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8_000


def test_a_public_id_reads_back():
    for _ in range(200):
        key = ids.uuid7()
        text = ids.public_id("run", key)
        assert ids.parse_public_id("run", text) == key
        assert len(text) == 30


def test_public_ids_are_typeids():
    key = uuid.UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    assert ids.public_id("prefix", key) == "prefix_01h455vb4pex5vsknk084sn02q"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "run",
        "run_",
        "case_01h455vb4pex5vsknk084sn02q",
        "run_01h455vb4pex5vsknk084sn02",
        "run_zzzzzzzzzzzzzzzzzzzzzzzzzz",
        "run_01h455vb4pex5vsknk084sn02u",
    ],
)
def test_what_is_no_id_is_refused(text):
    with pytest.raises(ValueError):
        ids.parse_public_id("run", text)
