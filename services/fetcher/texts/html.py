"""arXiv's HTML, which LaTeXML makes from TeX, to sections of plain text; formulas stay TeX."""

from __future__ import annotations

import re
from collections.abc import Iterator

from lxml import etree

from services.fetcher.texts.sections import NoText, finished
from shared.texts import Section

MAX_CAPTION = 300
MAX_FORMULA = 1_000

_CUT_TAGS = frozenset(
    ("audio", "button", "canvas", "footer", "form", "head", "iframe", "img", "link", "nav", "noscript", "object",
     "script", "style", "svg", "template", "video")
)  # fmt: skip
_CUT_CLASSES = frozenset(
    f"ltx_{name}"
    for name in (
        "ERROR", "TOC", "acknowledgement", "acknowledgements", "authors", "bibliography", "biblist", "classification",
        "contact", "conversion_report", "creator", "date", "dates", "index", "keywords", "listing", "note",
        "page_footer", "page_header", "page_navbar", "pagination", "picture", "pubnotes", "rdf", "role_affiliation",
        "role_footnotemark", "tabular", "tag_equation", "tag_equationgroup",
    )
) | {"ar5iv-footer", "package-alerts", "html-header-logo"}  # fmt: skip
_HEADINGS = frozenset(f"ltx_title_{level}" for level in ("abstract", "appendix", "chapter", "part", "section"))
_BLOCKS = frozenset(("ltx_title", "ltx_p", "ltx_caption", "ltx_equation", "ltx_equationgroup", "ltx_eqn_table"))
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_COMMENT_BREAK = re.compile(r"%[ \t]*\r?\n\s*")
_STYLE = re.compile(r"\\(?:displaystyle|textstyle|scriptstyle|nolimits|limits|nonumber)(?![A-Za-z])\s*")
_DOLLAR = re.compile(r"(?<!\\)\$")
_SIMPLE = re.compile(r"[A-Za-z0-9.,+\-=<>/() ]{1,30}")


def parse(document: bytes) -> tuple[Section, ...]:
    """The sections, without authors, references, notes and page furniture; `NoText` when it is no such page."""
    article = _article(document)
    _cut(article)
    _write_out_formulas(article)
    return finished(_sections(article))


def _article(document: bytes) -> etree._Element:
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=True)
    try:
        # libxml2 stops at a byte that is no UTF-8, and at NUL.
        root = etree.fromstring(_legal(document.decode("utf-8", "replace")).encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise NoText(f"it is no HTML: {str(error)[:200]}") from None
    if root is None:
        raise NoText("it is empty")
    for element in root.iter():
        classes = _classes(element)
        # Where a package is missing, arXiv puts a warning before the paper and gives it the paper's own class.
        if "ltx_document" in classes and not classes & _CUT_CLASSES:
            return element
    raise NoText("it is no paper made by LaTeXML")


def _classes(element: etree._Element) -> frozenset[str]:
    return frozenset((element.get("class") or "").split())


def _cut(article: etree._Element) -> None:
    doomed = [
        element
        for element in article.iter()
        if element is not article and (element.tag in _CUT_TAGS or _classes(element) & _CUT_CLASSES)
    ]
    for element in doomed:
        _replace(element, "")


def _replace(element: etree._Element, text: str) -> None:
    """Put text in the place of an element; what follows it stays."""
    parent = element.getparent()
    if parent is None:
        return
    text += element.tail or ""
    before = element.getprevious()
    if before is not None:
        before.tail = _legal((before.tail or "") + text)
    else:
        parent.text = _legal((parent.text or "") + text)
    parent.remove(element)


def _legal(text: str) -> str:
    """Without what libxml2 reads, but refuses to be given."""
    return _ILLEGAL.sub("", text)


def _write_out_formulas(article: etree._Element) -> None:
    for formula in list(article.iter("math")):
        _replace(formula, formula_text(_tex(formula)))


def _tex(formula: etree._Element) -> str:
    """The TeX that the formula was made from: its `alttext`, or its annotation, or the symbols themselves."""
    if alttext := formula.get("alttext"):
        return alttext
    for annotation in formula.iter("annotation"):
        if annotation.get("encoding") == "application/x-tex" and annotation.text:
            return annotation.text
    for annotation in list(formula.iter("annotation", "annotation-xml")):
        _replace(annotation, "")
    return _text(formula)


def formula_text(tex: str) -> str:
    """A formula for a reader of plain text: `$\\rho(r)$`, and `x = 3` as it is."""
    tex = " ".join(_DOLLAR.sub("", _STYLE.sub("", _COMMENT_BREAK.sub("", tex))).split())
    if not tex or _SIMPLE.fullmatch(tex):
        return tex
    return f"${tex}$" if len(tex) <= MAX_FORMULA else "$…$"


def _sections(article: etree._Element) -> Iterator[Section]:
    heading, lines = "", list[str]()
    for element, classes in _blocks(article):
        text = _plain(element)
        if classes & _HEADINGS:
            yield Section(heading=heading, text="\n".join(lines))
            heading, lines = text, []
        elif "ltx_title_document" not in classes and text:
            lines.append(_short(text) if "ltx_caption" in classes else text)
    yield Section(heading=heading, text="\n".join(lines))


def _blocks(article: etree._Element) -> Iterator[tuple[etree._Element, frozenset[str]]]:
    """Titles, paragraphs, formulas on lines of their own and captions, in order, none inside another."""
    waiting = [article]
    while waiting:
        element = waiting.pop()
        classes = _classes(element)
        if _is_block(element, classes):
            yield element, classes
        else:
            waiting.extend(reversed(element))


def _is_block(element: etree._Element, classes: frozenset[str]) -> bool:
    return element.tag in ("p", "figcaption") or bool(classes & _BLOCKS)


def _plain(element: etree._Element) -> str:
    return " ".join(_text(element).split())


def _text(element: etree._Element) -> str:
    return _legal("".join(map(str, element.itertext())))


def _short(caption: str) -> str:
    return caption if len(caption) <= MAX_CAPTION else caption[:MAX_CAPTION].rsplit(" ", 1)[0] + " …"
