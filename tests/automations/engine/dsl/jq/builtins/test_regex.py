"""Regular expressions, as RE2 runs them."""

import pytest

from tests.automations.engine.dsl.jq.evaluating import every, failure, one


def test_test_tells_whether_a_text_matches():
    assert every('test("b"), test("B"), test("B"; "i"), test(["B", "i"]), test("z"; null)', "abc") == [
        True,
        False,
        True,
        True,
        False,
    ]


def test_match_tells_where_and_what():
    assert every('match("(?<x>é)(b)?(z)?"; "g")', "aéb é") == [
        {
            "offset": 1,
            "length": 2,
            "string": "éb",
            "captures": [
                {"offset": 1, "length": 1, "string": "é", "name": "x"},
                {"offset": 2, "length": 1, "string": "b", "name": None},
                {"offset": -1, "string": None, "length": 0, "name": None},
            ],
        },
        {
            "offset": 4,
            "length": 1,
            "string": "é",
            "captures": [
                {"offset": 4, "length": 1, "string": "é", "name": "x"},
                {"offset": -1, "string": None, "length": 0, "name": None},
                {"offset": -1, "string": None, "length": 0, "name": None},
            ],
        },
    ]


def test_empty_matches_are_found_once_each():
    assert every(
        '[match("";"g").offset], [match("b*";"g") | .offset], [match("b*";"gn") | .offset]', "abb"
    ) == [
        [0, 1, 2, 3],
        [0, 1, 3],
        [1],
    ]
    assert every('gsub("";"-"), gsub("$";"-"), gsub("^";"-"), gsub("x*";"-")', "ab") == [
        "-a-b-",
        "ab-",
        "-ab",
        "-a-b-",
    ]


def test_captures_become_an_object():
    assert one('capture("(?<year>\\\\d{4})-(?<month>\\\\d\\\\d)")', "on 2024-05-01") == {
        "year": "2024",
        "month": "05",
    }
    assert every('capture("(?<a>x)?(?<b>.)"; "g")', "yz") == [{"a": None, "b": "y"}, {"a": None, "b": "z"}]
    assert every('capture("z")', "abc") == []


def test_scan_gives_texts_or_groups():
    assert every('scan("a.")', "abac") == ["ab", "ac"]
    assert every('scan("(a)(.)")', "abac") == [["a", "b"], ["a", "c"]]
    assert every('scan("A."; "i")', "abac") == ["ab", "ac"]


def test_texts_are_split_at_matches():
    assert one('split(", *"; null)', "ab,cd,   ef") == ["ab", "cd", "ef"]
    assert every('splits("x"; "i")', "aXbxc") == ["a", "b", "c"]
    assert every('splits("z")', "") == [""]


def test_sub_replaces_the_first_and_gsub_all():
    assert every('sub("a"; "b"), gsub("a"; "b"), sub("a"; "b"; "g")', "aba") == ["bba", "bbb", "bbb"]
    assert one('gsub("(?<l>[a-z])(?<d>\\\\d)"; "\\(.d)\\(.l | ascii_upcase)")', "a1-b2") == "1A-2B"
    assert one('gsub("\\\\s+"; " ")', "a  b \n c") == "a b c"
    assert one('sub("(?<x>z)?a"; "<\\(.x)>")', "ba") == "b<null>"


def test_several_replacements_give_several_texts():
    assert every('gsub("a"; "1", "2")', "aba") == ["1b1", "2b2"]
    assert every('gsub("a"; empty)', "aba") == ["aba"]
    assert failure('sub("b"; 1)', "abc") == 'string ("a") and number (1) cannot be added'


def test_flags_change_how_is_matched():
    assert every('test("a.b"), test("a.b"; "m"), test("a.b"; "p"), test("a.b"; "s")', "a\nb") == [
        False,
        True,
        True,
        False,
    ]
    assert one('test("a b # all of it"; "x")', "ab") is True
    assert every('match("a|ab"), match("a|ab"; "l") | .string', "ab") == ["a", "ab"]
    assert failure('test("a"; "q")', "a") == "q is not a valid modifier string"


def test_classes_know_letters_beyond_ascii():
    assert every('[scan("\\\\w+")]', "Müller, Straße 1") == [["Müller", "Straße", "1"]]
    assert every('test("^[\\\\w.]+$"), test("\\\\W"), test("^[[:alpha:]]+$")', "é") == [True, False, True]
    assert one('test("É"; "i")', "é") is True
    assert one('[scan("\\\\p{Lu}")]', "aÄb") == ["Ä"]


def test_lines_begin_and_end_where_the_text_does():
    assert every('test("^b"), test("a$"), test("(?m)^b$")', "a\nb") == [False, False, True]


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a(?=b)", "look-ahead is not supported"),
        ("a(?!b)", "look-ahead is not supported"),
        ("(?<!a)b", "look-behind is not supported"),
        ("(?>a)", "atomic groups are not supported"),
        ("(a)\\1", "back-references are not supported"),
        ("a++", "bad repetition operator: ++"),
        ("(", "missing ): ("),
        ("[a-z&&[b]]", "sets inside of [ ] are not supported; a bracket is written \\["),
        ("a" * 2_001, "a pattern has at most 2000 characters"),
    ],
)
def test_what_re2_does_not_do_is_an_error_that_says_so(pattern, reason):
    assert failure("test($p)", "ab", p=pattern) == f"Regex failure: {reason}"


def test_what_is_no_text_is_an_error():
    assert failure('test("a")', 1) == "number (1) cannot be matched, as it is not a string"
    assert failure("test(1)", "a") == "number not a string or array"
    assert failure('test("a"; 1)', "a") == "number (1) is not a string"
    assert failure('sub(1; "a")', "a") == "number (1) is not a string"


def test_a_pattern_that_is_wrong_can_be_caught():
    assert one('try test("(") catch "wrong"', "a") == "wrong"


def test_time_does_not_grow_beyond_the_text():
    assert one('test("(a+)+$")', "a" * 50_000 + "b") is False
    assert one('test("(a|aa)*c")', "a" * 50_000) is False
