"""The wire contracts: every message that travels between the services, and to the world.

Messages are values in the past tense (or, for `SummaryRequested`, an order). They only ever grow: add a field
with a default; never rename, remove or retype one. `tests/contract/` holds every form ever published.
Unknown fields are ignored, so an old reader understands a new message.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

Kind = Literal["new", "cross", "replace", "replace-cross", "backfill"]
EmptyReason = Literal["weekend", "holiday", "nothing new", "upstream stale"]
Place = Literal["title", "abstract", "authors", "categories", "comment"]
FoundIn = Literal["title", "abstract", "authors", "categories", "comment", "search", "like"]
Style = Literal["structured"]
SummarySource = Literal["abstract", "full text"]


class Value(BaseModel):
    """An immutable part of a message."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Message(Value):
    """A message on the bus. `key` is its identity: the same key is the same message, however often it is sent."""

    SUBJECT: ClassVar[str]

    @property
    def key(self) -> str:
        """The deterministic `Nats-Msg-Id` and CloudEvents id."""
        raise NotImplementedError

    @property
    def about(self) -> str:
        """The CloudEvents subject: the paper or batch that the message is about."""
        raise NotImplementedError


class Paper(Value):
    """One version of a paper, as its source describes it. Text is Unicode; formulas stay TeX."""

    id: str = Field(min_length=1)
    """The identifier without version: `2512.08242`, `astro-ph/0601001`."""
    version: int = Field(ge=1)
    title: str = Field(min_length=1)
    authors: tuple[str, ...] = ()
    abstract: str = ""
    categories: tuple[str, ...] = ()
    """The source's classes, primary first."""
    doi: str | None = None
    journal_ref: str | None = None
    comment: str | None = None
    license: str | None = None
    """The licence's address."""
    source: str = "arxiv"
    url: str | None = None
    """Where the source shows it, when that does not follow from the id."""
    posted: date | None = None
    """The day on which the source published it, when the source says one for each paper."""

    @property
    def versioned_id(self) -> str:
        """`2512.08242v1`."""
        return f"{self.id}v{self.version}"


class PaperAnnounced(Message):
    """A source announced a paper (`kind` says whether for the first time)."""

    SUBJECT: ClassVar[str] = "papers.announced"

    paper: Paper
    batch: str
    """The announcement it belongs to: `arxiv:2025-12-10`."""
    date: date
    """The announcement's day in US Eastern time."""
    kind: Kind
    position: int = Field(ge=0)
    """Its place in the announcement, from 0."""
    found_by: tuple[str, ...] = ()
    """The feeds' searches that found it; then only feeds with one of these searches look at it."""

    @property
    def key(self) -> str:
        return f"announced:{self.batch}:{self.paper.versioned_id}"

    @property
    def about(self) -> str:
        return self.paper.versioned_id


class BatchClosed(Message):
    """All papers of an announcement have been sent; an empty one says why it is empty."""

    SUBJECT: ClassVar[str] = "batches.closed"

    batch: str
    source: str
    date: date
    papers: int = Field(ge=0)
    reason: EmptyReason | None = None
    first_sequence: int | None = None
    """The stream sequence of the batch's first announcement: nothing of this batch stands before it."""

    @property
    def key(self) -> str:
        return f"closed:{self.batch}"

    @property
    def about(self) -> str:
        return self.batch


class Span(Value):
    """A part of a paper: `start` to before `end`, in the characters (code points) of the field's text.

    Of `authors` and `categories` they are the numbers of the items.
    """

    field: Place
    start: int = Field(ge=0)
    end: int = Field(ge=1)


class Reason(Value):
    """Why a paper matches: a term, where it was found, and the points it added.

    Found in `search`: by that search; in `like`: it resembles papers that the feed names, `term` says which.
    """

    term: str
    field: FoundIn
    weight: float
    spans: tuple[Span, ...] = ()
    """Every place where it stands, so that it can be marked. Only selections have them."""


class Match(Value):
    """A feed that a paper matches, at or above the feed's `min_score`."""

    feed: str
    score: float
    reasons: tuple[Reason, ...] = ()


class PaperScored(Message):
    """A paper was held against all feeds; `matches` may be empty."""

    SUBJECT: ClassVar[str] = "papers.scored"

    paper: Paper
    batch: str
    date: date
    kind: Kind
    position: int = Field(ge=0)
    matches: tuple[Match, ...] = ()
    """Without reasons, and only the best, where all of it would not fit into a message."""
    found_by: tuple[str, ...] = ()
    """As the announcement said: the feeds' searches that found it."""

    @property
    def key(self) -> str:
        return f"scored:{self.batch}:{self.paper.versioned_id}"

    @property
    def about(self) -> str:
        return self.paper.versioned_id


class SummaryKind(Value):
    """Which summary of a paper: in what style and language."""

    style: Style = "structured"
    language: str = "en"


class Pick(Value):
    """A feed took a paper: its rank among `candidates` announced papers, and why."""

    feed: str
    rank: int = Field(ge=1)
    candidates: int = Field(ge=1)
    score: float
    reasons: tuple[Reason, ...] = ()
    waits_for: tuple[SummaryKind, ...] = ()
    """The summaries without which its entry does not appear before its deadline."""


class PaperSelected(Message):
    """The batch is complete and these feeds took the paper."""

    SUBJECT: ClassVar[str] = "papers.selected"

    paper_id: str
    version: int = Field(ge=1)
    batch: str
    date: date
    kind: Kind
    picks: tuple[Pick, ...]
    part: int = Field(default=1, ge=1)
    """More picks than a message holds go as several, each with picks of its own, counted from 1."""

    @property
    def key(self) -> str:
        name = "selected" if self.part == 1 else f"selected.{self.part}"
        return f"{name}:{self.batch}:{self.paper_id}v{self.version}"

    @property
    def about(self) -> str:
        return f"{self.paper_id}v{self.version}"


class SummaryRequested(Message):
    """Summarise this version of a paper in this style and language, once for all feeds."""

    SUBJECT: ClassVar[str] = "summaries.requested"

    paper: Paper
    style: Style
    language: str
    text_key: str | None = None
    """Where the full text lies in the object store; without one the abstract is summarised."""

    @property
    def key(self) -> str:
        return f"summary:{self.paper.versioned_id}:{self.style}:{self.language}"

    @property
    def about(self) -> str:
        return self.paper.versioned_id


class TextRequested(Message):
    """A summary needs the full text of this version; only the fetcher gets it. Then it asks for the summaries."""

    SUBJECT: ClassVar[str] = "texts.requested"

    paper: Paper
    summaries: tuple[SummaryKind, ...] = Field(min_length=1)
    """What to ask the summarizers for once the text lies in the object store, or is known not to be had."""

    @property
    def key(self) -> str:
        kinds = ",".join(f"{kind.style}/{kind.language}" for kind in self.summaries)
        return f"text:{self.paper.versioned_id}:{kinds}"

    @property
    def about(self) -> str:
        return self.paper.versioned_id


class StructuredSummary(Value):
    """Five short plain texts. `tldr` is one sentence; an empty text means that the source did not say."""

    tldr: str = Field(min_length=1)
    motivation: str = ""
    method: str = ""
    result: str = ""
    conclusion: str = ""


class SummaryCompleted(Message):
    """The summary that was asked for, or why there is none."""

    SUBJECT: ClassVar[str] = "summaries.completed"

    paper_id: str
    version: int = Field(ge=1)
    style: Style
    language: str
    summary: StructuredSummary | None = None
    made_by: Literal["model", "extraction"] | None = None
    """`extraction`: sentences of the abstract chosen by rule, no model involved."""
    source: SummarySource = "abstract"
    """What was summarised."""
    model: str | None = None
    prompt_version: str | None = None
    reason: str | None = None
    """Why there is no summary, or why it is an extraction although a model was configured."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    """In US dollars, where the price is known."""

    @property
    def key(self) -> str:
        return f"summarized:{self.paper_id}v{self.version}:{self.style}:{self.language}"

    @property
    def about(self) -> str:
        return f"{self.paper_id}v{self.version}"


class PaperPublished(Message):
    """A paper appeared in a public feed."""

    SUBJECT: ClassVar[str] = "papers.published"

    paper: Paper
    feed: str
    batch: str
    date: date
    rank: int
    score: float
    reasons: tuple[Reason, ...] = ()
    summary: StructuredSummary | None = None
    made_by: Literal["model", "extraction"] | None = None
    urls: dict[str, str] = Field(default_factory=dict)
    """`page`, `rss`, `atom`, `json`: where it was published; `abs`: the paper itself."""

    @property
    def key(self) -> str:
        return f"published:{self.feed}:{self.paper.id}"

    @property
    def about(self) -> str:
        return self.paper.versioned_id


class FetchRequested(Message):
    """An order to the fetcher. The same `order` is the same order, however often it is given."""

    SUBJECT: ClassVar[str] = "fetch.requested"

    order: str = Field(min_length=1, pattern=r"^[A-Za-z0-9._:-]+$")
    what: Literal["now", "ids", "search", "backfill", "liked"]
    """Look at the announcement at once; fetch these papers; fetch what a search finds; harvest a range of days.

    `liked`: get these papers, or the library at an address, for comparison only; nothing is announced.
    """
    ids: tuple[str, ...] = ()
    """For `ids` and `liked`: identifiers with or without version."""
    url: str | None = None
    """For `liked`, instead of ids: where a BibTeX, Zotero RDF or CSL JSON file is."""
    query: str | None = None
    """For `search`: a query in the source's own language."""
    limit: int | None = Field(default=None, ge=1)
    """For `search`: no more papers than these, the newest first; without it as many as the source gives."""
    since: date | None = None
    until: date | None = None
    """For `backfill`: the first and last day of change, both included."""
    set: str | None = None
    """For `backfill`: the source's set, such as `cs` or `cs:cs:AI`; all without one."""
    form: Literal["arXivRaw", "arXiv"] = "arXivRaw"
    """For `backfill`: the form of the records. Only `arXivRaw` tells versions; every paper is version 1 in `arXiv`."""

    @property
    def key(self) -> str:
        return f"order:{self.order}"

    @property
    def about(self) -> str:
        return self.order


class FetchProgressed(Message):
    """How far an order is. `step` counts up from 0; the last one of an order is `done` or `failed`."""

    SUBJECT: ClassVar[str] = "fetch.progressed"

    order: str
    step: int = Field(ge=0)
    state: Literal["started", "running", "done", "failed"]
    papers: int = 0
    """Papers sent on so far."""
    total: int | None = None
    """How many there are, where the source says."""
    reached: date | None = None
    """For a range of days: everything up to this day is done."""
    detail: str | None = None
    """What failed, or what was not found."""

    @property
    def key(self) -> str:
        return f"progress:{self.order}:{self.step}"

    @property
    def about(self) -> str:
        return self.order


class CategoryCheck(Value):
    """One category of one announcement day: what the source says there is, and what came."""

    category: str
    announced: int | None = None
    """What the source's own listing counts; None when it could not be read."""
    seen: int = 0
    late: int = 0
    """Of those seen: how many came after the day's batch was closed."""
    stale: bool = False
    """The source still shows an earlier day for this category."""

    @property
    def missing(self) -> int:
        """Announced and not seen."""
        return max(0, (self.announced or 0) - self.seen)


class AnnouncementChecked(Message):
    """Is a day's announcement complete? Sent whenever the answer changes; the highest `check` counts."""

    SUBJECT: ClassVar[str] = "batches.checked"

    source: str
    date: date
    check: int = Field(ge=1)
    complete: bool
    reason: str | None = None
    """Why the day brings nothing, or what is still missing, in words for people."""
    categories: tuple[CategoryCheck, ...] = ()

    @property
    def key(self) -> str:
        return f"checked:{self.source}:{self.date}:{self.check}"

    @property
    def about(self) -> str:
        return f"{self.source}:{self.date}"


MESSAGES: tuple[type[Message], ...] = (
    PaperAnnounced,
    BatchClosed,
    PaperScored,
    PaperSelected,
    SummaryRequested,
    SummaryCompleted,
    PaperPublished,
    TextRequested,
    FetchRequested,
    FetchProgressed,
    AnnouncementChecked,
)
