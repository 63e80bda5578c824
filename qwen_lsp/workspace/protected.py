"""Paths that nothing here writes, and paths that a person is asked about, however their names are written.

What governs this program, an editor, git, the build or other agents is protected: an edit there would be code
execution or a change of rights. What pins dependencies or instructs agents is touchy. Names are compared
without what some file system ignores (case, the form of letters, invisible characters, trailing dots and
spaces, the name of a stream, short names), on every platform: what is harmless here may be `.git` on the
machine that pulls it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache
from urllib.parse import unquote

_GOVERNS = "holds settings that run programs or change rights"
_INTEGRATES = "runs in continuous integration"
_HOOKS = "runs when git is used"

_SETTINGS = frozenset(
    {
        ".git", ".hg", ".svn", ".bzr", ".jj", ".gitmodules", ".gitattributes", ".gitconfig", ".vscode",
        ".idea", ".vs", ".fleet", ".zed", ".exrc", ".vimrc", ".nvimrc", ".nvim.lua", ".lvimrc",
        ".dir-locals.el", ".dir-locals-2.el", ".cursor", ".cursorrules", ".windsurf", ".windsurfrules",
        ".claude", ".clinerules", ".roo", ".continue", ".gemini", ".codex", ".aider.conf.yml", ".qwen",
        ".qwen-lsp", ".qwenignore", ".mcp.json", ".envrc", ".direnv", ".npmrc", ".yarnrc", ".yarnrc.yml",
        ".yarnrc.yaml", ".pypirc", ".netrc", "_netrc", ".devcontainer", ".devcontainer.json", ".bashrc",
        ".bash_profile", ".bash_login", ".bash_logout", ".profile", ".zshrc", ".zshenv", ".zprofile",
        ".zlogin", ".zlogout", ".cshrc", ".tcshrc", ".kshrc", ".xprofile", ".xsession", ".xsessionrc",
        ".xinitrc", ".pam_environment", ".tmux.conf", ".ripgreprc",
    }
)  # fmt: skip
_SETTINGS_ENDINGS = (".code-workspace", ".sublime-project", ".sublime-workspace")
_AT_HOOKS = frozenset(
    {
        ".husky", ".githooks", ".pre-commit-config.yaml", ".pre-commit-config.yml", ".pre-commit-hooks.yaml",
        "lefthook.yml", "lefthook.yaml", "lefthook.toml", "lefthook.json", ".lefthook.yml", ".lefthook.yaml",
        ".lefthook.toml", ".lefthook.json", "lefthook-local.yml", "lefthook-local.yaml", ".lefthook",
        ".lefthook-local", ".lefthook-local.yml", ".overcommit.yml",
    }
)  # fmt: skip
_AT_INTEGRATION = frozenset(
    {
        ".gitlab-ci.yml", ".gitlab-ci.yaml", ".circleci", "jenkinsfile", "azure-pipelines.yml",
        "azure-pipelines.yaml", ".azure-pipelines", ".azuredevops", ".travis.yml", ".drone.yml",
        ".drone.star", "bitbucket-pipelines.yml", ".buildkite", ".woodpecker", ".woodpecker.yml",
        ".woodpecker.yaml", "appveyor.yml", ".appveyor.yml", ".cirrus.yml", ".teamcity", ".semaphore",
        ".builds", ".build.yml",
    }
)  # fmt: skip
_FOLDERS: tuple[tuple[tuple[str, ...], str], ...] = (
    ((".github", "workflows"), _INTEGRATES),
    ((".github", "actions"), _INTEGRATES),
    ((".gitea", "workflows"), _INTEGRATES),
    ((".forgejo", "workflows"), _INTEGRATES),
    *(
        ((".config", name), _GOVERNS)
        for name in ("qwen-lsp", "git", "autostart", "systemd", "environment.d", "fish", "nvim")
    ),
    ((".local", "state", "qwen-lsp"), _GOVERNS),
)

_PINNED = "It pins what is installed"
_INSTRUCTS = "It instructs agents"
_TOUCHY_NAMES: dict[str, str] = {
    **dict.fromkeys(
        (
            "package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock",
            "bun.lockb", "deno.lock", "poetry.lock", "pdm.lock", "uv.lock", "pipfile.lock", "pixi.lock",
            "pylock.toml", "requirements.lock", "conda-lock.yml", "cargo.lock", "go.sum", "go.work.sum",
            "gemfile.lock", "composer.lock", "mix.lock", "rebar.lock", "pubspec.lock", "podfile.lock",
            "cartfile.resolved", "package.resolved", "packages.lock.json", "paket.lock", "gradle.lockfile",
            "conan.lock", "flake.lock", "chart.lock", ".terraform.lock.hcl", "stack.yaml.lock",
            "cabal.project.freeze", "module.bazel.lock", "gradle-wrapper.properties",
        ),
        _PINNED,
    ),
    **dict.fromkeys(
        ("agents.md", "agents.override.md", "qwen.md", "claude.md", "gemini.md", "copilot-instructions.md"),
        _INSTRUCTS,
    ),
    ".pnpmfile.cjs": "It runs when packages are installed",
    **dict.fromkeys(
        (".pdbrc", ".gdbinit", ".lldbinit", ".rprofile"), "It runs when a program is started here"
    ),
    "mise.toml": "It sets the environment of programs",
    ".mise.toml": "It sets the environment of programs",
    ".tool-versions": "It sets the environment of programs",
}  # fmt: skip
_TOUCHY_FOLDERS = {
    ".cargo": "It holds settings that can run programs",
    ".yarn": "It holds programs that run when packages are installed",
    ".ci": "It may run in continuous integration",
}


def protection(path: str, guarded: Collection[str] = ()) -> str | None:
    """Why nothing may write this path, or None when it may be written.

    `guarded` are more paths of this workspace, with all that is below them (`guard.guarded`).
    """
    for written in _ways_to_read(path):
        parts = _parts(written)
        for part in parts:
            if reason := _reason(part):
                return f"{part} {reason}"
        for folder, reason in _FOLDERS:
            if any(parts[at : at + len(folder)] == folder for at in range(len(parts))):
                return f"{'/'.join(folder)} {reason}"
        for other in guarded:
            above = _parts(other)
            if above and parts[: len(above)] == above:
                return f"{other} {_GOVERNS}"
    return None


def touchy(path: str) -> str | None:
    """Why a person is asked before this path is written, a sentence without its full stop; None otherwise."""
    for written in _ways_to_read(path):
        parts = _parts(written)
        if parts and (reason := _TOUCHY_NAMES.get(parts[-1])):
            return reason
        for part in parts[:-1]:
            if part in _TOUCHY_FOLDERS:
                return _TOUCHY_FOLDERS[part]
    return None


def _reason(name: str) -> str | None:
    if name in _SETTINGS or name.endswith(_SETTINGS_ENDINGS):
        return _GOVERNS
    if name in _AT_HOOKS:
        return _HOOKS
    if name in _AT_INTEGRATION or name.startswith("jenkinsfile.") or name.endswith(".jenkinsfile"):
        return _INTEGRATES
    return None


def _ways_to_read(path: str) -> Iterable[str]:
    """The path as it is, and as whoever decodes it as a part of an address would read it."""
    yield path
    if "%" in path and (decoded := unquote(path)) != path:
        yield decoded


def _parts(path: str) -> tuple[str, ...]:
    """Names of a path in their plainest form; what goes up is followed, as a file system would."""
    parts: list[str] = []
    for part in re.split(r"[/\\]", path):
        if part == "..":
            parts = parts[:-1]
        elif folded := _folded(part):
            parts.append(folded)
    return tuple(parts)


@lru_cache(maxsize=4_096)
def _folded(part: str) -> str:
    """A name without what some file system ignores in it."""
    name = unicodedata.normalize("NFKC", part).casefold()
    name = "".join(c for c in name if not _ignored(c))
    # A dot or a dotless letter is one letter with "i" where case is folded by a Turkish rule.
    name = unicodedata.normalize("NFKC", name).casefold().replace("i\u0307", "i").replace("\u0131", "i")
    return _long(name.partition(":")[0].rstrip(". "))


def _ignored(character: str) -> bool:
    return unicodedata.category(character) in ("Cf", "Cc", "Cs") or character in _FILLERS


_FILLERS = frozenset(
    map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0, *range(0x180B, 0x1810),
              *range(0xFE00, 0xFE10), *range(0xE0000, 0xE1000)))
)  # fmt: skip

# Short names, as NTFS makes them where a program asks for eight characters and three: the first six and a
# number, or after some of these the first two and four digits of a sum.
_SHORT_FORM = re.compile(r"([^.~]{1,6})~[0-9]{1,5}(\.[^.]{0,3})?")
_SUMMED_FORM = re.compile(r"([^.~]{2})[0-9a-f]{4}~[0-9](\.[^.]{0,3})?")


def _long(name: str) -> str:
    """The name that a short one (`gitmod~1`) may stand for; any other name as it is."""
    if "~" not in name:
        return name
    for form, size in ((_SHORT_FORM, 6), (_SUMMED_FORM, 2)):
        found = form.fullmatch(name)
        if found and (meant := _BY_SHORT.get((size, found[1], found[2] or ""))):
            return meant
        if found and found[2] in _SHORT_ENDINGS:
            return f"{found[1]}{_SHORT_ENDINGS[found[2]]}"
    return name


def _short(name: str, size: int) -> tuple[int, str, str]:
    stem, dot, ending = name.lstrip(".").rpartition(".")
    stem, ending = (stem, f".{ending[:3]}") if dot else (ending, "")
    return size, re.sub(r"[. +,;=\[\]]", "", stem)[:size], ending


# Where several names are short for the same, the one that is protected counts.
_NAMES = (
    *(name for folder, _ in _FOLDERS for name in folder),
    *_TOUCHY_FOLDERS, *_TOUCHY_NAMES, *_AT_INTEGRATION, *_AT_HOOKS, *_SETTINGS,
)  # fmt: skip
_BY_SHORT = {_short(name, size): name for size in (2, 6) for name in _NAMES}
_SHORT_ENDINGS = {ending[:4]: ending for ending in _SETTINGS_ENDINGS}
