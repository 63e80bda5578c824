"""What nothing may write and what is asked for, however the name is written."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.workspace.paths import RelPath, protection, rel_path, touchy

PROTECTED = [
    ".git", ".git/config", "sub/.git/hooks/pre-commit", ".hg/hgrc", ".svn/entries", ".gitmodules",
    ".gitattributes", ".gitconfig", ".vscode/settings.json", ".idea/workspace.xml", ".zed/tasks.json",
    ".cursor/mcp.json", ".cursorrules", ".claude/settings.json", ".clinerules", ".qwen/settings.json",
    ".qwen-lsp/config.toml", ".qwenignore", ".mcp.json", "x.code-workspace",
    ".devcontainer/devcontainer.json", ".devcontainer.json", ".github/workflows/ci.yml",
    "sub/.github/actions/a/action.yml", ".gitlab-ci.yml", ".circleci/config.yml", "Jenkinsfile",
    "ci/Jenkinsfile.release", "azure-pipelines.yml", ".travis.yml", ".drone.yml", "bitbucket-pipelines.yml",
    ".buildkite/pipeline.yml", ".forgejo/workflows/x.yml", ".husky/pre-commit", ".githooks/pre-push",
    ".pre-commit-config.yaml", "lefthook.yml", ".envrc", ".direnv/x", ".npmrc", ".yarnrc", ".yarnrc.yml",
    ".pypirc", ".netrc", ".exrc", ".dir-locals.el", ".config/qwen-lsp/config.toml",
    ".local/state/qwen-lsp/mcp.json", ".bash_login", ".zlogin", ".xprofile", ".pam_environment",
    ".config/git/config", ".config/autostart/x.desktop", ".config/systemd/user/x.service",
    ".config/fish/config.fish", ".config/nvim/init.lua",
]  # fmt: skip
TOUCHY = [
    "package-lock.json", "sub/yarn.lock", "pnpm-lock.yaml", "poetry.lock", "uv.lock", "Cargo.lock",
    "go.sum", "Gemfile.lock", "composer.lock", "Pipfile.lock", "flake.lock", "AGENTS.md", "sub/QWEN.md",
    "CLAUDE.md", ".github/copilot-instructions.md", ".cargo/config.toml",
    ".yarn/releases/yarn.cjs", ".pdbrc", ".gdbinit", ".Rprofile",
]  # fmt: skip
ORDINARY = [
    ".gitignore",
    "a.py", ".github/CODEOWNERS", "git/config", "vscode/x", "x.git/y", ".environment", "workspace.py",
    ".github/workflows.md", "docs/.gitkeep", "github/workflows/x", "Makefile", "pyproject.toml",
    "conftest.py", "lock.py", "agents.py", "src/agents/md", "package.json", "go.mod", "qwen.py", "~1",
    "a~1.py", "profile.py", "100%.txt", "%41.py", "jenkins.py", "a:b.py", "qwen-lsp/x", "config/qwen-lsp/x",
]  # fmt: skip

# Between which letters, and behind which names, a file system takes no notice of something.
IGNORED = "\u200b\u200c\u200d\u200e\u200f\u202a\u202e\u2060\u206a\u206f\ufeff\u00ad\ufe0f\u034f\U000e0041"
BEHIND = ["", ".", " ", "..", ". .", "::$DATA", ":stream", "::$INDEX_ALLOCATION", ". :x"]
WIDE = {chr(c): chr(c + 0xFEE0) for c in range(0x21, 0x7F) if chr(c) not in "/\\:%"}


def written(path: str, data: st.DataObject) -> str:
    """One of the ways to write a path that some file system takes for the same one."""
    draw = data.draw
    parts: list[str] = []
    for part in path.split("/"):
        letters: list[str] = []
        for letter in part:
            way = draw(st.sampled_from(["plain", "plain", "upper", "wide", "hidden", "twin"]))
            twins = {"i": "\u0131", "s": "\u017f", "k": "\u212a"}
            letter = {
                "upper": letter.upper(),
                "wide": WIDE.get(letter, letter),
                "twin": twins.get(letter, letter),
            }.get(way, letter)
            letters.append(letter + draw(st.sampled_from(IGNORED)) if way == "hidden" else letter)
        parts.append("".join(letters) + draw(st.sampled_from(BEHIND)))
    joined = draw(st.sampled_from(["/", "//", "/./", "\\", "/x/../"])).join(parts)
    form = draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
    return unicodedata.normalize(form, joined)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("path", PROTECTED)
def test_what_governs_programs_is_protected(path: str) -> None:
    assert protection(RelPath(path)) is not None
    assert protection(RelPath(f"deep/er/{path}")) is not None


@pytest.mark.parametrize("path", TOUCHY)
def test_what_pins_or_instructs_is_asked_for(path: str) -> None:
    assert protection(RelPath(path)) is None
    assert touchy(RelPath(path)) is not None


@pytest.mark.parametrize("path", ORDINARY)
def test_ordinary_files_may_be_written(path: str) -> None:
    assert protection(RelPath(path)) is None
    assert touchy(RelPath(path)) is None


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(PROTECTED), st.data())
def test_protection_holds_for_every_way_to_write_a_name(path: str, data: st.DataObject) -> None:
    name = written(path, data)
    assert protection(RelPath(name)) is not None, ascii(name)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(TOUCHY), st.data())
def test_asking_holds_for_every_way_to_write_a_name(path: str, data: st.DataObject) -> None:
    name = written(path, data)
    assert touchy(RelPath(name)) is not None, ascii(name)


@settings(max_examples=300, deadline=None)
@given(st.text(min_size=1, max_size=30))
def test_any_text_has_an_answer(text: str) -> None:
    assert protection(text) is None or protection(f"a/{text}") is not None
    touchy(text)


@pytest.mark.parametrize(
    "path",
    [
        "GIT~1/config", "git~3", "GITMOD~1", "gi7eba~1", "VSCODE~1/settings.json", "MCP~1.JSO",
        "GITHUB~1/WORKFL~1/ci.yml", "GITLAB~1.YML", "JENKIN~1", "HUSKY~1/pre-commit", "PROJEC~1.COD",
        "NPMRC~1", "ENVRC~1", "QWEN-L~1/config.toml", "%2egit/config", ".git%2fconfig", "%2Evscode/x",
        ".github%5cworkflows%5cx.yml", ".git\u200b/config", ".git\ufeff/hooks/x", ".ｇｉｔ/config",
        ".GİT/config", ".gıt/config",
    ],
)  # fmt: skip
def test_short_decoded_and_folded_names_are_protected(path: str) -> None:
    assert protection(RelPath(path)) is not None


@pytest.mark.parametrize("path", ["PACKAG~1.JSO", "CARGO~1.LOC", "AGENTS~1.MD", "uv%2elock", "COMPOS~1.LOC"])
def test_short_and_decoded_names_are_asked_for(path: str) -> None:
    assert touchy(RelPath(path)) is not None


def test_what_a_workspace_guards_is_protected_in_every_way_to_write_it() -> None:
    guarded = [RelPath("Store.git"), RelPath("own/hooks")]
    for path in (
        "Store.git",
        "store.git/config",
        "STORE.GIT./x",
        "own/hooks/pre-commit",
        "OWN/\u200bHooks/x",
    ):
        assert protection(rel_path(path), guarded) is not None, path
    for path in ("stores.git/x", "own/hook", "own", "sub/Store.git/x"):
        assert protection(rel_path(path), guarded) is None, path
