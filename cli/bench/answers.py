"""Answers of arXiv's query API and OAI-PMH server: a page of recorded papers, and one bare pass of lxml over each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree

ATOM = "{http://www.w3.org/2005/Atom}"
ARXIV = "{http://arxiv.org/schemas/atom}"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
RAW = "{http://arxiv.org/OAI/arXivRaw/}"

API_HEAD = """<?xml version='1.0' encoding='UTF-8'?>
<feed xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/" xmlns:arxiv="http://arxiv.org/schemas/atom" \
xmlns="http://www.w3.org/2005/Atom">
  <id>https://arxiv.org/api/bench</id>
  <title>arXiv Query: search_query=all:testing&amp;id_list=&amp;start=0&amp;max_results={count}</title>
  <updated>2026-04-12T22:09:27Z</updated>
  <opensearch:itemsPerPage>{count}</opensearch:itemsPerPage>
  <opensearch:totalResults>{count}</opensearch:totalResults>
  <opensearch:startIndex>0</opensearch:startIndex>
"""
API_ENTRY = """  <entry>
    <id>http://arxiv.org/abs/{id}v1</id>
    <title>{title}</title>
    <updated>2025-12-01T15:05:19Z</updated>
    <link href="https://arxiv.org/abs/{id}v1" rel="alternate" type="text/html"/>
    <link href="https://arxiv.org/pdf/{id}v1" rel="related" type="application/pdf" title="pdf"/>
    <summary>{abstract}</summary>{categories}
    <published>2025-12-01T15:05:19Z</published>
    <arxiv:primary_category term="{primary}"/>{authors}
  </entry>
"""
API_CATEGORY = '\n    <category term="{}" scheme="http://arxiv.org/schemas/atom"/>'
API_AUTHOR = "\n    <author>\n      <name>{}</name>\n    </author>"
API_TEXTS = {f"{ATOM}published": "published", f"{ATOM}updated": "updated"}
OAI_TEXTS = {f"{RAW}title": "title", f"{RAW}abstract": "abstract", f"{RAW}license": "license"}


def api_page(papers: Sequence[dict[str, Any]]) -> bytes:
    """The papers as the query API lists them."""
    return (API_HEAD.format(count=len(papers)) + "".join(map(_entry, papers)) + "</feed>\n").encode()


def _entry(paper: dict[str, Any]) -> str:
    return API_ENTRY.format(
        id=paper["id"],
        title=escape(paper["title"]),
        abstract=escape(paper["abstract"]),
        categories="".join(API_CATEGORY.format(escape(name)) for name in paper["categories"]),
        primary=escape(paper["categories"][0]),
        authors="".join(API_AUTHOR.format(escape(name)) for name in paper["authors"]),
    )


def api_floor(document: bytes) -> list[dict[str, Any]]:
    """One pass of lxml over a page of the API, every text into a dictionary."""
    papers = []
    for entry in _tree(document).iter(f"{ATOM}entry"):
        paper: dict[str, Any] = {"authors": [], "categories": []}
        for child in entry:
            tag, text = child.tag, child.text
            if tag == f"{ATOM}author":
                paper["authors"].append(child[0].text)
            elif tag == f"{ATOM}category":
                paper["categories"].append(child.get("term"))
            elif tag == f"{ATOM}title":
                paper["title"] = " ".join(str(text).split())
            elif tag == f"{ATOM}summary":
                paper["abstract"] = str(text).strip()
            elif tag == f"{ATOM}id":
                paper["id"] = str(text).rsplit("/", 1)[1]
            elif name := API_TEXTS.get(tag):
                paper[name] = text
            elif tag == f"{ARXIV}primary_category":
                paper["primary"] = child.get("term")
        papers.append(paper)
    return papers


def oai_floor(document: bytes) -> list[dict[str, Any]]:
    """One pass of lxml over a page of `arXivRaw` records, every text into a dictionary."""
    papers = []
    for record in _tree(document).iter(f"{OAI}record"):
        header, metadata = record
        paper: dict[str, Any] = {"id": str(header[0].text).rpartition(":")[2], "changed": header[1].text}
        for child in metadata[0]:
            tag = child.tag
            if tag == f"{RAW}version":
                paper["version"], paper["submitted"] = child.get("version"), child[0].text
            elif tag == f"{RAW}authors":
                paper["authors"] = str(child.text).split(", ")
            elif tag == f"{RAW}categories":
                paper["categories"] = str(child.text).split()
            elif name := OAI_TEXTS.get(tag):
                paper[name] = str(child.text).strip()
        papers.append(paper)
    return papers


def _tree(document: bytes) -> etree._Element:
    return etree.fromstring(document, etree.XMLParser(resolve_entities=False, no_network=True))
