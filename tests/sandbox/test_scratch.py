"""The scratch copy: what is in it, what of a command's changes comes back, and what never does."""

from __future__ import annotations

import asyncio
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.sandbox.command import Command, Limits
from qwen_lsp.sandbox.place import Place
from qwen_lsp.sandbox.scratch import Ran, Scratch
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import indexed_workspace
from tests.support.shell import PlainShell

FILES = """
#- app/main.py
print("hello")
#- app/util.py
def helper():
    return 1
#- README.md
# An app
"""


@dataclass
class Bench:
    """A workspace on disk, its scratch copy, and a shell in it."""

    root: Path
    snapshot: Snapshot
    scratch: Scratch
    shell: PlainShell

    async def run(self, line: str, fork: Snapshot | None = None, seconds: float = 60) -> Ran:
        return await self.scratch.run(fork or self.snapshot, Command(line), Limits(seconds))

    async def changes(self, line: str, fork: Snapshot | None = None) -> dict[str, str | None]:
        """What a command changed, as path and text after."""
        fork = fork or self.snapshot
        ran = await self.run(line, fork)
        assert ran.exit.status == 0, ran.exit.output
        edits = ran.fork.changes_since(fork)
        texts: dict[str, str | None] = {edit.moved_from: None for edit in edits if edit.moved_from}
        texts.update({edit.path: edit.after for edit in edits})
        assert sorted(texts) == sorted(ran.changed)
        return texts


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Opening]:
    made = Opening(tmp_path)
    yield made
    await made.close()


@dataclass
class Opening:
    """Opens a bench over files, once they are as the test wants them."""

    folder: Path
    benches: list[Bench] = field(default_factory=list[Bench])

    @property
    def root(self) -> Path:
        return self.folder / "workspace"

    @property
    def place(self) -> Path:
        return self.folder / "cache" / "scratch"

    async def open(self, prepare: Callable[[Path], object] = lambda root: None, files: str = FILES) -> Bench:
        self.root.mkdir()
        prepare(self.root)
        made = await indexed_workspace(files, self.root)
        shell = PlainShell()
        scratch = Scratch.at(self.root, shell, allowed=Gate(self.root).withholds, place=self.place)
        self.benches.append(Bench(self.root, made.snapshot, scratch, shell))
        return self.benches[-1]

    async def close(self) -> None:
        for each in self.benches:
            await each.scratch.__aexit__(None, None, None)


def put(path: str, content: str | bytes = "x\n", mode: int | None = None) -> Callable[[Path], object]:
    def prepare(root: Path) -> None:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content if isinstance(content, bytes) else content.encode())
        if mode is not None:
            (root / path).chmod(mode)

    return prepare


def several(*steps: Callable[[Path], object]) -> Callable[[Path], object]:
    def prepare(root: Path) -> None:
        for step in steps:
            step(root)

    return prepare


def repository(root: Path) -> None:
    subprocess.run(["git", "init", "-q"], cwd=root, check=True)


async def test_a_command_sees_the_files_of_the_workspace(bench: Opening) -> None:
    at = await bench.open(put("logo.png", b"\x89PNG\0", 0o640))

    ran = await at.run("find . -type f | sort; stat -c %a logo.png; cat app/main.py")

    assert ran.exit.output.split() == [
        "./README.md", "./app/main.py", "./app/util.py", "./logo.png", "640", 'print("hello")',
    ]  # fmt: skip
    assert ran.changed == ran.left_out == ()


async def test_nothing_is_copied_before_the_first_command(bench: Opening) -> None:
    at = await bench.open()
    assert not bench.place.exists()

    await at.run("true")
    (folder,) = [path for path in bench.place.iterdir() if path.is_dir()]
    assert stat.S_IMODE(folder.stat().st_mode) == stat.S_IMODE(bench.place.stat().st_mode) == 0o700

    await at.scratch.__aexit__(None, None, None)
    assert list(bench.place.iterdir()) == []


async def test_changes_of_a_command_come_into_the_fork_and_nowhere_else(bench: Opening) -> None:
    at = await bench.open()

    changes = await at.changes(
        "echo 'print(2)' > app/main.py; rm README.md; mv app/util.py tool.py;"
        "mkdir docs; echo '# Docs' > docs/index.md"
    )

    assert changes == {
        "README.md": None,
        "app/main.py": "print(2)\n",
        "app/util.py": None,
        "docs/index.md": "# Docs\n",
        "tool.py": "def helper():\n    return 1\n",
    }
    assert sorted(p.name for p in at.root.rglob("*") if p.is_file()) == ["README.md", "main.py", "util.py"]
    assert (at.root / "app/main.py").read_text() == 'print("hello")\n'


async def test_a_write_in_place_does_not_reach_the_users_file(bench: Opening) -> None:
    at = await bench.open(put("data.bin", b"\0one"))

    await at.run("printf two | dd of=data.bin bs=1 conv=notrunc status=none; echo more >> app/main.py")

    assert (at.root / "data.bin").read_bytes() == b"\0one"
    assert (at.root / "app/main.py").read_text() == 'print("hello")\n'


async def test_edits_of_the_fork_are_there_for_a_command(bench: Opening) -> None:
    at = await bench.open()
    fork = at.snapshot.edited(RelPath("app/main.py"), "edited\n").edited(RelPath("README.md"), None)
    fork = fork.edited(RelPath("new/deep/file.txt"), "made\n")

    ran = await at.run("cat app/main.py new/deep/file.txt; ls", fork)
    assert ran.exit.output.split() == ["edited", "made", "app", "new"]
    assert ran.fork is fork

    back = await at.run("cat app/main.py; ls; ls new 2>/dev/null", at.snapshot)
    assert back.exit.output.split() == ['print("hello")', "README.md", "app", "new", "deep"]


async def test_a_later_command_sees_what_the_one_before_did(bench: Opening) -> None:
    at = await bench.open()
    first = await at.run("echo one > app/main.py")
    second = await at.run("cat app/main.py; echo two >> app/main.py", first.fork)

    assert second.exit.output == "one\n"
    assert second.fork.text(RelPath("app/main.py")) == "one\ntwo\n"


async def test_a_fork_that_is_given_up_leaves_nothing_in_the_copy(bench: Opening) -> None:
    at = await bench.open()
    await at.run("echo changed > app/main.py; echo new > stray.py; rm README.md")

    ran = await at.run("cat app/main.py; ls", at.snapshot)

    assert ran.exit.output.split() == ['print("hello")', "README.md", "app"]


async def test_a_file_keeps_its_encoding_its_mark_and_its_rights(bench: Opening) -> None:
    latin, wide = "naïve = 'é'\n".encode("latin-1"), "\ufeffeins\r\n".encode("utf-16-le")
    at = await bench.open(several(put("old.py", latin, 0o755), put("wide.txt", wide)))
    fork = at.snapshot.edited(RelPath("old.py"), "naïve = 'è'\n").edited(RelPath("wide.txt"), "zwei\r\n")

    ran = await at.run("od -An -c old.py | tr -s ' '; od -An -tx1 wide.txt; stat -c %a old.py", fork)

    octal, hexadecimal, rights = ran.exit.output.splitlines()
    assert "n a 357 v e" in octal and "350" in octal
    assert hexadecimal.replace(" ", "") == "fffe7a0077006500690" + "00d000a00"
    assert rights == "755"

    changes = await at.changes(r"printf 'na\357ve = 1\n' > old.py", fork)
    assert changes == {"old.py": "naïve = 1\n"}


async def test_a_text_that_its_file_cannot_hold_runs_nothing(bench: Opening) -> None:
    at = await bench.open(put("old.py", "é = 1\n".encode("latin-1")))
    with pytest.raises(WorkspaceError, match=r"old\.py: the file is in cp1252, which has no"):
        await at.run("true", at.snapshot.edited(RelPath("old.py"), "漢 = 1\n"))
    assert at.shell.lines == []


@pytest.mark.parametrize(
    ("line", "path", "reason"),
    [
        (r"printf 'a\0b' > blob.dat", "blob.dat", "binary"),
        ("echo x > logo.png", "logo.png", "binary"),
        ("head -c 9000000 /dev/zero | tr '\\0' a > big.txt", "big.txt", "too large"),
        (r"printf 'caf\351\n' > cafe.txt", "cafe.txt", "not UTF-8"),
        (r"printf 'caf\351\n' > app/main.py", "app/main.py", "its encoding was changed"),
        (r"printf '\0' > app/main.py", "app/main.py", "binary"),
        ("ln -s /etc/passwd notes.txt", "notes.txt", "link"),
        ("rm README.md; ln -s /etc/hostname README.md", "README.md", "link"),
        ("mkfifo pipe.py", "pipe.py", "not a regular file"),
        ("echo KEY=1 > .env", ".env", "environment file"),
        ("mkdir .vscode; echo {} > .vscode/settings.json", ".vscode/settings.json", ".vscode holds settings"),
        ("git init -q .", ".git", "repositories are not made by commands"),
        ("mkdir -p .circleci; echo x > .circleci/a.yml", ".circleci/a.yml", "runs in continuous integration"),
        ("touch \"$(printf 'a\\nb.py')\"", "a\nb.py", "a name that cannot be shown"),
    ],
)  # fmt: skip
async def test_what_is_not_taken_is_said(bench: Opening, line: str, path: str, reason: str) -> None:
    at = await bench.open()

    ran = await at.run(line)

    assert ran.exit.status == 0, ran.exit.output
    assert [p for p, _ in ran.left_out] == [path]
    assert reason in ran.left_out[0][1]
    assert ran.changed == ()
    assert ran.fork.changes_since(at.snapshot) == []
    again = await at.run("true", ran.fork)
    assert again.left_out == ()


async def test_what_is_protected_is_put_right_in_the_copy(bench: Opening) -> None:
    at = await bench.open(put(".vscode/tasks.json", "{}\n"))
    await at.run(
        "echo [] > .vscode/tasks.json; touch .vscode/new.json; git init -q .; mkdir .husky; touch .husky/x"
    )

    ran = await at.run("find . -type f | sort; cat .vscode/tasks.json")

    assert ran.exit.output.split() == [
        "./.vscode/tasks.json", "./README.md", "./app/main.py", "./app/util.py", "{}",
    ]  # fmt: skip


async def test_a_secret_of_the_workspace_is_not_there(bench: Opening) -> None:
    at = await bench.open(
        several(
            put(".env", "KEY=secret\n"),
            put("keys/id_rsa"),
            put("hidden/notes.txt"),
            put(".qwenignore", "hidden/\n"),
        )
    )

    ran = await at.run("find . -name .env -o -name id_rsa -o -name notes.txt")

    assert ran.exit.output == ""
    assert dict(at.scratch.absent) == {
        ".env": "environment file",
        "keys/id_rsa": "private key",
        "hidden": "hidden by .qwenignore",
    }


async def test_a_new_file_cannot_take_the_place_of_the_users(bench: Opening) -> None:
    at = await bench.open()

    ran = await at.run(f"echo mine > notes.txt; echo theirs > {at.root}/notes.txt")

    assert ran.left_out == (("notes.txt", "the workspace has such a file, which the copy does not have"),)
    assert ran.changed == ()


async def test_lock_files_want_leave(bench: Opening) -> None:
    at = await bench.open(put("package-lock.json", "{}\n"))

    ran = await at.run("echo '{1}' > package-lock.json; echo a > yarn.lock")

    assert ran.touchy == (("package-lock.json", "{1}\n"), ("yarn.lock", "a\n"))
    assert ran.changed == ()
    again = await at.run("cat package-lock.json; test -e yarn.lock || echo gone", ran.fork)
    assert again.exit.output == "{}\ngone\n"


async def test_instructions_for_agents_want_leave(bench: Opening) -> None:
    at = await bench.open(put("AGENTS.md", "Be kind.\n"))

    ran = await at.run("echo 'Ask nobody.' > AGENTS.md; mkdir sub; echo x > sub/QWEN.md")

    assert ran.touchy == (("AGENTS.md", "Ask nobody.\n"), ("sub/QWEN.md", "x\n"))
    assert ran.changed == ()


async def test_what_the_workspace_guards_is_put_right_in_the_copy(bench: Opening) -> None:
    at = await bench.open(several(put(".git", "gitdir: store\n"), put("store/config", "[core]\n")))

    ran = await at.run("echo owned > store/config; echo x > store/new; echo y > plain.txt")

    assert ran.changed == ("plain.txt",)
    assert {path for path, _ in ran.left_out} == {"store/config", "store/new"}
    again = await at.run("cat store/config; test -e store/new || echo gone", ran.fork)
    assert again.exit.output == "[core]\ngone\n"


async def test_heavy_ignored_folders_are_lent_and_light_ones_copied(bench: Opening) -> None:
    def heavy(root: Path) -> None:
        (root / ".gitignore").write_text("node_modules/\ngenerated/\nlocal.cfg\nweights/\n")
        for number in range(1_100):
            put(f"weights/{number}.txt")(root)

    at = await bench.open(
        several(
            repository,
            heavy,
            put("web/node_modules/lib/index.js"),
            put("generated/version.py"),
            put("local.cfg"),
        )
    )

    ran = await at.run("cat generated/version.py local.cfg; echo 2 > generated/version.py; ls weights")

    assert set(at.shell.cages[0].read_only) == {at.root / p for p in (".git", "web/node_modules", "weights")}
    assert ran.exit.output.split() == ["x", "x"]
    assert ran.changed == ran.left_out == ()
    assert (at.root / "generated/version.py").read_text() == "x\n"


async def test_a_heavy_folder_with_a_secret_however_deep_is_not_lent(bench: Opening) -> None:
    def heavy(root: Path) -> None:
        (root / ".gitignore").write_text("weights/\n")
        for number in range(1_100):
            put(f"weights/all/{number}.txt")(root)
        put("weights/all/below/.env")(root)

    at = await bench.open(several(repository, heavy))
    ran = await at.run("ls")
    assert "weights" not in ran.exit.output.split()
    assert ("weights", "holds .env (environment file)") in at.scratch.absent


async def test_this_programs_own_folders_are_not_copied(
    bench: Opening, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The workspace may be HOME: there are the key of the model and the records of other runs."""
    at = await bench.open(several(put("config/qwen-lsp/config.toml"), put("config/other/config.toml")))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(at.root / "config"))
    assert (await at.run("cd config; ls")).exit.output.split() == ["other"]
    assert ("config/qwen-lsp", "this program's own") in at.scratch.absent


@pytest.mark.parametrize(("said", "is_lent"), [("../workspace", True), ("../another", False), (None, False)])
async def test_the_repository_of_a_submodule_is_lent_where_it_knows_of_it(
    bench: Opening, said: str | None, is_lent: bool
) -> None:
    def submodule(root: Path) -> None:
        (root / ".git").write_text("gitdir: ../store\n")
        put("HEAD")(root.parent / "store")
        (root.parent / "store/config").write_text(f"[core]\n\tworktree = {said}\n" if said else "[core]\n")

    at = await bench.open(submodule)
    await at.run("true")
    assert (at.root.parent / "store" in at.shell.cages[0].read_only) is is_lent
    assert [path for path, _ in at.scratch.absent] == ([] if is_lent else [".git"])


async def test_a_file_that_git_ignores_is_not_taken(bench: Opening) -> None:
    at = await bench.open(put(".gitignore", "out/\n*.log\n"))

    changes = await at.changes(
        "mkdir out; for name in out/a a.log b.txt c.txt; do echo x > $name; done; echo c.txt >> .gitignore"
    )

    assert sorted(changes.keys() - {".gitignore"}) == ["b.txt"]


async def test_a_cancelled_command_changes_nothing(bench: Opening, tmp_path: Path) -> None:
    at = await bench.open()
    started = asyncio.Event()
    command = Command("echo torn > app/main.py; echo started; sleep 60; echo late > late.py")
    running = asyncio.create_task(at.scratch.run(at.snapshot, command, Limits(), lambda text: started.set()))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    ran = await at.run("cat app/main.py; ls")

    assert ran.exit.output.split() == ['print("hello")', "README.md", "app"]
    assert ran.fork is at.snapshot


async def test_a_command_that_is_stopped_changes_nothing(bench: Opening) -> None:
    at = await bench.open()

    ran = await at.run("echo torn > app/main.py; sleep 60", seconds=0.2)

    assert (ran.exit.ending, ran.changed) == ("time", ())
    assert ran.left_out == ((".", "the command was stopped, so nothing it changed was taken"),)
    assert (await at.run("cat app/main.py")).exit.output == 'print("hello")\n'


async def test_commands_run_one_at_a_time(bench: Opening) -> None:
    at = await bench.open()
    line = "test ! -e busy && mkdir busy && sleep 0.05 && rmdir busy"

    done = await asyncio.gather(*(at.run(line) for _ in range(4)))

    assert [ran.exit.status for ran in done] == [0, 0, 0, 0]


async def test_what_the_user_writes_meanwhile_is_not_lost(bench: Opening) -> None:
    at = await bench.open()
    await at.run("true")
    (at.root / "app/main.py").write_text("the user's\n")

    seen = await at.run("cat app/main.py")
    assert seen.exit.output == "the user's\n"

    command = f"echo formatted > app/main.py; echo again > {at.root}/app/main.py"
    ran = await at.run(command)
    said = "it changed in the workspace at the same time; run the command again"
    assert ran.left_out == (("app/main.py", said),)
    assert ran.changed == ()
    assert (await at.run("cat app/main.py")).exit.output == "again\n"


async def test_a_link_in_place_of_a_folder_is_not_followed(bench: Opening, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "main.py").write_text("secret\n")
    (elsewhere / "other.py").write_text("secret\n")
    at = await bench.open()

    ran = await at.run(f"mv app app2; ln -s {elsewhere} app")

    assert sorted(ran.changed) == ["app2/main.py", "app2/util.py"]
    assert dict(ran.left_out) == {
        "app": "link",
        "app/main.py": "its folder was replaced by something else",
        "app/util.py": "its folder was replaced by something else",
    }
    assert not any("secret" in (edit.after or "") for edit in ran.fork.changes_since(at.snapshot))

    fork = ran.fork.edited(RelPath("app/main.py"), "mine\n")
    again = await at.run("cat app/main.py app/util.py; test ! -L app && echo folder", fork)
    assert again.exit.output == "mine\ndef helper():\n    return 1\nfolder\n"
    assert (elsewhere / "main.py").read_text() == "secret\n"


async def test_a_folder_is_not_lent_through_a_link(bench: Opening, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    at = await bench.open(
        several(put(".gitignore", "node_modules\n"), put("web/node_modules/a.js"), put("web/x.js"))
    )

    await at.run(f"mv web web2; ln -s {elsewhere} web")
    await at.run("true", at.snapshot.edited(RelPath("web/x.js"), None))

    assert at.shell.cages[0].read_only == (at.root / "web/node_modules",)
    assert list(elsewhere.iterdir()) == []


async def test_too_many_changes_are_not_taken_in_part(bench: Opening) -> None:
    at = await bench.open()

    ran = await at.run("i=0; while [ $i -lt 2100 ]; do echo $i > $i.txt; i=$((i+1)); done; rm README.md")

    assert ran.changed == ()
    assert ran.left_out == ((".", "it changed too many files at once; none of them was taken"),)
    assert (await at.run("ls", ran.fork)).exit.output.split() == ["README.md", "app"]


async def test_links_are_copied_where_they_stay_inside(bench: Opening) -> None:
    def links(root: Path) -> None:
        (root / "inside.md").symlink_to("README.md")
        (root / "outside.md").symlink_to("/etc/passwd")
        (root / "up.md").symlink_to("../x")

    at = await bench.open(links)

    ran = await at.run("cat inside.md; ls -1 *.md")

    assert ran.exit.output.split() == ["#", "An", "app", "README.md", "inside.md"]
    assert sorted(at.scratch.absent) == [
        ("outside.md", "link out of the workspace"),
        ("up.md", "link out of the workspace"),
    ]
    assert ran.left_out == ()


_DIES = """
import os, sys
from pathlib import Path
from qwen_lsp.sandbox.place import Place
place = Place.new(Path(sys.argv[1]))
(place.folder / "x").mkdir(mode=0)
print(place.folder, flush=True)
os.chdir(place.folder)
for _ in range(2_000):
    os.mkdir("deep")
    os.chdir("deep")
open("file", "w").close()
os._exit(1)
"""


def test_copies_of_dead_processes_are_removed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _DIES, str(tmp_path / "scratch")]
    made = subprocess.run(command, capture_output=True, text=True, check=False)
    left = Path(made.stdout.strip())
    assert left.is_dir(), made.stderr

    place = Place.new(tmp_path / "scratch")

    assert not left.exists()
    place.release()
    assert list((tmp_path / "scratch").iterdir()) == []


async def test_a_folder_of_any_depth_in_the_place_of_a_file_is_removed(bench: Opening) -> None:
    at = await bench.open()
    deeper = "n=0; while [ $n -lt 1500 ]; do mkdir d && cd d; n=$((n + 1)); done"
    ran = await at.run(f"rm README.md; mkdir README.md; cd README.md; {deeper}")
    fork = at.snapshot.edited(RelPath("README.md"), "# Anew\n")
    again = await at.scratch.run(fork, Command("cat README.md"))
    assert (ran.changed, again.exit.output) == (("README.md",), "# Anew\n")


async def test_the_copy_of_another_living_run_is_kept(bench: Opening) -> None:
    at = await bench.open()
    await at.run("true")
    other = Scratch.at(at.root, at.shell, allowed=lambda path: None, place=bench.place)
    async with other:
        await other.run(at.snapshot, Command("true"))
        assert (await at.run("cat README.md")).exit.output == "# An app\n"
    assert (await at.run("cat README.md")).exit.output == "# An app\n"


async def test_a_python_environment_kept_elsewhere_is_lent(bench: Opening, tmp_path: Path) -> None:
    def link(root: Path) -> None:
        (tmp_path / "venv").mkdir()
        (tmp_path / "venv/pyvenv.cfg").write_text("home = /nowhere/bin\n")
        (tmp_path / "secrets").mkdir()
        (root / ".gitignore").write_text(".venv\nvenv\n")
        (root / ".venv").symlink_to(tmp_path / "venv")
        (root / "venv").symlink_to(tmp_path / "secrets")

    at = await bench.open(link)
    await at.run("true")

    assert at.shell.cages[0].read_only == (tmp_path / "venv",)


async def test_the_right_to_be_run_comes_back_and_is_kept(bench: Opening) -> None:
    at = await bench.open(several(put("run.sh", "echo ran\n", 0o755), put("plain.sh", "echo ran\n", 0o640)))

    ran = await at.run("chmod -x run.sh; chmod +x plain.sh; printf 'echo new' > new.sh; chmod 755 new.sh")

    edits = {edit.path: (edit.after, edit.executable) for edit in ran.fork.changes_since(at.snapshot)}
    assert edits == {
        "new.sh": ("echo new", True),
        "plain.sh": ("echo ran\n", True),
        "run.sh": ("echo ran\n", False),
    }
    assert sorted(ran.changed) == sorted(edits)

    rights = "stat -c %a plain.sh run.sh; test -x new.sh && echo new"
    assert (await at.run(rights, at.snapshot)).exit.output.split() == ["640", "755"]
    assert (await at.run(rights, ran.fork)).exit.output.split() == ["750", "644", "new"]
    edited = ran.fork.edited(RelPath("plain.sh"), "echo other\n")
    assert (await at.run(f"{rights}; ./plain.sh", edited)).exit.output.split() == [
        "750",
        "644",
        "new",
        "other",
    ]


async def test_a_file_that_is_only_touched_is_not_changed(bench: Opening) -> None:
    at = await bench.open(put("logo.png", b"\x89PNG\0"))

    ran = await at.run("touch logo.png app/main.py; cp app/util.py x; cp x app/util.py; rm x")

    assert ran.changed == ran.left_out == ()
    assert ran.fork is at.snapshot


@pytest.mark.parametrize("ticks", [0, 1, 2, 5])
async def test_cancelling_while_the_copy_is_made_leaves_it_to_the_next_command(
    bench: Opening, ticks: int
) -> None:
    at = await bench.open()
    running = asyncio.create_task(at.run("true"))
    for _ in range(ticks):
        await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert (await at.run("cat README.md")).exit.output == "# An app\n"


async def test_a_folder_that_may_not_be_looked_into_is_not_taken_for_a_deleted_one(bench: Opening) -> None:
    at = await bench.open()

    ran = await at.run("echo new > app/new.py; chmod 000 app; chmod 000 .")

    assert ran.changed == ("app/new.py",)
    assert (await at.run("cat app/new.py README.md", ran.fork)).exit.output == "new\n# An app\n"


async def test_a_tree_that_is_too_deep_is_neither_copied_nor_lost(bench: Opening) -> None:
    deep = "/".join(["d"] * 100)
    at = await bench.open(put(f"{deep}/x.py"))

    ran = await at.run(f"mkdir -p new/{deep}; echo x > new/{deep}/y.py")

    assert ran.changed == ran.left_out == ()
    assert [reason for _, reason in at.scratch.absent] == ["too deep"]


async def test_a_hard_link_in_the_copy_is_a_file_of_its_own(bench: Opening) -> None:
    at = await bench.open()
    ran = await at.run("ln app/main.py twin.py")
    fork = ran.fork.edited(RelPath("app/main.py"), "other\n")

    assert ran.changed == ("twin.py",)
    assert (await at.run("cat app/main.py twin.py", fork)).exit.output == 'other\nprint("hello")\n'
