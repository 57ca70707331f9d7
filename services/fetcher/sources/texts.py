"""Plain Unicode text out of what feeds and APIs hold: HTML, entities, characters that no text should have."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html import unescape
from unicodedata import normalize

from lxml import etree
from pydantic import ValidationError

MAX_MARKUP = 400_000  # characters; what lies behind them is no abstract any more
MAX_ABSTRACT = 5_000

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]")
_INLINE = re.compile(
    r"</?(?:a|abbr|b|bold|br|cite|code|em|font|i|italic|mark|p|s|sc|small|span|strong|sub|sup|tt|u)\b[^<>]{0,500}>",
    re.IGNORECASE,
)
_BLOCKS = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote br dd div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hr li main "
        "nav ol p pre section table tbody td tfoot th thead tr ul",
    )
)
_SILENT = frozenset(
    re.findall(
        r"\w+", "applet audio button canvas form head iframe object script select style svg template textarea video"
    )
)


def clean(text: str) -> str:
    """Without control characters and surrogates, in NFC."""
    return normalize("NFC", _ILLEGAL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str) -> str:
    """A title or name: entities decoded, inline tags gone, one line."""
    return " ".join(clean(unescape(_INLINE.sub(_no_tag, text[:MAX_MARKUP]))).split())


def _no_tag(tag: re.Match[str]) -> str:
    return " " if re.match(r"</?(?:br|p)\b", tag[0], re.IGNORECASE) else ""


def paragraphs(markup: str) -> str:
    """The text of an HTML fragment; its blocks are paragraphs, with an empty line between."""
    encoded = markup[:MAX_MARKUP].encode("utf-8", "ignore")
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(encoded, parser) if encoded.strip() else None
    except etree.XMLSyntaxError:  # nothing in it that could be text
        root = None
    return "" if root is None else _joined(_walk(root))


def shortened(text: str) -> str:
    """At most `MAX_ABSTRACT` characters, cut between words."""
    if len(text) <= MAX_ABSTRACT:
        return text
    return text[:MAX_ABSTRACT].rpartition(" ")[0].rstrip(" ,;:.") + " …"


def moment(text: str) -> datetime | None:
    """The time in either notation that feeds use, in UTC; None when it cannot be read."""
    for read in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = read(text.strip())
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError):
            continue
    return None


def why(error: ValueError) -> str:
    """What is wrong with an item, in a line."""
    if isinstance(error, ValidationError):
        return "; ".join(f"{problem['loc'][0]}: {problem['msg']}" for problem in error.errors())
    return str(error)[:200]


def _walk(root: etree._Element) -> str:
    pieces: list[str] = []
    walker = etree.iterwalk(root, events=("start", "end"))
    silent: etree._Element | None = None
    for event, element in walker:
        if silent is None and event == "start" and element.tag in _SILENT:
            silent = element
        elif silent is None:
            pieces.append("\0" if element.tag in _BLOCKS else "")
            pieces.append((element.text if event == "start" else element.tail) or "")
        elif event == "end" and element is silent:
            silent = None
            pieces.append(element.tail or "")
    return "".join(pieces)


def _joined(text: str) -> str:
    lines = (" ".join(clean(part).split()) for part in text.split("\0"))
    return "\n\n".join(line for line in lines if line)
