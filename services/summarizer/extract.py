"""The summary without a model: sentences of the abstract, chosen by position and cue words.

Pure and deterministic. It invents nothing: every text is a sentence of the authors.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from services.summarizer.text import sentences, shorten
from shared.messages import Paper, StructuredSummary

TLDR_LIMIT = 300
FIELD_LIMIT = 600
LONGEST_ABSTRACT = 20_000

_MAKE = (
    r"propos|introduc|present|develop|describ|design|investigat|stud(?:y|ied)|examin|explor|analy[sz]|build|built|"
    r"formulat|formali[sz]|revisit|extend|address|provide|release|construct|establish|derive|prove|offer|survey|review|"
    r"argue|conduct|evaluat|benchmark|compar|aim|adopt|leverag|employ|apply|use|train|create|contribut|identif|devis|"
    r"consider|tackle|implement|collect|curat|focus|unif|advocat|characteri[sz]|combin|integrat|outline|seek|model|detail"
)
_STRONG_MAKE = (
    r"propos|introduc|present|develop|design|formulat|formali[sz]|release|build|construct|establish|devis|create|"
    r"derive|prove|contribut|survey"
)
_HERE = r"(?:we|this (?:paper|work|study|article|thesis|survey|report|letter|note|review|manuscript|tutorial)|our \w+)"
_ADVERB = r"(?:\s+(?:\w+ly|also|first|then|here|further|thus|therefore|now|next|hence))*"
_EVIDENCE = r"results?|experiments?|evaluations?|simulations?|analys[ei]s|findings|stud(?:y|ies)|tests|benchmarks?"
_ARTEFACT = r"code|data|models?|datasets?|benchmarks?|projects?|demos?|harness|implementation|repository|weights"


@dataclass(frozen=True, slots=True)
class Cue:
    """A pattern, and what it is worth for one part of the summary."""

    pattern: re.Pattern[str]
    points: float


def _cues(*cues: tuple[str, float]) -> tuple[Cue, ...]:
    return tuple(Cue(re.compile(pattern, re.IGNORECASE), points) for pattern, points in cues)


_CONTRIBUTION = _cues(
    (rf"\b{_HERE}{_ADVERB}\s+(?:{_STRONG_MAKE})", 4.0),
    (rf"\b{_HERE}{_ADVERB}\s+(?:{_MAKE})", 2.5),
    (r"\bin this (?:paper|work|study|article|survey|report)\b|^here\b|^this is an? ", 2.0),
    (r"\b(?:is|are) (?:proposed|introduced|presented|developed|studied|investigated)\b", 2.0),
    (r"\b(?:novel|new|first|framework|method|approach|model|dataset|benchmark|algorithm)\b", 0.5),
    (r"\b(?:experiments?|extensive|outperform|code (?:is|are|and|will)|available at|https?:)\b", -3.0),
    (r"\b(?:we|results?)\b[^,]{0,20}\b(?:show|find|found|demonstrate|observe|report|conclude|achieve)", -2.0),
    (r"^(?:specifically|concretely|in particular|additionally|finally|(?:first|second|third)(?:ly)?,)", -1.5),
    (r"^(?:moreover|furthermore|in addition)\b|\bwe (?:also|further)\b|^to (?:facilitate|support|evaluate)\b", -2.0),
    (r"\b(?:previous|prior|existing|conventional) (?:work|stud|method|approach)", -0.5),
    (r"^.{300}|^.{,60}$", -0.5),
)
_MOTIVATION = _cues(
    (r"\b(?:however|yet|but|nevertheless|unfortunately|despite|although|while)\b", 2.0),
    (r"\b(?:remains?|lack(?:s|ing)?|limit(?:s|ed|ing|ations?)?|challeng\w*|difficult\w*|hinder\w*|suffer\w*)\b", 1.5),
    (r"\b(?:fail(?:s|ing)?|unable|cannot|struggl\w+|overlook\w*|neglect\w*|ignor\w+|under-?explored)\b", 1.5),
    (r"\b(?:unclear|unknown|expensive|costly|bottleneck|gap|poorly|insufficient|scarce|inefficient)\b", 1.2),
    (r"\b(?:problem|need for|crucial|critical|essential|important|question)\b", 0.8),
    (r"\b(?:existing|current|previous|prior|traditional|conventional|recent)\b", 0.7),
    (rf"\b{_HERE}{_ADVERB}\s+(?:{_MAKE})", -3.0),
    (r"\b(?:our|results?|experiments?|outperform\w*|achiev\w+|demonstrat\w+)\b", -2.0),
)
_METHOD = _cues(
    (r"^(?:specifically|concretely|in particular|to (?:this|that) end|to (?:do|achieve) (?:so|this))\b", 3.0),
    (rf"\b{_HERE}{_ADVERB}\s+(?:{_STRONG_MAKE})", 2.0),
    (rf"\b{_HERE}{_ADVERB}\s+(?:{_MAKE})", 1.5),
    (r"\b(?:our|the proposed|this) (?:method|approach|framework|model|system|algorithm|pipeline|architecture)\b", 2.0),
    (r"\b(?:consists? of|combin\w+|leverag\w+|integrat\w+|employ\w*|utili[sz]\w+|based on|by \w+ing)\b", 1.5),
    (r"\b(?:is|are) (?:trained|computed|modell?ed|formulated|used|applied|optimi[sz]ed|designed)\b", 1.0),
    (r"\b(?:first|then|stage|module|step|component)s?\b", 0.5),
    (r"\b(?:results?|outperform\w*|achiev\w+|state-of-the-art|experiments?|improve(?:s|d|ment))\b", -2.5),
    (r"\b(?:we|analys[ei]s|findings?)\b[^,]{0,20}\b(?:show|find|found|demonstrate|observe|prove)", -2.5),
    (r"\d\s*\\?%|\b(?:however|remains?|lack|despite|available|code|https?|suggest|conclude|vanish\w*)\b", -2.0),
)
_RESULT = _cues(
    (rf"\b(?:{_EVIDENCE})\b.{{0,90}}\b(?:show|demonstrat|reveal|indicat|confirm|suggest|validat|prove|find)", 3.0),
    (r"\b(?:outperform|surpass|superior|state[- ]of[- ]the[- ]art\b)", 2.5),
    (
        r"\b(?:we|it|method|model|framework|approach|algorithm|which)\b.{0,30}\b(?:achiev|attain|obtain|reach|yield)",
        2.0,
    ),
    (r"\bwe (?:\w+ly |also |further )?(?:find|found|show|observe|prove|demonstrate|report|reveal|discover)", 2.0),
    (r"\b(?:improv|reduc|increas|decreas|enhanc)(?:es|ed|e|ing)\b", 0.8),
    (r"\d\s*(?:\\?%|x\b|×|\$?\\times)|\bup to \$?\d", 1.5),
    (r"\b(?:compared (?:to|with)|relative to|baselines?|significantly|accuracy|speed-?up|gains?)\b", 0.7),
    (rf"\b{_HERE}{_ADVERB}\s+(?:propos|introduc|present(?! results)|aim)", -3.0),
    (r"\b(?:however|remains?|lack|challeng\w*|available at|https?:)\b", -1.5),
    (rf"\b(?:{_ARTEFACT})\b.{{0,30}}\b(?:available|released|open)", -4.0),
)
_CONCLUSION = _cues(
    (r"\bconclu(?:de|sion)|^(?:overall|taken together|together|in summary|altogether|thus|ultimately)\b", 3.0),
    (
        r"\b(?:our|these|this|the) (?:\w+ ){0,2}(?:results?|findings?|works?|stud(?:y|ies)|insights?|analysis)\b",
        1.2,
    ),
    (r"\b(?:suggest|highlight|underscor|offer|pav(?:e|es|ing)|open|emphasi|impl(?:y|ies)|establish|lay)", 1.5),
    (r"\b(?:provid|contribut|enabl|advanc|accounts? for|demonstrat)", 0.8),
    (r"\b(?:implications?|future|practical|potential|promising|way|foundation|guidance|insights?)\b", 1.2),
    (rf"\b{_HERE}{_ADVERB}\s+(?:propos|introduc|present)", -3.0),
    (r"\b(?:however|remains?|lack)\b", -1.0),
    (rf"\b(?:{_ARTEFACT})\b.{{0,60}}\b(?:available|released|open[- ]sourced?|found at)\b|https?://", -5.0),
    (r"\b(?:further details|supplementary|appendix)\b|\bwe (?:\w+ly )?(?:open-source|release)\b", -4.0),
)
_DANGLING = re.compile(
    r"^\((?:[ivx]+|[a-z]|\d)\)|^(?:Second|Third|Fourth|They|It|He|Also|Then|Next|Such|Both)(?:ly)?\b"
)


@dataclass(frozen=True, slots=True)
class Part:
    """How the sentence for one part is found: its cues, where it usually stands, and the least it must score."""

    cues: tuple[Cue, ...]
    place: Callable[[float], float]
    least: float

    def score(self, sentence: str, place: float) -> float:
        found = sum(cue.points for cue in self.cues if cue.pattern.search(sentence))
        return found + self.place(place) - (1.0 if _DANGLING.match(sentence) else 0.0)


_TLDR = Part(_CONTRIBUTION, lambda place: 2.0 - 2.0 * place, 2.0)
_MOTIVE = Part(_MOTIVATION, lambda place: 1.0 - place, 0.8)
_AFTER = {  # in the order of choice; the message has its own order
    "result": Part(_RESULT, lambda place: 1.0 - abs(place - 0.8) * 2, 1.5),
    "conclusion": Part(_CONCLUSION, lambda place: 3.0 * place - 2.0, 2.0),
    "method": Part(_METHOD, lambda place: 1.0 - abs(place - 0.45) * 2, 1.0),
}
_LINK = re.compile(r"^(?:https?://\S+|\W*)$")
_OPENING = re.compile(
    r"^(?:However|Yet|But|Nevertheless|Unfortunately|Therefore|Thus|Hence|Moreover|Furthermore|Additionally|"
    r"In addition|To (?:this|that) end|Specifically|Concretely|In particular|Finally|Consequently|Accordingly|"
    r"In contrast|Here|Overall|In summary|In conclusion|"
    r"To (?:\w+ ){1,2}(?:this|these|that|so|such)(?: [\w-]+){0,3}),\s+",
)


def extract(paper: Paper) -> StructuredSummary | None:
    """The summary made of the abstract's own sentences; None where there is no abstract."""
    candidates = [text for text in sentences(paper.abstract[:LONGEST_ABSTRACT]) if not _LINK.match(text)]
    if not candidates:
        return None
    main = _best(_TLDR, candidates, range(len(candidates))) or 0
    tldr = shorten(_standing_alone(candidates[main]), TLDR_LIMIT)
    after = range(main if tldr.endswith("…") else main + 1, len(candidates))
    return StructuredSummary(tldr=tldr, **_fill(candidates, range(main), after))


def _fill(candidates: list[str], before: Sequence[int], after: Sequence[int]) -> dict[str, str]:
    """What leads to the contribution stands before it, the rest after it; no sentence is taken twice."""
    chosen = {"motivation": _best(_MOTIVE, candidates, before)}
    for name, part in _AFTER.items():
        free = [index for index in after if index not in chosen.values()]
        chosen[name] = _best(part, candidates, free)
    return {
        name: shorten(_standing_alone(candidates[index]), FIELD_LIMIT)
        for name, index in chosen.items()
        if index is not None
    }


def _best(part: Part, candidates: list[str], among: Sequence[int]) -> int | None:
    """The sentence that fits best; the earlier one of equals."""
    last = max(len(candidates) - 1, 1)
    scores = {index: part.score(candidates[index], index / last) for index in among}
    best = max(scores, key=lambda index: (scores[index], -index), default=None)
    return best if best is not None and scores[best] >= part.least else None


def _standing_alone(sentence: str) -> str:
    """Without the opening that tied it to the sentence before."""
    rest = _OPENING.sub("", sentence)
    first, space, others = rest.partition(" ")
    capitalised = first.capitalize() if rest != sentence and first.isascii() and first.islower() else first
    return capitalised + space + others
