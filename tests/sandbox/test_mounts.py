"""What a command sees of the disk, and that neither a workspace nor an earlier command decides about it."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox import mounts
from qwen_lsp.sandbox.command import Cage, Command, Limits
from qwen_lsp.sandbox.toolchains import VARIABLES
from tests.sandbox.places import SECRET, WORKSPACE, Place, lay, sandbox


async def test_the_home_is_empty_private_and_where_it_was(place: Place) -> None:
    done = await place.run('echo "$HOME"; ls -A "$HOME"; echo 1 > ~/kept; ls -A ~')
    assert done.output == f"{place.home}\nkept\n"
    assert (await place.run("ls -A ~ /tmp/qwen* 2>&1 | grep kept")).output == ""
    assert not (place.home / "kept").exists()


async def test_the_environment_is_its_own(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LD_PRELOAD", "/nowhere/evil.so")
    monkeypatch.setenv("GITHUB_TOKEN", SECRET)
    told = (await place.run("env")).output
    names = {line.partition("=")[0] for line in told.splitlines()}
    assert names <= {
        "PATH", "HOME", "LANG", "TERM", "USER", "PWD", "OLDPWD", "SHLVL", "_",
        "GIT_OPTIONAL_LOCKS", "GIT_TERMINAL_PROMPT", "LSAN_OPTIONS", *VARIABLES,
    }  # fmt: skip
    assert SECRET not in told
    assert "TERM=dumb\n" in told


async def test_every_folder_of_path_is_there(place: Place) -> None:
    told = await place.run('IFS=:; for folder in $PATH; do [ -d "$folder" ] || echo "$folder"; done')
    assert told.output == ""


async def test_only_the_copy_and_private_folders_can_be_written(place: Place) -> None:
    looked_at = "/ /dev /proc /etc /usr /usr/bin /tmp /dev/shm ~ ."
    done = await place.run(f'for at in {looked_at}; do [ -w "$at" ] && echo "$at"; done')
    assert done.output.splitlines() == ["/tmp", "/dev/shm", str(place.home), "."]


@pytest.mark.parametrize("name", ["node_modules", "pkg/deep"])
async def test_a_link_of_the_workspace_lends_nothing(place: Place, name: str) -> None:
    """A repository may hold a link to the user's keys in the place of a folder that is lent."""
    at = place.root / name.partition("/")[0]
    moved = at.with_name("moved")
    at.rename(moved)
    at.symlink_to(place.home / ".ssh" if at.name == name else place.home)
    lay(place.home, {"deep/id": SECRET})
    box = Place(place.base, place.root, place.scratch, place.home, place.outside, place.box, lent=(name,))
    done = await box.run(f"cat {name}/* pkg/* 2>&1; ls -la")
    assert SECRET not in done.output


@pytest.mark.parametrize(
    "target", ["/oldroot{home}", "{home}", "../../../../../..{home}", "/newroot/etc", "missing"]
)
@pytest.mark.parametrize("parent", [False, True])
async def test_a_link_in_the_copy_moves_no_mount(place: Place, target: str, parent: bool) -> None:
    """An earlier command may leave a link where something is mounted, or where its folder is."""
    lay(place.root, {"apps/web/node_modules/x.js": "1\n"})
    name = "apps/web/node_modules"
    at = place.scratch / ("apps/web" if parent else name)
    at.parent.mkdir(parents=True)
    at.symlink_to(target.format(home=place.home))
    before = place.untouched()
    lent = Place(place.base, place.root, place.scratch, place.home, place.outside, place.box, lent=(name,))
    with pytest.raises(SandboxFailed, match="is a link in the scratch copy"):
        await lent.run("true")
    assert place.untouched() == before


@pytest.mark.parametrize("name", [".vscode", ".git", ".github", ".npmrc", ".cursor", ".github/workflows"])
@pytest.mark.parametrize("target", ["/oldroot{home}", "{home}", "{outside}/made", "pkg"])
async def test_a_link_in_the_place_of_a_protected_path_writes_nothing_elsewhere(
    place: Place, name: str, target: str
) -> None:
    at = place.scratch / name
    if at.exists():
        at.rename(place.scratch / "was")
    at.symlink_to(target.format(home=place.home, outside=place.outside))
    before = place.untouched()
    own = Place(place.base, place.root, place.scratch, place.home, place.outside, place.box, lent=())
    done = await own.run(f"echo x > {name}/settings.json; echo x >> {name}")
    assert place.untouched() == before
    assert done.ending == "exited"


async def test_protected_files_stay_where_missing_ones_cannot_be_made(place: Place) -> None:
    done = await place.run("mkdir -p .cursor/rules; mkdir -p .claude/x; cat .vscode/settings.json")
    assert done.output.count("Read-only file system") == 2
    assert done.output.endswith("{}\n")
    assert place.in_scratch(".github/workflows/ci.yml") == WORKSPACE[".github/workflows/ci.yml"]


async def test_the_rest_of_a_folder_that_holds_workflows_can_be_written(place: Place) -> None:
    done = await place.run("echo more >> .github/ISSUE.md && mv .github/ISSUE.md .github/OTHER.md")
    assert done.status == 0
    assert place.in_scratch(".github/OTHER.md") == "Say what happened.\nmore\n"


async def test_renames_between_folders_of_the_copy_are_as_on_one_disk(place: Place) -> None:
    """Programs write beside and rename over; a mount for each folder would break that."""
    done = await place.run(
        "python3 -c \"import os; os.rename('main.py', 'pkg/main.py'); os.link('pkg/util.py', 'u')\""
    )
    assert done.status == 0, done.output
    assert place.in_scratch("pkg/main.py") == "print('hello')\n"


def test_what_not_everyone_may_read_is_hidden(tmp_path: Path) -> None:
    lay(tmp_path, {
        "hosts": "1", "shadow": "1", "ssh/ssh_host_rsa_key": "1", "ssh/ssh_config": "1",
        "app/secret.conf": "1", "app/open.conf": "1", "closed/inner/x": "1", "sudoers.d/me": "1",
        "krb5.keytab": "1", "ssl/certs/ca.pem": "1", "ssl/private/h.pem": "1", "x/y.key": "1",
    })  # fmt: skip
    (tmp_path / "app/secret.conf").chmod(0o640)
    (tmp_path / "closed").chmod(0o750)
    (tmp_path / "link").symlink_to("shadow")
    hidden = {path.relative_to(tmp_path).as_posix() for path in mounts.secrets(tmp_path)}
    assert hidden == {
        "shadow", "ssh/ssh_host_rsa_key", "app/secret.conf", "closed", "sudoers.d", "krb5.keytab",
        "ssl/private", "x/y.key",
    }  # fmt: skip


async def test_the_systems_own_secrets_are_empty(place: Place) -> None:
    hidden = [path for path in mounts.secrets() if path.is_file()]
    line = "; ".join(f"cat '{path}' 2>/dev/null" for path in hidden)
    assert (await place.run(line)).output == ""


async def test_folders_of_the_users_choice_are_shown(tmp_path: Path, place: Place) -> None:
    lay(tmp_path, {"data/table.csv": "1,2\n"})
    box = sandbox(place.root, read_only=(tmp_path / "data",))
    shown = Place(place.base, place.root, place.scratch, place.home, place.outside, box)
    done = await shown.run(f"cat {tmp_path}/data/table.csv; echo x > {tmp_path}/data/new")
    assert done.output.startswith("1,2\n")
    assert "Read-only file system" in done.output


@pytest.mark.parametrize("lent", ["home", "base"])
async def test_the_home_is_never_lent_as_a_whole(place: Place, lent: str) -> None:
    whole = place.home if lent == "home" else place.home.parent
    cage = Cage(place.root, place.scratch, (whole,))
    done = await place.box.run(cage, Command("grep -rs planted ~ | head -3"), Limits(seconds=20))
    assert SECRET not in done.output


def test_a_home_that_cannot_be_used_is_in_the_temporary_folder() -> None:
    root = Path("/srv/project")
    for home in (Path("/"), Path("relative"), Path("/usr/lib/x"), Path("/proc/x"), root, root / "sub"):
        assert mounts.Home.around(root, home).home == Path("/tmp/home")
    assert mounts.Home.around(root, Path("/home/me")).home == Path("/home/me")


def test_the_system_is_never_the_workspace(tmp_path: Path) -> None:
    for root in ("/", "/usr", "/etc", "/dev"):
        with pytest.raises(SandboxFailed, match="holds the system"):
            mounts.workspace(Cage(Path(root), tmp_path), (), Path("/home/me"))


async def test_no_descriptor_of_this_process_is_inherited(place: Place, tmp_path: Path) -> None:
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)
        done = await place.run("ls /proc/self/fd /proc/$$/fd /proc/1/fd")
    shown = {word for word in done.output.split() if word.isdigit()}
    # 3 is the folder that is listed; 4 is what bubblewrap's own processes tell each other the status by.
    assert shown <= {"0", "1", "2", "3", "4"}


def test_sockets_are_found_under_whatever_name_they_were_given(tmp_path: Path) -> None:
    root = tmp_path / "w"
    lay(root, {".git/HEAD": "1", "lent/sub/x": "1", "other/x": "1"})
    (tmp_path / "alias").symlink_to(root / "lent")
    where = [".git/fsmonitor--daemon.ipc", "lent/a", "lent/sub/b", "other/c", "lent/d"]
    for name in where:
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(root / name))
    named = [f"{root}/lent/a", "sub/b", "lent/d", f"{root}/other/c", "@abstract", f"{root}/lent/sub/x", ""]
    table = tmp_path / "unix"
    lines = [f"0: 00000002 00000000 00010000 0001 01 {n} {name}\n" for n, name in enumerate(named)]
    table.write_text("Num RefCount Protocol Flags Type St Inode Path\n" + "".join(lines), "utf-8")
    shown = [root / ".git", root / "lent", tmp_path / "alias"]
    found = {path.relative_to(tmp_path).as_posix() for path in mounts.sockets(shown, root, table)}
    assert found == {"w/.git/fsmonitor--daemon.ipc", "w/lent/a", "w/lent/sub/b", "w/lent/d",
                     "alias/a", "alias/sub/b", "alias/d"}  # fmt: skip
    assert mounts.sockets(shown, root, tmp_path / "none") == set()
