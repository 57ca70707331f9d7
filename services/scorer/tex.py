"""TeX in running text, read as people do: accents as letters, commands of form as nothing."""

from __future__ import annotations

import re

_COMMAND = re.compile(
    r"""\\(?:
      (?P<letter>ss|ae|AE|oe|OE|aa|AA|o|O|l|L|i|j)(?![A-Za-z])[ ]?
    | ["'`^~=.](?=[A-Za-z{\\])
    | [cvuHkrdbt](?:[ ]+(?=[A-Za-z])|(?=\{))
    | (?:emph|text(?:bf|it|tt|sc|rm|sf|sl|up|md|normal)?|math(?:rm|bf|it|tt|sf|cal|bb|scr|frak)|operatorname|mbox
        |underline|bf|it|em|tt|rm|sc|sf|large|small|left|right|limits|displaystyle|textstyle)(?![A-Za-z])\*?[ ]*
    | (?=[%&#_$ ])
    | (?P<name>[A-Za-z]+)(?=[{$])
    )""",
    re.VERBOSE,
)
_PLAIN = {"aa": "a", "AA": "A"}


def without_tex(text: str) -> str:
    r"""`K\"{a}hler` as `K{a}hler`, `\emph{mixture of} experts` without the command; names such as `\alpha` stay.

    Accents are dropped rather than set, and braces are left: texts are compared without both.
    """
    return _COMMAND.sub(_read, text)


def _read(found: re.Match[str]) -> str:
    if found["name"]:
        return f"{found['name']} "  # what follows is no part of it: `$\to$RL`, `\say{linear}`
    letter = found["letter"] or ""
    return _PLAIN.get(letter, letter)
