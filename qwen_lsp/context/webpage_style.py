"""How the page of a pack looks and what moves on it, beside what all pages share."""

from __future__ import annotations

from qwen_lsp.context.webpage_shell import GROUND

STYLE = (
    GROUND
    + """
rect { fill: var(--other); }
.fill-whole { fill: var(--whole); } .fill-outline { fill: var(--outline); }
.fill-header { fill: var(--header); } .fill-excerpt { fill: var(--excerpt); }
.fill-bar { fill: var(--soft); } .fill-free { fill: var(--strip); }
.window { border: 1px solid var(--line); border-radius: 4px; overflow: hidden; }
dl.legend { margin: .6rem 0; }
dl.legend + p { font-size: .85rem; }
dl.legend dd { font-size: 1rem; }
dl.legend svg { display: inline-block; vertical-align: -1px; margin-right: .4rem; }
.map { width: 100%; background: var(--ground); font-size: 11.5px; line-height: 15px; }
.map a { outline: none; }
.map .tile { stroke: var(--ground); stroke-width: 1; }
.map .frame { fill: var(--strip); stroke: var(--ground); stroke-width: 1; }
.map div { container-type: inline-size; pointer-events: none; }
.map span { display: block; color: var(--ink); padding: 1px 4px; white-space: nowrap; overflow: hidden;
  text-overflow: ellipsis; }
@container (max-width: 33px) { .map span { display: none; } }
.map .strip span { color: var(--text); font-weight: 600; }
.map small { display: block; font-size: 10.5px; opacity: .85; font-variant-numeric: tabular-nums; }
.map a:hover .tile, .map a:focus .tile { stroke: var(--text); stroke-width: 2; }
.told { min-height: 2.9em; margin: .35rem 0 0; overflow-wrap: anywhere; max-width: none; }
.tools { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .5rem 0; }
.tools[hidden] { display: none; }
input, select { font: inherit; color: inherit; background: var(--raised); border: 1px solid var(--line);
  border-radius: 4px; padding: .2rem .5rem; max-width: 100%; }
ol.parts { list-style: none; margin: 0; padding: 0; border-top: 1px solid var(--line); }
ol.parts > li { border-bottom: 1px solid var(--line); content-visibility: auto;
  contain-intrinsic-size: auto 2rem; }
.row, ol.parts summary { display: grid; gap: 0 .8rem; align-items: baseline; padding: .28rem .25rem;
  grid-template-columns: 3.2rem 4.8rem 5rem 4.6rem minmax(0, 3fr) minmax(0, 2.4fr); }
.marked .row, .marked summary {
  grid-template-columns: 3.2rem 4.8rem 5rem 4.6rem 4.6rem minmax(0, 3fr) minmax(0, 2.4fr); }
.row { color: var(--soft); font-size: .82rem; }
ol.parts summary { cursor: pointer; list-style: none; }
ol.parts summary::-webkit-details-marker { display: none; }
ol.parts summary:hover { background: var(--raised); }
ol.parts details[open] > summary { background: var(--raised); }
ol.parts details:has(:target) > summary { background: var(--mark); }
ol.parts :target { scroll-margin-top: 4rem; }
summary .n:first-child::before { content: "▸"; float: left; color: var(--soft); }
details[open] > summary .n:first-child::before { content: "▾"; }
.kind { background: var(--other); border-radius: 3px; padding: 0 .4rem; color: var(--ink); font-size: .82rem;
  justify-self: start; }
.whole { background: var(--whole); } .outline { background: var(--outline); }
.header { background: var(--header); } .excerpt { background: var(--excerpt); }
ol.parts svg { align-self: start; margin-top: .45rem; background: var(--raised); }
ul.paths { columns: 22rem; column-gap: 2rem; padding: 0; margin: .4rem 0; list-style: none; }
ul.paths li { break-inside: avoid; overflow-wrap: anywhere; }
@media (max-width: 52rem) {
  .row { display: none; }
  ol.parts summary, .marked summary { grid-template-columns: 2.6rem 4.8rem 4.6rem 4.6rem 1fr; }
  ol.parts summary svg { display: none; }
  .path, .why { grid-column: 2 / -1; }
}
@media print {
  body { max-width: none; padding: 0; font-size: 10pt; }
  .tools, .told, .skip { display: none; }
  ol.parts > li { content-visibility: visible; break-inside: avoid-page; }
  li:has(details[open]) { break-inside: auto; }
  pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; }
}
"""
)

SCRIPT = """
"use strict";
const $ = (id) => document.getElementById(id);
function reveal(hash) {
  const text = hash.length > 1 && $(decodeURIComponent(hash.slice(1)));
  const part = text && text.closest("#list details");
  if (part) {
    part.parentElement.hidden = false;
    part.open = true;
    part.scrollIntoView({ block: "start" });
    part.querySelector("summary").focus({ preventScroll: true });
  }
}
addEventListener("hashchange", () => reveal(location.hash));
const map = $("map"), told = $("told");
if (map) {
  const hint = told.textContent;
  const tiles = [...map.querySelectorAll("a")];
  let current = tiles[0];
  tiles.forEach((tile) => tile.setAttribute("tabindex", tile === current ? "0" : "-1"));
  const tell = (tile) => {
    told.textContent = tile ? tile.querySelector("title").textContent.replaceAll("\\n", " · ") : hint;
  };
  map.addEventListener("pointerover", (event) => tell(event.target.closest("a")));
  map.addEventListener("pointerleave", () => tell(null));
  map.addEventListener("focusin", (event) => tell(event.target.closest("a")));
  map.addEventListener("click", (event) => {
    // Not left to the link: it does nothing when it is followed again, nor within an editor.
    const tile = event.target.closest("a");
    if (!tile) return;
    event.preventDefault();
    const hash = tile.getAttribute("href");
    if (hash === location.hash) reveal(hash);
    else location.hash = hash;
  });
  const far = (from, to, key) => {
    const x = to.left + to.width / 2 - from.left - from.width / 2;
    const y = to.top + to.height / 2 - from.top - from.height / 2;
    const ahead = { ArrowLeft: -x, ArrowRight: x, ArrowUp: -y, ArrowDown: y }[key];
    const aside = Math.abs(key === "ArrowLeft" || key === "ArrowRight" ? y : x);
    return ahead > 1 ? ahead + 2 * aside : Infinity;
  };
  map.addEventListener("keydown", (event) => {
    if (!event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const from = current.getBoundingClientRect();
    let best = null, least = Infinity;
    for (const tile of tiles) {
      const distance = far(from, tile.getBoundingClientRect(), event.key);
      if (distance < least) { best = tile; least = distance; }
    }
    if (best) { current.setAttribute("tabindex", "-1"); best.setAttribute("tabindex", "0"); best.focus(); }
  });
  map.addEventListener("focusin", (event) => { current = event.target.closest("a") || current; });
}
const tools = $("tools");
if (tools) {
  tools.hidden = false;
  const list = $("list"), sent = [...list.children], count = $("count");
  const words = sent.map((item) => item.querySelector("summary").textContent.toLowerCase());
  const tokens = sent.map((item) => Number(item.dataset.tokens));
  const filter = () => {
    const wanted = $("filter").value.toLowerCase().split(" ").filter(Boolean);
    let shown = 0;
    sent.forEach((item, i) => {
      item.hidden = !wanted.every((word) => words[i].includes(word));
      shown += item.hidden ? 0 : 1;
    });
    count.textContent = wanted.length ? `${shown} of ${sent.length}` : "";
  };
  const sort = () => {
    const order = sent.map((item, i) => i);
    if ($("order").value === "tokens") order.sort((a, b) => tokens[b] - tokens[a] || a - b);
    list.append(...order.map((i) => sent[i]));
  };
  $("filter").addEventListener("input", filter);
  $("order").addEventListener("change", sort);
}
reveal(location.hash);
"""
