from __future__ import annotations

import pytest

from shared.accents import decode_accents


@pytest.mark.parametrize(
    ("tex", "text"),
    [
        (r"Paulo Andr\'e Lima", "Paulo André Lima"),
        (r"M\"uller and {\"U}ber and \"{o}", "Müller and Über and ö"),
        (r"Erd\H{o}s, Erd{\H o}s, Erd\H os", "Erdős, Erdős, Erdős"),
        (r"\v{C}ech, \v Cech, Ho\v cevar", "Čech, Čech, Hočevar"),
        (r"Fran\c{c}ois, Fran\c cois", "François, François"),
        (r"Garc\'{\i}a, Garc\'\i a, Garc{\'\i}a, Garc\'{i}a", "García, García, García, García"),
        (r"S{\o}ren, S\o ren, S\o{}ren", "Søren, Søren, Søren"),
        (r"\L{}ukasz, \L ukasz, {\L}ukasz", "Łukasz, Łukasz, Łukasz"),
        (r"Gau\ss, Stra{\ss}e", "Gauß, Straße"),
        (r"\AA ngstr\"om, \ae on", "Ångström, æon"),
        (r"\`a la \^ile, \~n, \=a, \.Z, \k{a}, \r{u}, \u{g}, \d{s}, \b{d}", "à la île, ñ, ā, Ż, ą, ů, ğ, ṣ, ḏ"),
    ],
)
def test_a_tex_accent_becomes_its_letter(tex: str, text: str) -> None:
    assert decode_accents(tex) == text


@pytest.mark.parametrize(
    "text",
    [
        r"$\"u + \o$ and $$\'e$$ and \(\'e\) and \[\v{c}\]",
        r"\textbf{bold} \emph{x} \ours{} \url{https://a.b} \citet{y} \beta \cm{}",
        r"100\% sure, \$5 \& more, a \\ b",
        r"https://a.edu/\~name",
        r"\'7 \v{7} \"b",
        "no backslash % at all {x} $y$",
    ],
)
def test_everything_else_stays_as_it_is(text: str) -> None:
    assert decode_accents(text) == text


def test_an_unclosed_formula_does_not_hide_the_accents_behind_it() -> None:
    assert decode_accents(r"It costs $5 in M\'exico") == "It costs $5 in México"


def test_an_escaped_dollar_opens_no_formula() -> None:
    assert decode_accents(r"\$5 in M\'exico, \$6 here") == r"\$5 in México, \$6 here"


def test_a_dot_below_h_is_not_the_letter_eth() -> None:
    assert decode_accents(r"\d{h} \d h \dh") == "ḥ ḥ ð"
