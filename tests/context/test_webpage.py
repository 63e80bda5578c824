"""The page: it says what the receipt says, needs only itself, and nothing of a repository is markup."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.context.candidates import Form
from qwen_lsp.context.render import Pack, Part
from qwen_lsp.context.visible import markup, name, plain
from qwen_lsp.context.webpage import page
from qwen_lsp.context.webpage_shell import Theme
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Withheld

HOSTILE = (
    "</pre></details></script><script>alert(1)</script><img src=x onerror=alert(2)>\"'&amp;\u202etxt.exe"
)


class Reader(HTMLParser):
    """What a browser would find: elements with their attributes, and the texts between."""

    VOID = frozenset({"meta", "input"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.pres: list[str] = []
        self.titles: list[str] = []
        self.words: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "pre":
            self.pres.append("")
        if tag == "title":
            self.titles.append("")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if "pre" in self.open:
            self.pres[-1] += data
        if "title" in self.open:
            self.titles[-1] += data
        if not {"script", "style"} & set(self.open):
            self.words.append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for found, attributes in self.elements if found == tag]


def part(path: str, tokens: int, kind: Form = "whole", text: str = "x = 1\n", why: str = "near") -> Part:
    return Part(RelPath(path), kind, text, tokens, why)


def pack(
    *parts: Part,
    budget: int = 1_000,
    withheld: tuple[Withheld, ...] = (),
    left_out: tuple[tuple[RelPath, str], ...] = (),
) -> Pack:
    return Pack(parts, budget, sum(p.tokens for p in parts), withheld, left_out)


def shown(packed: Pack, place: str = "src/app.py:3", considered: int = 9, most_text: int = 8_000_000) -> str:
    return page(packed, workspace="shop", place=place, considered=considered, most_text=most_text)


SHOP = pack(
    part("src/model.py", 300, "whole", "class Item:\n    '''For sale'''\n", "defines `Item`, used at line 3"),
    part("src/money.py", 150, "outline", "class Price: ...\n", "imported at line 1"),
    part("lib/tax.py", 50, "header", "def tax(rate): ...", "defines `tax`"),
    withheld=(Withheld(".env", "secret file"), Withheld("src/cloud.py", "AWS key", 12)),
    left_out=((RelPath("src/big.py"), "no room"), (RelPath("src/pipe"), "cannot be read")),
)


def test_the_page_tells_what_the_receipt_tells() -> None:
    read = Reader(shown(SHOP))
    words = " ".join(" ".join(read.words).split())
    for said in ("src/app.py:3", "shop", "500 of 1,000", "50.0%", "3 of 9 considered"):
        assert said in words, said
    assert [text.strip("\n") for text in read.pres] == [p.text.strip("\n") for p in SHOP.parts]
    rows = [row["data-tokens"] for row in read.of("li") if "data-tokens" in row]
    assert rows == ["300", "150", "50"], "the order sent"
    for said in ("secret file", "AWS key", "12", "src/big.py", "no room: 1 file", "cannot be read: 1 file"):
        assert said in words, said
    assert "defines Item , used at line 3" in words


def test_every_rectangle_leads_to_its_entry() -> None:
    read = Reader(shown(SHOP))
    ids = {attributes["id"]: tag for tag, attributes in read.elements if "id" in attributes}
    links = [link["href"] or "" for link in read.of("a")]
    assert {"#p1", "#p2", "#p3"} <= set(links)
    assert all(link.startswith("#") and link[1:] in ids for link in links)
    assert len(ids) == len([1 for _, attributes in read.elements if "id" in attributes]), "no id twice"
    assert ids["p1"] == "pre"
    assert (
        "src/model.py\n300 tokens · 60.0% of what is sent\nwhole · defines `Item`, used at line 3"
        in read.titles
    )


def test_the_bar_adds_up_to_what_is_used() -> None:
    rects = re.findall(
        r'<rect class="fill-(whole|outline|header)" x="([\d.]+)%" width="([\d.]+)%"', shown(SHOP)
    )
    assert rects == [
        ("whole", "0.000", "30.000"),
        ("outline", "30.000", "15.000"),
        ("header", "45.000", "5.000"),
    ]


@pytest.mark.parametrize(("theme", "media"), [("light", "not all"), ("dark", "screen")])
def test_a_page_within_an_editor_looks_as_the_editor_does(theme: Theme, media: str) -> None:
    text = page(pack(part("a.py", 5)), workspace="w", place="a.py:1", considered=1, theme=theme)
    assert f"color-scheme: {theme};" in text
    assert f"@media {media} {{" in text
    assert "prefers-color-scheme" not in text
    style = re.findall("<style>(.*?)</style>", text, re.DOTALL)[0]
    assert base64.b64encode(hashlib.sha256(style.encode()).digest()).decode() in text


def test_nothing_is_loaded_and_only_our_own_script_may_run() -> None:
    text = shown(pack(part("a.py", 5, text=HOSTILE)))
    read = Reader(text)
    policy = (
        next(m["content"] for m in read.of("meta") if m.get("http-equiv") == "Content-Security-Policy") or ""
    )
    assert policy.startswith("default-src 'none';")
    assert "unsafe" not in policy
    for tag in ("script", "style"):
        inner = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert len(inner) == 1
        digest = base64.b64encode(hashlib.sha256(inner[0].encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    for _, attributes in read.elements:
        assert not {"src", "style", "srcset", "data", "action"} & set(attributes)
        assert not [key for key in attributes if key.startswith("on")]
    assert "url(" not in text
    assert "@import" not in text
    assert "://" not in text


def test_what_a_repository_brings_is_text_and_only_text() -> None:
    path = f"dir/{HOSTILE}\n`x`.py"
    hostile = Pack(
        (part(path, 7, text=HOSTILE, why=f"defines `{HOSTILE}`"),),
        100,
        7,
        (Withheld(path, HOSTILE, 3),),
        ((RelPath(path + "2"), HOSTILE),),
    )
    tame = Pack((part("dir/a.py", 7),), 100, 7, (Withheld("dir/b", "c", 3),), ((RelPath("dir/d"), "e"),))
    read = Reader(page(hostile, workspace=HOSTILE, place=path, considered=1))
    quiet = Reader(page(tame, workspace="w", place="p", considered=1))
    extra = [tag for tag, _ in read.elements if tag not in ("span", "code")]
    assert extra == [tag for tag, _ in quiet.elements if tag not in ("span", "code")]
    assert read.pres[0].lstrip("\n") == HOSTILE.replace("\u202e", "U+202E")
    assert "\u202e" not in page(hostile, workspace=HOSTILE, place=path, considered=1)


@settings(deadline=None, max_examples=200)
@given(st.text())
def test_any_text_survives_and_can_be_encoded(text: str) -> None:
    for made in (markup(text), name(text), plain(text)):
        made.encode("utf-8")
        read = Reader(f"<pre>\n{made}</pre>")
        assert {tag for tag, _ in read.elements} <= {"pre", "span"}
    if text.isascii() and text.isprintable():
        assert Reader(f"<pre>{markup(text)}</pre>").pres == [text]


@pytest.mark.parametrize(
    "unseen", ["\u202e", "\u2066", "\u200b", "\ufeff", "\x1b", "\0", "\udc80", "\u2028", "\U000e0041"]
)
def test_what_cannot_be_seen_is_shown_by_its_number(unseen: str) -> None:
    number = f"U+{ord(unseen):04X}"
    assert f">{number}<" in markup(f"a{unseen}b")
    assert plain(f"a{unseen}b") == f"a⟨{number}⟩b"
    assert markup("a\r\n\tb\n") == "a\n\tb\n"
    assert "U+000A" in name("a\nb")


def test_a_text_keeps_its_first_line_end() -> None:
    # A parser drops one line end after `<pre>`.
    assert 'tabindex="0">\n\n\nx</pre>' in shown(pack(part("a.py", 3, text="\n\nx")))


def test_equal_packs_are_equal_bytes() -> None:
    assert shown(SHOP) == shown(SHOP)
    assert shown(SHOP) != shown(SHOP, place="src/app.py:4")


def test_a_pack_of_nothing_is_a_page_too() -> None:
    for budget in (0, 1, 1_000_000):
        read = Reader(shown(pack(budget=budget), considered=0))
        assert "Nothing of the other files belongs to this place" in " ".join(read.words)
        assert read.of("a") == []


def test_very_long_texts_are_cut_with_a_note_the_longest_first() -> None:
    packed = pack(
        part("long.py", 9, text="a" * 5_000), part("longer.py", 9, text="b" * 9_000), part("s.py", 1)
    )
    read = Reader(shown(packed, most_text=6_000))
    lengths = [len(text.strip("\n")) for text in read.pres]
    assert lengths == [2_997, 2_997, 5]
    assert "the first 2,997 of 9,000 characters" in " ".join(read.words)
    assert "Cut here" not in " ".join(Reader(shown(packed)).words)


def test_thousands_of_files_are_drawn_as_a_thousand_and_the_rest_together() -> None:
    parts = [part(f"d{n % 7}/f{n}.py", 1 + n % 50) for n in range(4_000)]
    read = Reader(shown(pack(*parts, budget=200_000)))
    assert (
        len(
            [1 for link in read.of("a") if (link["href"] or "").startswith("#p") and link["href"] != "#parts"]
        )
        == 2_500
    )
    merged = [title for title in read.titles if "smaller files" in title]
    assert sum(int(re.sub(r"\D", "", re.findall(r"([\d,]+) smaller", title)[0])) for title in merged) == 1_500
    assert len(read.pres) == 4_000


def test_a_mark_has_a_column_of_its_own_where_there_is_any() -> None:
    plainly = page(SHOP, workspace="shop", place="a:1", considered=3)
    marked = page(
        SHOP,
        workspace="shop",
        place="a:1",
        considered=3,
        mark=lambda part: "kept" if part.path == "src/model.py" else "",
    )
    assert 'class="marked"' not in plainly
    assert '<div class="marked">' in marked
    assert marked.count('<span class="soft">kept</span>') == 1
    assert page(SHOP, workspace="shop", place="a:1", considered=3, mark=lambda part: "") == plainly
