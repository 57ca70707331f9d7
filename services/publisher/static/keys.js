// Single-letter keys for the list of papers. Everything they do can also be reached by Tab.
"use strict";
(() => {
  const help = document.getElementById("keys");
  const box = document.getElementById("keys-on");
  const papers = [...document.querySelectorAll("article.paper")];
  const stored = (value) => {
    try {
      if (value !== undefined) localStorage.setItem("keys", value);
      return localStorage.getItem("keys");
    } catch {
      return value;
    }
  };
  const current = () => papers.findIndex((paper) => paper.contains(document.activeElement));
  const paper = () => papers[Math.max(current(), 0)];
  const link = (element) => element.querySelector("h2 a, a.arxiv");

  const move = (step) => {
    const from = current();
    const next = papers[from < 0 ? (step > 0 ? 0 : papers.length - 1) : from + step];
    if (!next) return;
    link(next).focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  };
  const follow = (element) => element && element.click();
  const toggle = (selector) => {
    const details = paper() && paper().querySelector(selector);
    if (details) details.open = !details.open;
  };
  const all = () => {
    const abstracts = [...document.querySelectorAll("details.abstract")];
    const open = abstracts.some((details) => !details.open);
    for (const details of abstracts) details.open = open;
  };
  const showHelp = (open) => {
    help.open = open;
    if (open) help.querySelector("summary").focus();
  };

  const actions = {
    j: () => move(1),
    n: () => move(1),
    k: () => move(-1),
    p: () => move(-1),
    o: () => paper() && follow(link(paper())),
    v: () => paper() && follow(paper().querySelector("a.pdf")),
    a: () => toggle("details.abstract"),
    d: () => toggle("details.method"),
    A: all,
    h: () => follow(document.querySelector("a[rel=prev]")),
    l: () => follow(document.querySelector("a[rel=next]")),
    "?": () => showHelp(true),
    Escape: () => showHelp(false),
  };

  help.hidden = false;
  box.checked = stored() !== "off";
  box.addEventListener("change", () => stored(box.checked ? "on" : "off"));
  document.addEventListener("keydown", (event) => {
    if (!box.checked || event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.target.closest("input, textarea, select, [contenteditable]")) return;
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("article details")) details.open = true;
  });
})();
