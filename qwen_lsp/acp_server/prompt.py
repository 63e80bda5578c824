"""What a person sends: text, files pointed at, and pieces of text that came along."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from acp import schema

from qwen_lsp.context.visible import seen_name
from qwen_lsp.features.markdown import fenced
from qwen_lsp.text.unseen import without_hidden
from qwen_lsp.workspace.paths import RelPath, from_uri, within

_LONGEST = 60_000
"""Characters of one piece of text that comes along."""
_RANGE = re.compile(r"L?(\d+)(?:[:-]L?(\d+))?$")

Block = (
    schema.TextContentBlock
    | schema.ImageContentBlock
    | schema.AudioContentBlock
    | schema.ResourceContentBlock
    | schema.EmbeddedResourceContentBlock
)
Admit = Callable[[str, str], str]
"""What of a text of this name a model may see."""


@dataclass(slots=True)
class Prompt:
    """One message of the person's."""

    text: str = ""
    """For the model: the words, names of files in place of links, and what came along."""
    paths: list[RelPath] = field(default_factory=list[RelPath])
    """Files of the workspace that it points at, in order."""
    texts: dict[RelPath, str] = field(default_factory=dict[RelPath, str])
    """Whole files as the client sent them along."""
    left_out: list[str] = field(default_factory=list[str])
    """A sentence for each thing that could not be used."""


def read(blocks: Sequence[Block], roots: Sequence[Path], admit: Admit) -> Prompt:
    """The blocks of a prompt as one message. `roots` are names of the same workspace folder."""
    prompt = Prompt()
    words: list[str] = []
    behind: list[str] = []
    for block in blocks:
        match block:
            case schema.TextContentBlock():
                words.append(block.text)
            case schema.ResourceContentBlock():
                words.append(_named(prompt, roots, block.uri, block.name))
            case schema.EmbeddedResourceContentBlock():
                resource = block.resource
                if isinstance(resource, schema.TextResourceContents):
                    words.append(_along(prompt, roots, resource, admit, behind))
                else:
                    prompt.left_out.append(f"{seen_name(resource.uri)} is no text, so it was left out.")
            case _:
                kind = "A picture" if isinstance(block, schema.ImageContentBlock) else "A recording"
                prompt.left_out.append(f"{kind} was left out: the model reads text only.")
    prompt.text = "\n\n".join(filter(None, ("".join(words).strip(), *behind)))
    return prompt


def _named(prompt: Prompt, roots: Sequence[Path], uri: str, name: str) -> str:
    """A link in the words: the path of a file of the workspace, or where else it leads."""
    path, place = _file(roots, uri)
    if path is None:
        return f"{name} ({uri})" if name and name != uri else uri
    if (roots[0] / path).is_file() and path not in prompt.paths:
        prompt.paths.append(path)
    return f"{path}{place}"


def _along(
    prompt: Prompt,
    roots: Sequence[Path],
    resource: schema.TextResourceContents,
    admit: Admit,
    behind: list[str],
) -> str:
    """Text that came along: a file of the workspace is pointed at, the rest is quoted behind the words."""
    path, place = _file(roots, resource.uri)
    name = f"{path}{place}" if path else seen_name(resource.uri)
    text, _ = without_hidden(resource.text)
    if path is not None and path not in prompt.paths:
        prompt.paths.append(path)
    if path is not None and not place:
        prompt.texts[path] = resource.text
        return name
    if len(text) > _LONGEST:
        text = text[:_LONGEST]
        prompt.left_out.append(f"{name} was cut at {_LONGEST:,} characters.")
    behind.append(f"{name}:\n{fenced(admit(path or name, text))}")
    return name


def _file(roots: Sequence[Path], uri: str) -> tuple[RelPath | None, str]:
    """The file of the workspace that a URI names, and its lines as `:10-20`, where it names some."""
    parts = urlsplit(uri)
    found = from_uri(uri)
    path = next((rel for root in roots if found and (rel := within(root, found))), None)
    lines = _RANGE.match(parts.fragment)
    if lines is None:
        return path, ""
    first, last = lines[1], lines[2]
    return path, f":{first}-{last}" if last and last != first else f":{first}"
