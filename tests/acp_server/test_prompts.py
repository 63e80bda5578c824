"""What is made of the blocks of a prompt."""

from __future__ import annotations

from pathlib import Path

import pytest
from acp import schema

from qwen_lsp.acp_server.prompt import Block, Prompt, read


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a b.py").write_text("a = 1\n")
    return tmp_path


def said(root: Path, *blocks: Block) -> Prompt:
    return read(blocks, (root,), lambda name, text: text.replace("secret", "…"))


def text(words: str) -> Block:
    return schema.TextContentBlock(type="text", text=words)


def link(uri: str, name: str = "x") -> Block:
    return schema.ResourceContentBlock(type="resource_link", uri=uri, name=name)


def along(uri: str, content: str) -> Block:
    resource = schema.TextResourceContents(uri=uri, text=content)
    return schema.EmbeddedResourceContentBlock(type="resource", resource=resource)


def test_a_link_is_the_path_of_the_file(root: Path) -> None:
    file = (root / "src" / "a b.py").as_uri()
    prompt = said(root, text("Look at "), link(file), text(" and "), link(f"{file}#L3-9"), text("."))
    assert prompt.text == "Look at src/a b.py and src/a b.py:3-9."
    assert prompt.paths == ["src/a b.py"]


def test_a_link_elsewhere_is_named_as_it_is(root: Path) -> None:
    prompt = said(root, link("https://example.org/x", "the page"), link("file:///etc/passwd", "passwd"))
    assert prompt.text == "the page (https://example.org/x)passwd (file:///etc/passwd)"
    assert prompt.paths == []


def test_a_folder_is_no_file_to_put_before_the_task(root: Path) -> None:
    assert said(root, link((root / "src").as_uri())).paths == []


def test_a_whole_file_that_comes_along_is_pointed_at(root: Path) -> None:
    prompt = said(root, text("Fix "), along((root / "src" / "a b.py").as_uri(), "a = 2\n"))
    assert prompt.text == "Fix src/a b.py"
    assert (prompt.paths, prompt.texts) == (["src/a b.py"], {"src/a b.py": "a = 2\n"})


def test_some_lines_that_come_along_are_quoted(root: Path) -> None:
    prompt = said(
        root, text("Fix "), along(f"{(root / 'src' / 'a b.py').as_uri()}?symbol=a#L1:2", "a secret")
    )
    assert prompt.text == "Fix src/a b.py:1-2\n\nsrc/a b.py:1-2:\n```\na …\n```"
    assert prompt.texts == {}


def test_text_from_elsewhere_is_quoted_without_secrets_and_cut(root: Path) -> None:
    prompt = said(root, along("zed:///thread/1", "secret" + "x" * 100_000))
    assert "secret" not in prompt.text and len(prompt.text) < 61_000
    assert prompt.left_out == ["zed:///thread/1 was cut at 60,000 characters."]


def test_a_fence_in_a_text_does_not_end_the_quote(root: Path) -> None:
    assert "````\n```\nx\n```\n````" in said(root, along("zed:///x", "```\nx\n```")).text


def test_pictures_and_other_data_are_left_out_and_said(root: Path) -> None:
    picture = schema.ImageContentBlock(type="image", data="AAAA", mime_type="image/png")
    blob = schema.BlobResourceContents(uri="file:///x.bin", blob="AAAA")
    prompt = said(
        root, text("See"), picture, schema.EmbeddedResourceContentBlock(type="resource", resource=blob)
    )
    assert prompt.text == "See"
    assert [sentence.split()[0] for sentence in prompt.left_out] == ["A", "file:///x.bin"]
