"""What every page of ours shares: its ground and its colours, and the promise that it loads nothing."""

from __future__ import annotations

import base64
import hashlib
from typing import Literal

Theme = Literal["light", "dark"]
"""How a page looks that is shown within an editor; else it looks as the system does."""

GROUND = """
:root {
  color-scheme: light dark;
  --ground: #ffffff; --raised: #f5f7f9; --line: #d5dbe1; --text: #17202a; --soft: #55616d; --link: #0b5cad;
  --whole: #a9cdf0; --outline: #a6dbbf; --header: #f3d384; --excerpt: #ebb7cf; --other: #cfd6dd;
  --ink: #10202e; --strip: #e9edf1; --mark: #fff3c4; --alarm: #a3200d;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --ground: #12171c; --raised: #1a2128; --line: #323c46; --text: #e4e9ee; --soft: #a0acb8; --link: #7db8f2;
    --whole: #245a8d; --outline: #22684c; --header: #75560f; --excerpt: #7c365f; --other: #46525e;
    --ink: #f3f7fa; --strip: #232c35; --mark: #4a4013; --alarm: #ff9b8a;
  }
}
* { box-sizing: border-box; }
html { background: var(--ground); color: var(--text); scroll-padding-top: 1rem; }
body { margin: 0 auto; max-width: 76rem; padding: 1.5rem clamp(.75rem, 3vw, 2rem) 3rem;
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
a { color: var(--link); }
h1 { font-size: 1.35rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; }
h1 small { display: block; font-size: .85rem; font-weight: 400; color: var(--soft); }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
p { margin: .4rem 0; max-width: 60rem; }
code, pre, .path { font-family: ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; }
code { font-size: .92em; }
.soft { color: var(--soft); }
.skip { position: absolute; left: -100rem; }
.skip:focus { position: static; }
dl.facts { display: flex; flex-wrap: wrap; gap: .5rem 2.25rem; margin: 1rem 0 0; }
dl.facts dt { color: var(--soft); font-size: .82rem; }
dl.facts dd { margin: 0; font-size: 1.15rem; font-weight: 600; font-variant-numeric: tabular-nums; }
dl.facts dd small { font-weight: 400; font-size: .85rem; color: var(--soft); }
svg { display: block; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th { font-weight: 400; color: var(--soft); font-size: .82rem; }
td, th { padding: .2rem 1.25rem .2rem 0; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; white-space: nowrap; }
:focus-visible { outline: 2px solid var(--link); outline-offset: -2px; }
.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.path, .why { overflow-wrap: anywhere; unicode-bidi: isolate; }
.path { font-size: .87rem; }
.path span.folder { color: var(--soft); }
.why { color: var(--soft); font-size: .9rem; }
pre { margin: 0; padding: .6rem .75rem; font-size: 12.5px; line-height: 1.4; tab-size: 4; overflow: auto;
  max-height: 75vh; background: var(--raised); border-top: 1px dashed var(--line); }
.cut { margin: 0; max-width: none; padding: .3rem .75rem; background: var(--mark); }
.unseen { color: var(--alarm); border: 1px solid; border-radius: 3px; font-size: .8em; padding: 0 .15em; }
"""
"""The beginning of every page's style sheet."""


def document(title: str, body: str, *, style: str, script: str = "", theme: Theme | None = None) -> str:
    """A page that needs nothing but itself; `title` and `body` are HTML, and whatever is foreign is escaped.

    `style` and `script` are let in by their hash alone, so that nothing a file brings along can run, and
    nothing is fetched.
    """
    style = _themed(style, theme)
    runs = f"script-src 'sha256-{_hash(script)}'; " if script else ""
    policy = (
        f"default-src 'none'; style-src 'sha256-{_hash(style)}'; {runs}base-uri 'none'; form-action 'none'"
    )
    end = f"\n<script>{script}</script>" if script else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n{body}{end}\n</body>\n</html>\n"
    )


def _themed(style: str, theme: Theme | None) -> str:
    if theme is None:
        return style
    dark = "@media screen" if theme == "dark" else "@media not all"
    return style.replace("color-scheme: light dark", f"color-scheme: {theme}").replace(
        "@media screen and (prefers-color-scheme: dark)", dark
    )


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
