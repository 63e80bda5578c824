"""Who decides what a run may do: code and the person, never the text of a prompt.

Looking at the workspace and editing the fork need nobody's leave: what lands is previewed. A command, a
program that lends tools, and a path that is touchy but not forbidden are asked for, each exactly as it is.
"""

from __future__ import annotations

import asyncio
import re
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.events import AgentEvent, Asked
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Tool
from qwen_lsp.settings import AgentMode
from qwen_lsp.text.unseen import spelled, without_hidden
from qwen_lsp.workspace.paths import RelPath, protection, touchy


@dataclass(frozen=True, slots=True)
class No:
    """Not at all, with words of the person for the model."""

    words: str


Answer = Literal["once", "request", "no"] | No
"""This time; as often as it is the very same thing in this run; not at all."""
AskKind = Literal["command", "path", "external", "network"]

LONGEST_SHOWN = 20_000
"""Characters that a person can be asked to read before saying yes; more is refused, not cut."""
_LONG_LINE = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that wants leave."""

    kind: AskKind
    title: str
    """One sentence for the person."""
    detail: str
    """Exactly what would happen: the command line, the path, the tool with its arguments. To be shown
    whole; what an eye would not see in it is spelled out before it reaches the approver."""
    key: tuple[str, ...]
    """What "request" is bound to: a thing with another key is asked for anew."""
    lasting: bool = False
    """Asked for in the mode "allow" too; "request" then holds in later runs, until the key changes."""


class Approver(Protocol):
    """Puts a question to whoever is there. Cancelling it takes the question back."""

    async def __call__(self, ask: Ask, /) -> Answer: ...


async def nobody(ask: Ask, /) -> Answer:
    """Where there is no person to ask."""
    return "no"


@dataclass(slots=True)
class Approval:
    """The leave given in one run, in memory only. Questions are put one after another."""

    mode: AgentMode
    """Look only; ask for each new thing; allow what can be asked for. What is forbidden stays so in all."""
    approver: Approver = nobody
    granted: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])
    on_event: Callable[[AgentEvent], None] = lambda event: None
    """Gets an Asked for each question, and one more with its answer."""
    commands: Sequence[str] = ()
    """Lines that need no question at the root of the workspace: the setting `agent.allow_commands`."""
    guarded: Collection[RelPath] = ()
    """What nothing may write in this workspace besides what `protection` knows by name."""
    _asking: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    def admits(self, tool: Tool) -> None:
        """Raises ToolRefused where this mode has no such tool at all."""
        if self.mode == "plan" and tool.kind in ("edit", "command", "external"):
            raise ToolRefused(
                f"{tool.name} is off: this run only plans. Look around, then reply with the plan."
            )

    async def leave(self, ask: Ask) -> None:
        """Returns when the thing may be done. Raises ToolRefused when it may not."""
        await self.answer(ask)

    async def answer(self, ask: Ask) -> Literal["allowed", "once", "request"]:
        """The same, saying by what: the mode or an earlier answer, or the answer now."""
        if self.mode == "plan":
            raise ToolRefused("This run only plans: nothing may be started or changed.")
        async with self._asking:  # so that the answer to one question counts for the same one behind it
            if ask.key in self.granted or (self.mode == "allow" and not ask.lasting):
                return "allowed"
            if ask.kind == "command" and self._needs_no_question(ask):
                return "allowed"
            return await self._asked(ask)

    async def path_leave(self, path: RelPath) -> None:
        """Before a file is created, changed, moved or deleted. Raises ToolRefused when it may not be."""
        if reason := protection(path, self.guarded):
            raise ToolRefused(f"{path} may not be changed by tools: {reason}.")
        if reason := touchy(path):
            await self.leave(Ask("path", f"Change {spelled(path)}? {reason}.", path, ("path", path)))

    async def edit_leave(self, desk: Desk, tool: Tool, arguments: Arguments) -> None:
        """The same for every path that a call of an editing tool would change, before it is run."""
        for path in touched(desk, tool, arguments):
            await self.path_leave(path)

    async def command_leave(self, line: str, folder: str = "", *, network: bool = False) -> None:
        """Before a command line is run, in a folder below the root. Raises ToolRefused when it may not be."""
        await self.leave(command_ask(line, folder, network=network))

    def _needs_no_question(self, ask: Ask) -> bool:
        # The key is what "exactly this command" means; one with more in it is not the plain command.
        return ask.key == ("command", ask.detail, "") and runs_unasked(ask.detail, self.commands)

    async def _asked(self, ask: Ask) -> Literal["once", "request"]:
        title, detail = spelled(ask.title), spelled(ask.detail)
        if len(detail) > LONGEST_SHOWN:
            raise ToolRefused(
                f"This is too long to be read and allowed by a person ({len(detail):,} characters). "
                "Take smaller steps."
            )
        shown = Ask(ask.kind, title, detail, ask.key, ask.lasting)
        self.on_event(Asked(title, detail))
        answer = await self.approver(shown)
        words = without_hidden(answer.words.strip())[0] if isinstance(answer, No) else ""
        # Anything but a clear yes is a no.
        clear = answer if not isinstance(answer, No) and answer in ("once", "request") else "no"
        self.on_event(Asked(title, detail, f"{clear}: {words}" if words else clear))
        if clear == "no":
            then = f"They said: {words}" if words else "Do without, or ask what to do instead."
            raise ToolRefused(f"The user did not allow it: {detail}. {then}")
        if clear == "request":
            self.granted.add(ask.key)
        return clear


def command_ask(line: str, folder: str = "", *, network: bool = False) -> Ask:
    """The question about one command line; "request" is bound to this line, this folder and this network."""
    where = f" in {folder}/" if folder else ""
    means = " with network access" if network else ""
    lines = line.count("\n") + 1
    size = f"{lines:,} lines, " if lines > 1 else ""
    size = f" ({size}{len(line):,} characters)" if size or len(line) > _LONG_LINE else ""
    key = ("command", line, folder, *(("network",) if network else ()))
    kind: AskKind = "network" if network else "command"
    return Ask(kind, f"Run this command{where}{means}?{size}", line, key)


_PATH_KEYS = frozenset({"file_path", "source_path", "target_path", "path"})


def touched(desk: Desk, tool: Tool, arguments: Arguments) -> tuple[RelPath, ...]:
    """Every path that a call of an editing tool names, each once, in order. Raises ToolRefused.

    An editing tool that names no path at all is refused: what it would change could not be judged.
    """
    if tool.kind != "edit":
        return ()
    found = tuple(dict.fromkeys(desk.path(text) for text in _paths(arguments)))
    if not found:
        raise ToolRefused(f"{tool.name} names no file.")
    return found


def _paths(value: object, key: str = "") -> list[str]:
    if isinstance(value, str):
        return [value] if key in _PATH_KEYS else []
    if isinstance(value, dict):
        items: list[tuple[object, object]] = list(value.items())  # pyright: ignore[reportUnknownArgumentType]
        return [path for name, inner in items for path in _paths(inner, str(name))]
    if isinstance(value, list):
        listed: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]
        return [path for inner in listed for path in _paths(inner, key)]
    return []


_PLAIN = re.compile(r"""[A-Za-z0-9 _\-./:,@%+='"]+""")
_NOT_PROGRAMS = frozenset(
    {
        ".", ":", "[", "alias", "bg", "bind", "break", "builtin", "caller", "case", "cd", "command",
        "compgen", "complete", "compopt", "continue", "coproc", "declare", "dirs", "disown", "do", "done",
        "echo", "elif", "else", "enable", "env", "esac", "eval", "exec", "exit", "export", "false", "fc",
        "fg", "fi", "for", "function", "getopts", "hash", "help", "history", "if", "in", "jobs", "kill",
        "let", "local", "logout", "mapfile", "nice", "nohup", "popd", "printf", "pushd", "pwd", "read",
        "readarray", "readonly", "return", "select", "set", "shift", "shopt", "source", "sudo", "suspend",
        "test", "then", "time", "times", "trap", "true", "type", "typeset", "ulimit", "umask", "unalias",
        "unset", "until", "wait", "while", "xargs",
    }
)  # fmt: skip
"""What a shell does itself, and programs whose business is to run another one."""


def plain_words(line: str) -> tuple[str, ...] | None:
    """The words of a line that means the same to every shell: a program and its arguments, nothing else.

    None for a line with any sign that a shell acts on, a word before the program that sets a variable, a
    built-in, or a program that runs others.
    """
    if not _PLAIN.fullmatch(line):
        return None
    try:
        words = tuple(shlex.split(line))
    except ValueError:
        return None
    if not words or not words[0] or "=" in words[0] or words[0].rpartition("/")[2] in _NOT_PROGRAMS:
        return None
    return words


def runs_unasked(line: str, allowed: Sequence[str]) -> bool:
    """Whether the user's own configuration lists this very command line."""
    words = plain_words(line)
    return words is not None and any(words == plain_words(other) for other in allowed)
