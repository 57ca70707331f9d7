from __future__ import annotations

import pytest

from services.summarizer.llm import same_model
from services.summarizer.llm_plan import Message, Plan, share_to_keep, shorter
from services.summarizer.styles.structured import SCHEMA

PLAN = Plan(max_tokens=2000, temperature=0.2)


def test_a_request_asks_for_the_schema_first_then_for_json_then_for_nothing() -> None:
    weaker = PLAN.one_rung_down()
    assert weaker is not None
    weakest = weaker.one_rung_down()
    assert weakest is not None

    assert PLAN.fields(SCHEMA)["response_format"]["json_schema"]["schema"] == SCHEMA
    assert weaker.fields(SCHEMA)["response_format"] == {"type": "json_object"}
    assert weakest.fields(SCHEMA) == {"max_tokens": 2000, "temperature": 0.2}
    assert weakest.one_rung_down() is None


@pytest.mark.parametrize(
    ("refusal", "changed"),
    [
        ("Unsupported value: 'temperature' does not support 0.2", Plan(2000, None)),
        (
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            Plan(2000, 0.2, limit_field="max_completion_tokens"),
        ),
        ("max_tokens=2000 cannot be greater than max_model_len=1024.", Plan(512, 0.2)),
        ("Invalid max_tokens value, the valid range of max_tokens is [1, 1000]", Plan(500, 0.2)),
        ("Unexpected fields in the request: {'max_tokens'}", Plan(2000, 0.2, limit_field=None)),
        ("Unexpected fields in the request: {'frobnicate'}", None),
    ],
)
def test_a_refused_parameter_is_lowered_renamed_or_dropped(refusal: str, changed: Plan | None) -> None:
    assert PLAN.without(refusal) == changed


def test_what_is_not_sent_cannot_be_dropped() -> None:
    assert Plan(2000, None, limit_field=None).without("temperature and max_tokens are wrong") is None


def test_an_answer_that_would_fill_the_whole_context_gets_a_quarter_of_it() -> None:
    refusal = "This model's maximum context length is 2048 tokens. However, you requested 2500 tokens"

    assert PLAN.within(refusal) == Plan(512, 0.2)
    assert PLAN.within("maximum context length is 32768 tokens") is None


@pytest.mark.parametrize(
    ("refusal", "share"),
    [
        ("request (16000 tokens) exceeds the available context size (4000 tokens)", 0.2),
        ("maximum context length is 4096 tokens. However, you requested 16577 tokens (16384 in the messages)", 0.2),
        ("Range of input length should be [1, 30720]", 0.5),
        ("request (4100 tokens) exceeds the available context size (4000 tokens)", 0.5),
    ],
)
def test_a_text_that_is_too_long_is_cut_by_what_the_server_says(refusal: str, share: float) -> None:
    assert share_to_keep(refusal) == pytest.approx(share)


def test_a_cut_keeps_the_start_and_the_end_of_the_users_longest_message() -> None:
    system: Message = {"role": "system", "content": "s" * 9000}
    user: Message = {"role": "user", "content": "<paper>" + "x" * 4000 + "</paper>"}

    cut = shorter([system, user], 0.5)

    assert cut is not None
    assert cut[0] == system
    assert cut[1]["content"].startswith("<paper>xx")
    assert cut[1]["content"].endswith("xx</paper>")
    assert len(cut[1]["content"]) == pytest.approx(2010, abs=10)


def test_a_short_text_is_not_cut_further() -> None:
    assert shorter([{"role": "user", "content": "x" * 300}], 0.5) is None


@pytest.mark.parametrize(
    ("asked", "answered", "same"),
    [
        ("tiny", "tiny@main", True),
        ("gpt-4o", "gpt-4o-2024-08-06", True),
        ("openai/gpt-4o", "gpt-4o", True),
        ("qwen3", "llama3", False),
    ],
)
def test_variants_of_a_models_name_are_the_same_model(asked: str, answered: str, same: bool) -> None:
    assert same_model(asked, answered) is same
