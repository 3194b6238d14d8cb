"""How expressions are read, and what is said of those that cannot be."""

from contextlib import suppress

import pytest

from automations.engine.dsl import jq
from tests.automations.engine.dsl.jq.evaluating import every, one, refusal


def test_operators_bind_as_in_jq():
    assert one("1 + 2 * 3 - 4 / 2") == 5
    assert one("2 - 1 - 1") == 0
    assert every("1, 2 | . * 10") == [10, 20]
    assert one("true or false and false") is True
    assert one("1 == 1 and 2 < 3") is True
    assert one("-1 - 1") == -2
    assert one("[-.[] | . + 1]", [1, 2]) == [0, -1]


def test_alternatives_bind_more_loosely_than_assignments():
    assert one(".a = null // 1", {}) == {"a": None}
    assert one(".a = (null // 1)", {}) == {"a": 1}


def test_a_variable_takes_in_all_that_follows():
    assert every("1 as $x | 2 as $y | $x + $y, 5") == [3, 5]
    assert one("1 + 2 as $x | -$x") == -3
    assert every("1, 2 as $x | $x * 10") == [1, 20]


def test_question_marks_belong_to_the_last_step():
    assert every(".a.b?", {"a": 1}) == []
    with pytest.raises(Exception, match="Cannot index number"):
        every(".a.b?", 1)
    assert every("(.a.b)?", 1) == []


def test_try_takes_one_term():
    assert every('try error("x") catch . | length') == [1]
    assert every("[.[] | try tonumber catch 0]", ["1", "x"]) == [[1, 0]]


def test_objects_have_their_short_forms():
    value = {"a": 1, "b": "k", "x y": 3}
    assert one('{a, "b", "x y", $v, c: .a, (.b): 2, "\\(.b)2": 4, if: 5}', value, v=6) == {
        "a": 1,
        "b": "k",
        "x y": 3,
        "v": 6,
        "c": 1,
        "k": 2,
        "k2": 4,
        "if": 5,
    }
    assert one("{a: 1 + 1, b: 2 | . + 1, c: null // 3,}") == {"a": 2, "b": 3, "c": 3}


def test_keywords_are_names_of_fields():
    assert one(".if.then.end", {"if": {"then": {"end": 1}}}) == 1


def test_comments_end_with_the_line():
    assert one("1 # one\n+ 2 # two") == 3
    assert one("1 # goes on \\\n + 2\n") == 1


def test_texts_have_escapes_and_expressions_in_them():
    assert one(r'"a\t\u00e9\ud83d\ude00\\\"\/"') == 'a\té😀\\"/'
    assert one(r'"\(1 + 1)\("b" + "\("c")")\(null)"') == "2bcnull"
    assert one(r'@json "v: \(.)"', ["a"]) == 'v: ["a"]'


def test_numbers_come_in_all_forms():
    assert every("1, 1.5, .5, 1., 1e2, 1E-1, 007") == [1, 1.5, 0.5, 1.0, 100.0, 0.1, 7]
    assert one("1e1000") == 1.7976931348623157e308


@pytest.mark.parametrize(
    ("source", "reason", "line", "column"),
    [
        ("", "the expression is empty; the whole input is written .", 1, 1),
        ("# nothing", "the expression is empty; the whole input is written .", 1, 10),
        (
            "1 +",
            "the expression ends too early: a value such as .name, $name, a number or a text is missing",
            1,
            4,
        ),
        (
            ".a\n| .b\n| )",
            "')' does not belong here; a value such as .name, $name, a number or a text is expected",
            3,
            3,
        ),
        ("(1", "the expression ends too early: ')' is missing", 1, 3),
        ("[1, 2", "the expression ends too early: ']' at the end of an array is missing", 1, 6),
        ("{a: 1", "the expression ends too early: '}' or ',' after an entry is missing", 1, 6),
        (
            "{1: 2}",
            "'1' does not belong here; a key: a name, a text, $name, or an expression in round brackets is expected",
            1,
            2,
        ),
        ("if . then 1", "the expression ends too early: 'end' at the end of if is missing", 1, 12),
        (
            "if . else 1 end",
            "'else' does not belong here; 'then' after the condition of if is expected",
            1,
            6,
        ),
        ("'a'", '\' does not belong here; texts stand in straight double quotes: "…"', 1, 1),
        ("“a”", '“ does not belong here; texts stand in straight double quotes: "…"', 1, 1),
        ('"abc', 'a text is not closed: its second " is missing', 1, 1),
        ('"a\\(1"', 'a text is not closed: its second " is missing', 1, 6),
        ('"\\x"', "\\x is not an escape; a backslash itself is written \\\\", 1, 2),
        ('"\\ud800"', "half of a surrogate pair is no character; write the character itself", 1, 2),
        (".a . b", "after . a name, a text or [ must follow directly", 1, 4),
        ("1 < 2 < 3", "< and < do not chain; put round brackets around one", 1, 7),
        (".a = .b = 1", "= and = do not chain; put round brackets around one", 1, 9),
        ("1 + def f: 2; f", "'def' does not belong here; put it into round brackets", 1, 5),
        ("def f: 1;", "after the functions an expression is missing that uses them", 1, 1),
        ("def f: 1 f", "'f' does not belong here; ';' after the function 'f' is expected", 1, 10),
        ("reduce .[] as $x (0)", "')' does not belong here; ';' before the update is expected", 1, 20),
        (
            ". as x | x",
            "'x' does not belong here; a variable such as $x, [$x, $y] or {a: $x} is expected",
            1,
            6,
        ),
        ("$x", "$x cannot be used: it is not defined here", 1, 1),
        ("(1 as $x | 2) | $x", "$x cannot be used: it is not defined here", 1, 17),
        ("reduce .[] as $x ($x; .)", "$x cannot be used: it is not defined here", 1, 19),
        ("break $out", "there is no label $out around this break", 1, 1),
        ("lenght", "there is no function lenght; is length meant?", 1, 1),
        (".a | frobnicate(1)", "there is no function frobnicate", 1, 6),
        ("map(1; 2)", "map takes 1 argument, not 2 arguments", 1, 1),
        ("flatten(1; 2)", "flatten takes no argument or 1 argument, not 2 arguments", 1, 1),
        ("def f(a): a; f", "f takes 1 argument, not no argument", 1, 14),
        (
            "map(., .a)(1)",
            "'(' does not belong here; the end, or an operator such as | or +, is expected",
            1,
            11,
        ),
        (
            "@xml",
            "@xml is not a format; there are @text, @json, @csv, @tsv, @html, @uri, @urid, @base64, @base64d, @base32, @base32d",
            1,
            1,
        ),
        ("1" * 401, "a number has at most 400 digits", 1, 1),
        ("." * 20_000, "an expression has at most 16384 characters, this has 20000", 1, 1),
        ("[1" + ",1" * 3_000 + "]", "an expression has at most 4000 words and signs", 1, 4001),
        ("(" * 100 + "1" + ")" * 100, "the expression nests deeper than 64 levels", 1, 33),
    ],
)
def test_a_refusal_says_what_is_wrong_and_where(source, reason, line, column):
    assert refusal(source) == (reason, line, column)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("env", "env is refused: an expression sees its input and its variables, nothing of the server"),
        ("env.PATH", "env is refused: an expression sees its input and its variables, nothing of the server"),
        ("$ENV.PATH", "$ENV cannot be used: the environment of the server is not readable"),
        ("$__loc__", "$__loc__ cannot be used: an expression does not know where it stands"),
        ("{$__loc__}", "$__loc__ cannot be used: an expression does not know where it stands"),
        ("$__prog_args", "$__prog_args cannot be used: there is no command line"),
        ("input", "input is refused: there is one input, which is ."),
        ("[inputs]", "inputs is refused: there is one input, which is ."),
        ("input_filename", "input_filename is refused: there is one input, which is ."),
        ("input_line_number", "input_line_number is refused: there is one input, which is ."),
        ("halt", "halt is refused: an expression cannot stop the program; use error(…)"),
        ("halt_error(1)", "halt_error is refused: an expression cannot stop the program; use error(…)"),
        ("debug", "debug is refused: an expression writes nothing but its result"),
        ('debug("x")', "debug is refused: an expression writes nothing but its result"),
        ("stderr", "stderr is refused: an expression writes nothing but its result"),
        ("@sh", "@sh is refused: an expression does not build shell commands"),
        ('@sh "\\(.)"', "@sh is refused: an expression does not build shell commands"),
        (
            "builtins",
            "builtins is refused: an expression sees its input and its variables, nothing of the server",
        ),
        (
            "modulemeta",
            "modulemeta is refused: an expression sees its input and its variables, nothing of the server",
        ),
        (
            "get_search_list",
            "get_search_list is refused: an expression sees its input and its variables, nothing of the server",
        ),
        ('import "a" as a; 1', "'import' does not belong here"),
        ('include "a"; 1', "'include' does not belong here"),
        ("os::system", "there is no function os::system"),
    ],
)
def test_what_reaches_beyond_the_data_is_refused(source, reason):
    assert refusal(source)[0] == reason


def test_a_function_of_ones_own_may_have_a_refused_name():
    assert one("def env: 7; env") == 7


def test_half_a_thousand_terms_are_no_nesting():
    assert one(" + ".join(["1"] * 500)) == 500
    assert one(" | ".join([". + 1"] * 500), 0) == 500
    assert one("[" + ",".join(["1"] * 500) + "] | add") == 500
    assert one(" and ".join(["true"] * 500)) is True


def test_generated_code_is_free_of_warnings():
    sources = [
        *(
            "(.) = 1 | if . then .a else 2 end",
            '"a".b',
            "1[0]",
            "null.a?",
            "true and 1",
            "(true, false) and 1 | .a?",
        ),
        *(
            "1 == null",
            '"a" == 1',
            "1 < 2",
            "if 1 then 2 else 3 end",
            "1 // 2",
            "1 as [$x] | $x",
            "try 1 catch 2",
        ),
        *(
            "reduce 1 as $x (2; 3)",
            "foreach 1 as $x (2; 3; 4)",
            "1 | not",
            "[1][0]",
            "-1 | -.",
            "until(1; 2)",
            "1?",
        ),
        *(
            '"a" | ltrimstr("a")',
            "any(1; 2)",
            "limit(1; 2)",
            "path(1)?",
            "def f: 1; f.a?",
            "1 |= 2",
            "2 | . += 1",
        ),
    ]
    for source in sources:
        with suppress(jq.ExpressionError):
            every(source)  # where warnings are errors, as in all tests, compiling would fail
