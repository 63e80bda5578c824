"""How the page of a run looks, beside what all pages share. It has no script; a browser folds by itself."""

from __future__ import annotations

from qwen_lsp.context.webpage_shell import GROUND

STYLE = (
    GROUND
    + """
:root {
  --add: #e0f3e6; --remove: #fbe3e0; --good: #1d6b3a; --bad: #a3200d; --wait: #8a5a00; --written: #d99a1c;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --add: #123320; --remove: #43201c; --good: #7fd49b; --bad: #ff9b8a; --wait: #f0c36a; --written: #d9a441;
  }
}
header p.task { font-size: 1.35rem; font-weight: 600; line-height: 1.3; margin: .1rem 0;
  white-space: pre-wrap; overflow-wrap: anywhere; max-width: none; }
header p.long { font-size: 1rem; font-weight: 400; }
nav { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; margin: 1rem 0 0; padding: .4rem 0;
  border-top: 1px solid var(--line); border-bottom: 1px solid var(--line); }
.good { color: var(--good); } .bad { color: var(--bad); } .wait { color: var(--wait); }
.said { white-space: pre-wrap; overflow-wrap: anywhere; max-width: 60rem; margin: .35rem 0; }
.last { margin: 1rem 0; border-left: 3px solid var(--line); padding: .1rem 0 .1rem .9rem; }
ul.plan { list-style: none; margin: .3rem 0; padding: 0; }
ul.plan li { overflow-wrap: anywhere; padding-left: 1.4rem; text-indent: -1.4rem; }
ul.plan li.done { color: var(--soft); }
ol.turns { list-style: none; margin: 0; padding: 0; }
ol.turns > li { border-top: 1px solid var(--line); padding: .6rem 0 .8rem; }
h3 { font-size: .95rem; margin: 0; }
h3 small { font-weight: 400; color: var(--soft); font-variant-numeric: tabular-nums; margin-left: .5rem; }
details { margin: .15rem 0; }
details > details, details > pre, details > .diff, details > p { margin-left: 1.1rem; }
summary { cursor: pointer; padding: .12rem .25rem; overflow-wrap: anywhere; border-radius: 3px; }
summary:hover { background: var(--raised); }
summary code { font-weight: 600; }
summary small, li > small { color: var(--soft); font-variant-numeric: tabular-nums; white-space: nowrap; }
.plus { color: var(--good); font-variant-numeric: tabular-nums; }
.minus { color: var(--bad); font-variant-numeric: tabular-nums; }
.note { color: var(--soft); margin: .2rem 0 .2rem .25rem; max-width: none; overflow-wrap: anywhere; }
.asked { border-left: 3px solid var(--wait); padding: .1rem .75rem; margin: .4rem 0; }
.asked pre { border: 0; max-height: 30vh; white-space: pre-wrap; overflow-wrap: anywhere; }
.diff { border: 1px solid var(--line); border-radius: 4px; overflow: auto; max-height: 75vh;
  margin-top: .2rem; }
.diff pre { border: 0; background: none; padding: .3rem 0; width: max-content; min-width: 100%;
  max-height: none; overflow: visible; }
.diff span.add, .diff span.remove, .diff span.same, .diff span.hunk, .diff span.head, .diff span.note {
  display: block; padding: 0 .75rem; min-height: 1.4em; margin: 0; }
.diff span.add { background: var(--add); } .diff span.remove { background: var(--remove); }
.diff span.hunk, .diff span.note { color: var(--soft); } .diff span.head { font-weight: 600; }
.chart { border: 1px solid var(--line); border-radius: 4px; padding: .5rem .75rem .25rem; }
.chart text { fill: var(--soft); font-size: 11px; font-variant-numeric: tabular-nums; }
.chart line { stroke: var(--line); }
.cached { fill: var(--outline); } .new { fill: var(--whole); } .written { fill: var(--written); }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.5rem; margin: .4rem 0; font-size: .9rem; }
.legend svg { display: inline-block; vertical-align: -1px; margin-right: .4rem; }
@media (max-width: 40rem) {
  details > details, details > pre, details > .diff, details > p { margin-left: .3rem; }
}
@media print { .diff, pre { max-height: none; } nav { display: none; } }
"""
)
