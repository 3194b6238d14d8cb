"""Functions of texts, JSON as text, and formats."""

import pytest

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_texts_are_split_and_joined():
    assert every('split(", "), split("")', "a, b") == [["a", "b"], ["a", ",", " ", "b"]]
    assert one('join("-")', ["a", 1, None, True, 2.5]) == "a-1--true-2.5"
    assert every('[] | join(","), join(1)') == ["", ""]
    assert failure('join(",")', ["a", [1]]) == 'string ("a,") and array ([1]) cannot be added'
    assert failure("join(1)", ["a", "b"]) == 'string ("a") and number (1) cannot be added'
    assert failure("split(1)", "a") == "split input and separator must be strings"


def test_letters_change_case_in_ascii_only():
    assert every("ascii_downcase, ascii_upcase", "aBcÉ") == ["abcÉ", "ABCÉ"]
    assert failure("ascii_downcase", 1) == "explode input must be a string"


def test_code_points_go_there_and_back():
    assert one("explode", "aé😀") == [97, 233, 128512]
    assert one("implode", [97, 233, 128512]) == "aé😀"
    assert one("implode", [55296, 1114112, -1, 1e300]) == "\ufffd" * 4
    assert every("65 | ascii") == ["A"]
    assert (
        failure("implode", ["a"]) == 'string ("a") can\'t be imploded, unicode codepoint needs to be numeric'
    )


def test_ends_are_looked_at_and_taken_off():
    assert every(
        'startswith("ab"), endswith("ab"), ltrimstr("ab"), rtrimstr("ab"), trimstr("ab")', "abxab"
    ) == [
        True,
        True,
        "xab",
        "abx",
        "x",
    ]
    assert every('ltrimstr("z"), rtrimstr(""), trimstr("a")', "a") == ["a", "a", ""]
    assert failure("ltrimstr(1)", "a") == "startswith() requires string inputs"
    assert failure('endswith("a")', 1) == "endswith() requires string inputs"


def test_white_space_of_any_kind_is_trimmed():
    assert every("trim, ltrim, rtrim", " \t\u00a0a\u2003\n") == ["a", "a\u2003\n", " \t\u00a0a"]
    assert failure("trim", 1) == "trim input must be a string"


def test_json_text_goes_there_and_back():
    value = {"b": [1, 2.5, None, True], "a": 'é"\\\n\x7f\x00'}
    text = '{"b":[1,2.5,null,true],"a":"é\\"\\\\\\n\\u007f\\u0000"}'
    assert one("tojson", value) == text
    assert one("fromjson", text) == value
    assert every("tostring, @text, @json", "a") == ["a", "a", '"a"']
    assert every("[1, [2]] | tostring, @text, @json") == ["[1,[2]]"] * 3


def test_json_text_is_read_as_leniently_as_by_jq():
    assert every('"01", "1.", ".5", "+1", "nan", "-infinity", " [1] ", "1e400" | fromjson') == [
        1,
        1.0,
        0.5,
        1,
        None,
        -1.7976931348623157e308,
        [1],
        1.7976931348623157e308,
    ]
    assert one("fromjson", '{"a":1,"a":2}') == {"a": 2}
    assert one("fromjson", '"\\udc00x"') == "\ufffdx"


@pytest.mark.parametrize("text", ["", "tru", "[1,2", "[1,]", "{1:2}", "1 2", "'a'", '"\\ud800"', "[" * 5_000])
def test_what_is_no_json_text_is_an_error(text):
    with pytest.raises(Exception, match=r"while parsing|surrogate|nests too deeply"):
        one("fromjson", text)


def test_numbers_are_read_strictly():
    assert every('"12", "-1.50", "1e3", ".5", 7 | tonumber') == [12, -1.5, 1000.0, 0.5, 7]
    for text in ("", " 1", "1 ", "0x10", "1_000", "abc", "--1", "٣", "1,5"):
        assert failure("tonumber", text) == f'string ("{text}") cannot be parsed as a number'
    assert failure("tonumber", [1]) == "array ([1]) cannot be parsed as a number"


def test_booleans_are_read_from_two_words():
    assert every('"true", "false", true | toboolean') == [True, False, True]
    assert failure("toboolean", "True") == 'string ("True") cannot be parsed as a boolean'
    assert failure("toboolean", 1) == "number (1) cannot be parsed as a boolean"


def test_rows_are_written_as_csv_and_tsv():
    row = ["a", 'say "hi", you', 1.5, None, True, "tab\tend\n\\"]
    assert one("@csv", row) == '"a","say ""hi"", you",1.5,,true,"tab\tend\n\\"'
    assert one("@tsv", row) == 'a\tsay "hi", you\t1.5\t\ttrue\ttab\\tend\\n\\\\'
    assert failure("@csv", {"a": 1}) == 'object ({"a":1}) cannot be csv-formatted, only array'
    assert failure("@tsv", [[1]]) == "array ([1]) is not valid in a csv row"


def test_texts_are_escaped_for_where_they_go():
    assert one("@html", "<a href='x'>&\"") == "&lt;a href=&apos;x&apos;&gt;&amp;&quot;"
    assert one("@uri", "a b/é?~-_.!") == "a%20b%2F%C3%A9%3F~-_.%21"
    assert one("@urid", "a%20b%c3%a9+") == "a bé+"
    assert (
        one('@uri "https://x.example/?q=\\(.q)&n=\\(.n)"', {"q": "a&b", "n": [1]})
        == "https://x.example/?q=a%26b&n=%5B1%5D"
    )
    assert failure("@urid", "%zz") == 'string ("%zz") is not a valid uri encoding'


def test_bytes_are_written_in_base64_and_base32():
    assert every("@base64, @base32", "é!") == ["w6kh", "YOUSC==="]
    assert every('"w6kh", "w6k", "YQ" | @base64d') == ["é!", "é", "a"]
    assert one("@base32d", "YOUSC===") == "é!"
    assert one("@base64d", "/+8=") == "\ufffd\ufffd"
    assert failure("@base64d", "!!") == 'string ("!!") is not valid base64 data'
    assert failure("@base64d", "Y") == 'string ("Y") trailing base64 byte found'
    assert failure("@base32d", "A") == 'string ("A") is not valid base32 data'
