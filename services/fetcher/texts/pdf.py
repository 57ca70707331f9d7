"""A PDF to sections of plain text: lines joined, headings found, running heads and references cut."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from statistics import median

import pypdfium2
from pypdfium2.raw import FPDF_ERR_PASSWORD

from services.fetcher.texts.sections import NoText, finished, is_boilerplate, unnumbered
from shared.texts import Section

MAX_PAGES = 1_000
MAX_PAGE = 100_000  # characters; no page that a person can read has more
EDGE_LINES = 2  # where running heads and page numbers stand
FRONT_PAGES = 2  # where the abstract begins

_HYPHEN = re.compile("[\x02\xad\ufffe](?:[ \t]*\r?\n)?")
_COMPOUND = re.compile("\x02(?=(?:and|or|to) )")  # `first- and second-generation`
_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_INVISIBLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff\ufff0-\uffff]")
_STAMP = re.compile(r"arXiv:\S{5,40}v\d+\s+\[[\w.-]+\]\s+\d{1,2} \w{3} \d{4}")
_PAGE_NUMBER = re.compile(r"(?:page )?[-–— ]*(?:\d{1,4}|[ivxl]{1,6})[-–— ]*(?:(?:of|/) ?\d{1,4})?", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
_NUMBERED = re.compile(
    r"(?P<top>\d{1,2}|[IVX]{1,5}|[A-Z])(?P<sub>(?:\.\d{1,2}){0,3})[.:]?\s+(?P<title>[A-ZÀ-Þ“\"(].{2,90})"
)
_NO_HEADING = re.compile(r".*(?:[.,;:]|\s\d{1,4}|\.{3,}.*|[=∈≤≥].*)", re.DOTALL)
_KNOWN = re.compile(
    r"(?:abstract|summary|introduction|(?:related|previous|prior) works?|background|preliminaries|motivation|"
    r"(?:materials and )?methods?|methodology|approach|model|(?:proposed )?(?:method|approach)|"
    r"experiments?|experimental (?:setup|results)|evaluation|results?(?: and discussion)?|discussions?|analysis|"
    r"limitations?|conclusions?(?: and (?:future work|outlook|discussion))?|concluding remarks|future work|outlook|"
    r"discussion and conclusions?|broader impacts?|supplementary materials?|supplemental materials?|"
    r"appendix(?:es)?(?: [A-Z])?|appendices)",
    re.IGNORECASE,
)
_ABSTRACT = re.compile(r"abstract\s*(?:[.:—–-]+\s*|$)", re.IGNORECASE)
_APPENDIX = re.compile(r"(?:appendix|appendices|supplement(?:ary|al))\b.{0,90}", re.IGNORECASE)
_ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII", "XIII", "XIV", "XV")


def parse(document: bytes) -> tuple[Section, ...]:
    """The sections; `NoText` when the document cannot be opened or holds next to none."""
    return sections(pages(document))


def pages(document: bytes) -> list[str]:
    """The text of each page as PDFium finds it."""
    try:
        with pypdfium2.PdfDocument(document) as pdf:
            if len(pdf) > MAX_PAGES:
                raise NoText(f"it has {len(pdf)} pages")
            return [_page(pdf, number) for number in range(len(pdf))]
    except pypdfium2.PdfiumError as error:
        if error.err_code == FPDF_ERR_PASSWORD:
            raise NoText("it is encrypted") from None
        raise NoText(f"it cannot be read: {str(error)[:200]}") from None


def _page(pdf: pypdfium2.PdfDocument, number: int) -> str:
    try:
        with closing(pdf[number]) as page, closing(page.get_textpage()) as text:
            return str(text.get_text_range(count=min(text.count_chars(), MAX_PAGE)))
    except pypdfium2.PdfiumError:  # one broken page must not cost the others
        return ""


def sections(texts: Sequence[str]) -> tuple[Section, ...]:
    """The sections of a paper, given the text of its pages."""
    lines = list(_without_running_heads([_lines(text) for text in texts]))
    width = median([len(line) for line in lines if len(line) > 20] or [80])
    found = list(_split(lines))
    return finished(Section(heading=heading, text=_joined(body, width)) for heading, body in _without_front(found))


def _lines(text: str) -> list[str]:
    text = _COMPOUND.sub("- ", _HYPHEN.sub("\x02", text)).replace("\x02", "").translate(_LIGATURES)
    cleaned = (" ".join(_INVISIBLE.sub("", line).split()) for line in text.splitlines())
    return [line for line in cleaned if line and not _STAMP.fullmatch(line)]


def _without_running_heads(numbered: Sequence[list[str]]) -> Iterator[str]:
    """All lines but those at the edge of a page that stand there on many pages, or are its number."""
    often = max(3, math.ceil(len(numbered) * 0.3))  # left and right pages may differ
    seen = Counter(shape for lines in numbered for shape in {_shape(lines[at]) for at in _edges(lines)})
    for lines in numbered:
        doomed = {at for at in _edges(lines) if seen[_shape(lines[at])] >= often or _PAGE_NUMBER.fullmatch(lines[at])}
        yield from (line for at, line in enumerate(lines) if at not in doomed)


def _edges(lines: Sequence[str]) -> set[int]:
    return {*range(min(EDGE_LINES, len(lines))), *range(max(0, len(lines) - EDGE_LINES), len(lines))}


def _shape(line: str) -> str:
    """What stays the same of a running head from page to page."""
    return _DIGITS.sub("#", line).casefold()


def _split(lines: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """Headings with the lines under them; what stands before the first heading has none."""
    heading, body = "", list[str]()
    numbers = _Numbers()
    for line in lines:
        if is_boilerplate(heading) and _shuts_everything(heading):
            starts = bool(_APPENDIX.fullmatch(line))
        else:
            starts = numbers.takes(line) or _is_known(line)
        rest = _ABSTRACT.match(line) if not numbers.begun else None
        if starts or rest:
            yield heading, body
            heading, body = ("Abstract", [line[rest.end() :]]) if rest else (line, [])
        else:
            body.append(line)
    yield heading, body


def _shuts_everything(heading: str) -> bool:
    """After the references come authors, addresses and checklists: only an appendix ends them."""
    return bool(re.search(r"references|bibliography|literature|works cited", heading, re.IGNORECASE))


def _is_known(line: str) -> bool:
    return len(line) <= 60 and bool(_KNOWN.fullmatch(unnumbered(line)) or is_boilerplate(line))


class _Numbers:
    """Recognises numbered headings by their sequence: `3 Method` only after 2, so that `7 TeV Collisions` is none."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}
        self.begun = False

    def takes(self, line: str) -> bool:
        """Whether the line is the next top-level heading."""
        found = _NUMBERED.fullmatch(line)
        if not found or found["sub"] or _NO_HEADING.fullmatch(found["title"]):
            return False
        kind, number = _number(found["top"])
        if number != self._last.get(kind, 0) + 1 or (kind == "letter" and not self._last.keys() - {"letter"}):
            return False
        self._last[kind] = number
        self.begun = True
        return True


def _number(top: str) -> tuple[str, int]:
    if top.isdigit():
        return "arabic", int(top)
    if top in _ROMAN:  # `C` and `D` are rather letters, `I` and `V` rather numbers
        return "roman", _ROMAN.index(top) + 1
    return "letter", ord(top[0]) - ord("A") + 1


def _without_front(found: list[tuple[str, list[str]]]) -> list[tuple[str, list[str]]]:
    """Without title and authors, where an abstract or an introduction shows where they end."""
    if len(found) > 1 and unnumbered(found[1][0]).casefold() in ("abstract", "summary"):
        return found[1:]
    return found


def _joined(lines: Sequence[str], width: float) -> str:
    """The lines as paragraphs; a line that ends a sentence early ends a paragraph."""
    paragraphs: list[list[str]] = [[]]
    for line in lines:
        words = paragraphs[-1]
        if words and words[-1].endswith("-") and words[-1][-2:-1].isalpha() and line[:1].islower():
            words[-1] = words[-1][:-1] + line
        else:
            words.append(line)
        if line.endswith((".", "!", "?", ":")) and len(line) < width * 0.8:
            paragraphs.append([])
    return "\n".join(" ".join(words) for words in paragraphs if words)
