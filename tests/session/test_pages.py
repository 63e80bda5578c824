"""Pages in the cache folder: private, and never more than a few."""

from __future__ import annotations

import os
from pathlib import Path

from qwen_lsp.session.pages import keep_page, pages_folder


def test_a_page_is_for_its_user_alone_and_the_old_ones_go() -> None:
    made: list[Path] = []
    for number in range(25):
        made.append(keep_page(f"page {number}"))
        os.utime(made[-1], (number, number))
    other = pages_folder() / "notes.html"
    other.write_text("not ours")
    last = keep_page("\u00fc\n")
    assert last.read_bytes() == "\u00fc\n".encode()
    assert last.stat().st_mode & 0o777 == 0o600
    left = set(pages_folder().iterdir())
    assert left == {other, last, *made[-19:]}


def test_a_link_among_the_pages_is_removed_and_not_followed(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    keep_page("first")
    link = pages_folder() / "context-old.html"
    link.symlink_to(precious)
    os.utime(link, (0, 0), follow_symlinks=False)
    for _ in range(20):
        keep_page("more")
    assert not link.is_symlink()
    assert precious.read_text() == "kept"
