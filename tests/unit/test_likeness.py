"""What resembles what is liked."""

from __future__ import annotations

import random

import pytest

from services.scorer.likeness import Profiles
from services.scorer.scoring import Scorer
from services.scorer.words import is_word, singular, statistics, words
from shared.feeds import FeedConfig
from shared.library import LikedPaper
from tests.builders import a_paper, an_announcement

MOE = LikedPaper("2401.04088", "Mixtral of Experts", "A sparse mixture of experts language model with routers.")
CACHE = LikedPaper("2309.06180", "PagedAttention", "Memory management of the key-value cache when serving requests.")
GALAXIES = LikedPaper(None, "Rotation curves of dwarf galaxies", "Dark matter halos and stellar kinematics.")
RUBBISH = (
    LikedPaper("2401.00001", "2401.00001"),
    LikedPaper(None, "…"),
    LikedPaper(None, "\ufffd" * 50, "\u200b" * 50),
)
PAPERS = [
    a_paper(id="2512.00001", title="Routers in sparse mixtures of experts", abstract="Which expert serves a token?"),
    a_paper(id="2512.00002", title="Paging the KV cache", abstract="Serving requests with less memory."),
    a_paper(id="2512.00003", title="Halos of dwarf galaxies", abstract="Kinematics of stars and dark matter."),
    a_paper(id="2512.00004", title="Gardens", abstract="Tulips and roses."),
]


def a_feed(slug: str, min_likeness: float = 0.15) -> FeedConfig:
    return FeedConfig(slug=slug, title=slug, like=("2401.04088",), min_likeness=min_likeness)


def told(**liked: tuple[LikedPaper, ...]) -> list[dict[str, float]]:
    return Profiles.of([a_feed(slug) for slug in liked], liked).likeness(PAPERS)


def test_each_paper_is_like_the_papers_of_its_subject() -> None:
    values = told(moe=(MOE,), cache=(CACHE,), sky=(GALAXIES,), all=(MOE, CACHE, GALAXIES))

    assert [sorted(value) for value in values] == [["all", "moe"], ["all", "cache"], ["all", "sky"], []]


def test_the_liked_paper_itself_is_exactly_like_it() -> None:
    paper = a_paper(title=MOE.title, abstract=MOE.abstract)

    assert Profiles.of([a_feed("moe")], {"moe": (MOE,)}).likeness([paper]) == [{"moe": 1.0}]


def test_a_liked_paper_of_many_is_still_the_most_alike() -> None:
    profiles = Profiles.of([a_feed("all")], {"all": (MOE, CACHE, GALAXIES)})
    (itself,) = profiles.likeness([a_paper(title=CACHE.title, abstract=CACHE.abstract)])

    assert itself["all"] > max(value.get("all", 0) for value in profiles.likeness(PAPERS))


def test_liked_papers_without_text_or_with_rubbish_change_nothing() -> None:
    assert told(moe=(*RUBBISH, MOE, *RUBBISH)) == told(moe=(MOE,))


def test_a_feed_that_likes_only_rubbish_or_nothing_is_like_nothing() -> None:
    assert told(nothing=(), rubbish=RUBBISH) == [{}, {}, {}, {}]
    assert not Profiles.of([a_feed("nothing")], {"nothing": RUBBISH})


def test_neither_the_order_of_papers_nor_other_feeds_change_a_value() -> None:
    liked = {"moe": (MOE, CACHE), "sky": (GALAXIES, MOE), "all": (MOE, CACHE, GALAXIES)}
    alone = told(all=liked["all"])
    shuffled = random.Random(1)
    for _ in range(10):
        mixed = {slug: tuple(shuffled.sample(papers, len(papers))) for slug, papers in liked.items()}
        mixed = dict(shuffled.sample(list(mixed.items()), len(mixed)))
        assert [{slug: value for slug, value in values.items() if slug == "all"} for values in told(**mixed)] == alone


def test_papers_scored_together_are_scored_as_they_are_alone() -> None:
    profiles = Profiles.of([a_feed("all")], {"all": (MOE, CACHE, GALAXIES)})

    assert profiles.likeness(PAPERS * 100) == [profiles.likeness([paper])[0] for paper in PAPERS] * 100


def test_a_large_library_is_judged_by_a_sample() -> None:
    library = tuple(LikedPaper(None, f"Paper number{n} on experts", f"alpha{n} beta{n % 97}") for n in range(3_000))
    profiles = Profiles.of([a_feed("all", min_likeness=0.01)], {"all": (*library, MOE)})

    assert profiles.likeness(PAPERS * 800) == profiles.likeness(PAPERS) * 800


def test_only_what_reaches_the_feeds_min_likeness_is_told() -> None:
    ((_, value),) = told(moe=(MOE,))[0].items()
    for least, expected in ((value, [{"moe": value}]), (value + 0.0001, [{}])):
        assert Profiles.of([a_feed("moe", min_likeness=least)], {"moe": (MOE,)}).likeness(PAPERS[:1]) == expected


def test_why_names_the_nearest_paper_and_the_words_as_the_paper_writes_them() -> None:
    profiles = Profiles.of([a_feed("all")], {"all": (MOE, CACHE, GALAXIES)})

    why = profiles.why(PAPERS[0], "all")
    assert (why.value, why.nearest) == (profiles.likeness(PAPERS)[0]["all"], "2401.04088")
    assert profiles.told(PAPERS[0], "all") == why.nearest
    assert set(why.words) == {"routers", "mixtures", "experts", "sparse"}
    assert profiles.why(PAPERS[2], "all").nearest == "Rotation curves of dwarf galaxies"


def test_a_feed_of_liked_papers_alone_takes_what_is_like_them() -> None:
    feed = a_feed("moe")
    scored = Scorer([feed], Profiles.of([feed], {"moe": (MOE,)})).score_all(
        [an_announcement(paper=paper) for paper in PAPERS]
    )

    assert [[match.feed for match in paper.matches] for paper in scored] == [["moe"], [], [], []]
    ((reason,),) = ([*match.reasons] for match in scored[0].matches)
    assert (reason.term, reason.field, scored[0].matches[0].score) == ("2401.04088", "like", reason.weight)
    assert reason.weight == pytest.approx(5 * told(moe=(MOE,))[0]["moe"])


@pytest.mark.parametrize(
    ("plural", "word"),
    [("models", "model"), ("studies", "study"), ("boxes", "box"), ("classes", "class"), ("analysis", "analysis"),
     ("loss", "loss"), ("gas", "gas"), ("corpus", "corpus"), ("bayes", "baye")],
)  # fmt: skip
def test_words_are_compared_in_singular(plural: str, word: str) -> None:
    assert singular(plural) == word


def test_numbers_single_letters_and_marks_are_no_words() -> None:
    assert [word for word in words("A 70B model, 3.5 x 12: GPT-4o!") if is_word(word)] == ["70b", "model", "gpt", "4o"]


def test_the_table_knows_how_rare_words_are() -> None:
    table = statistics()

    assert table.papers == 51_296
    assert table.rarity("the") == 0 < table.rarity("network") < table.rarity("quantization") < table.rarity("qwzxv")
    assert table.rarity("qwzxv") == table.rarity("wzxvq")
