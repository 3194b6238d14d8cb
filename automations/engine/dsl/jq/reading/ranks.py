"""How tightly the operators bind, from the loosest on."""

from typing import Final

DEFAULT, ASSIGN, OR, AND, COMPARE, ADD, MULTIPLY = range(1, 8)
RANKS: Final = {
    "//": DEFAULT,
    **dict.fromkeys(("=", "|=", "+=", "-=", "*=", "/=", "%=", "//="), ASSIGN),
    "or": OR,
    "and": AND,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), COMPARE),
    **dict.fromkeys("+-", ADD),
    **dict.fromkeys("*/%", MULTIPLY),
}
"""Operators of one rank stand side by side; a higher rank binds more tightly."""
