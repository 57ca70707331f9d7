"""The pages in a real browser: readable by everybody, with any device, with or without scripts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.web.chromium import Tab
from tests.web.site import NASTY_PAGES

Visit = Callable[..., Tab]
ALL_PAGES = ("/", *NASTY_PAGES)

FOCUSED_TITLE = "document.activeElement.closest('article')?.getAttribute('aria-labelledby') ?? null"

LOW_CONTRAST = """
(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = (colour) => {
    const [r, g, b] = channels(colour).slice(0, 3).map((value) => {
      const part = value / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const colour = getComputedStyle(at).backgroundColor;
      if ((channels(colour)[3] ?? 1) === 1) return colour;
    }
    return 'rgb(255, 255, 255)';
  };
  for (const details of document.querySelectorAll('details')) details.open = true;
  const poor = [];
  let seen = 0;
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility()) continue;
    seen += 1;
    const [text, ground] = [light(getComputedStyle(element).color), light(behind(element))];
    const ratio = (Math.max(text, ground) + 0.05) / (Math.min(text, ground) + 0.05);
    if (ratio < 4.5) poor.push(`${ratio.toFixed(2)} ${walker.currentNode.data.trim().slice(0, 40)}`);
  }
  return seen > 15 ? poor : ['too little text was found'];
})()
"""

LANDMARKS = "['header', 'main', 'footer'].map(n => document.body.querySelectorAll(`:scope > ${n}`).length)"
REPEATED_IDS = "[...document.querySelectorAll('[id]')].map(e => e.id).filter((id, at, all) => all.indexOf(id) !== at)"

SMALL_TARGETS = """
[...document.querySelectorAll('header a, nav a, .links a, summary, h2 a, input')]
  .filter((element) => element.checkVisibility() && element.getBoundingClientRect().height < 24)
  .map((element) => element.outerHTML)
"""


def test_without_scripts_all_text_is_there(visit: Visit) -> None:
    text = visit(scripts=False).value("document.body.textContent")

    for part in ("Wednesday, 10 December 2025", "Chopper measures where GPUs wait.", "Counters on every level.",
                 "We present Chopper.", "No summary: the model refused.", "GPU (title), LLM (abstract)"):  # fmt: skip
        assert part in text


def test_without_scripts_details_open_by_a_click(visit: Visit) -> None:
    tab = visit(scripts=False)

    tab.value("document.querySelector('details.abstract summary').click()")

    assert tab.value("document.querySelector('details.abstract').open")


def test_without_scripts_no_keys_are_promised(visit: Visit) -> None:
    assert not visit(scripts=False).value("document.getElementById('keys').checkVisibility()")


def test_j_and_k_move_the_focus_from_paper_to_paper(visit: Visit) -> None:
    tab = visit()
    focused = []

    for key in "jjjjkpn":
        tab.press(key)
        focused.append(tab.value(FOCUSED_TITLE))

    assert focused == ["t1", "t2", "t3", "t3", "t2", "t1", "t2"]


def test_a_and_d_open_and_close_what_belongs_to_the_focused_paper(visit: Visit) -> None:
    tab = visit()
    opened = "[...document.querySelectorAll('article details[open]')].map(d => d.className)"

    tab.press("j")
    tab.press("a")
    tab.press("d")

    assert tab.value(opened) == ["method", "abstract", "abstract"]  # the third paper has no summary

    tab.press("a")
    tab.press("d")
    assert tab.value(opened) == ["abstract"]


def test_h_and_l_go_to_the_neighbouring_days(visit: Visit, site: str) -> None:
    tab = visit()
    tab.value("addEventListener('click', e => { window.went = e.target.href; e.preventDefault(); })")

    tab.press("h")
    assert tab.value("went") == f"{site}/feeds/gpu?date=2025-12-09"

    tab.press("l")
    assert tab.value("went") == f"{site}/feeds/gpu?date=2025-12-11"


def test_keys_can_be_turned_off_and_stay_off(visit: Visit) -> None:
    tab = visit()
    tab.press("?")
    tab.value("document.getElementById('keys-on').click()")
    tab.value("document.activeElement.blur()")

    again = visit()
    for page in (tab, again):
        page.press("j")

    focused = [page.value(FOCUSED_TITLE) for page in (tab, again)]
    again.value("localStorage.clear()")
    assert focused == [None, None]


def test_question_mark_shows_the_keys_and_escape_hides_them(visit: Visit) -> None:
    tab = visit()
    shown = "document.getElementById('keys').open"

    tab.press("?")
    assert tab.value(shown)

    tab.press("Escape")
    assert not tab.value(shown)


def test_keys_leave_fields_and_shortcuts_alone(visit: Visit) -> None:
    tab = visit()
    tab.value("document.body.insertAdjacentHTML('beforeend', '<input id=field>')")
    tab.value("document.getElementById('field').focus()")

    tab.press("j")

    assert tab.value("document.getElementById('field').value") == "j"


def test_the_first_tab_stop_skips_to_the_papers(visit: Visit) -> None:
    tab = visit()

    tab.press("Tab")
    assert tab.value("document.activeElement.className") == "skip"
    assert tab.value("document.activeElement.getBoundingClientRect().left") >= 0

    tab.press("Enter")
    assert tab.value("document.activeElement.id") == "main"


def test_focus_is_seen(visit: Visit) -> None:
    tab = visit()

    tab.press("j")

    assert tab.value("getComputedStyle(document.activeElement).outlineWidth") == "3px"


@pytest.mark.parametrize("path", ALL_PAGES)
@pytest.mark.parametrize("width", [320, 390, 1100])
def test_nothing_is_wider_than_the_window(visit: Visit, path: str, width: int) -> None:
    tab = visit(path, width=width)
    tab.value("for (const details of document.querySelectorAll('details')) details.open = true")

    assert tab.value("document.documentElement.scrollWidth") == width


@pytest.mark.parametrize("path", ALL_PAGES)
@pytest.mark.parametrize("dark", [False, True])
def test_all_text_has_enough_contrast(visit: Visit, path: str, dark: bool) -> None:
    tab = visit(path, dark=dark)

    assert tab.value("getComputedStyle(document.body).backgroundColor") == (
        "rgb(20, 23, 26)" if dark else "rgb(253, 253, 251)"
    )
    assert tab.value(LOW_CONTRAST) == []


@pytest.mark.parametrize("path", ALL_PAGES)
def test_headings_and_landmarks_tell_the_structure(visit: Visit, path: str) -> None:
    tab = visit(path)

    levels = tab.value("[...document.querySelectorAll('h1,h2,h3,h4')].map(h => +h.tagName[1])")
    assert levels.count(1) == 1
    assert set(levels) <= {1, 2}
    assert tab.value(LANDMARKS) == [1, 1, 1]
    assert tab.value("document.documentElement.lang") == "en"
    assert tab.value(REPEATED_IDS) == []


@pytest.mark.parametrize("path", ALL_PAGES)
def test_targets_are_large_enough_for_a_thumb(visit: Visit, path: str) -> None:
    assert visit(path, width=390).value(SMALL_TARGETS) == []


@pytest.mark.parametrize("path", ALL_PAGES)
def test_a_page_asks_nobody_else_and_complains_about_nothing(visit: Visit, site: str, path: str) -> None:
    tab = visit(path)

    asked = tab.requests()
    assert [url for url in asked if not url.startswith(f"{site}/")] == []
    assert 3 <= len(asked) <= 6
    assert tab.complaints() == []


def test_links_say_which_paper_they_belong_to(visit: Visit) -> None:
    described = visit().value(
        "[...document.querySelectorAll('.paper .links a')].every("
        "a => a.closest('article').querySelector('h2').id === a.getAttribute('aria-describedby'))"
    )

    assert described


def test_what_was_found_is_marked_and_the_rest_stays_text(visit: Visit) -> None:
    tab = visit("/nasty")
    marked = "document.querySelectorAll('{} mark').length"

    assert [tab.value(marked.format(part)) for part in ("h2", ".meta", "details.abstract")] == [1, 1, 1]
    assert tab.value("[...document.querySelectorAll('mark')].every(m => m.children.length === 0)")


def test_script_from_a_paper_never_runs(visit: Visit) -> None:
    tab = visit("/nasty")

    assert tab.value("document.querySelectorAll('script:not([src])').length") == 0
    assert "<script>alert(1)</script>" in tab.value("document.querySelector('h2').textContent")
