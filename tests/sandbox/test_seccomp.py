"""The filter of system calls, run here as the kernel runs it, for both kinds of machine."""

from __future__ import annotations

import re
import struct
from pathlib import Path

import pytest

from qwen_lsp.sandbox.seccomp import MACHINES, program

ALLOWED, KILLED = 0x7FFF_0000, 0x8000_0000
EPERM, EINVAL, ENOSYS, EAFNOSUPPORT = (0x0005_0000 | number for number in (1, 22, 38, 97))
X86, ARM = "x86_64", "aarch64"
HEADERS = {
    X86: Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
    ARM: Path("/usr/include/asm-generic/unistd.h"),
}
REFUSED = {
    "ptrace", "process_vm_readv", "process_vm_writev", "pidfd_getfd", "kcmp", "bpf", "perf_event_open",
    "userfaultfd", "keyctl", "add_key", "request_key", "kexec_load", "kexec_file_load", "init_module",
    "finit_module", "delete_module", "mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "unshare", "setns", "open_by_handle_at",
    "fanotify_init", "memfd_secret", "reboot", "swapon", "swapoff", "acct", "quotactl", "quotactl_fd",
    "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname", "setdomainname",
    "nfsservctl", "lookup_dcookie",
}  # fmt: skip
ONLY_X86 = {"iopl", "ioperm", "uselib", "create_module"}
ABSENT = {"io_uring_setup", "io_uring_enter", "io_uring_register", "clone3"}
USED = ("read", "write", "openat", "execve", "mmap", "futex", "exit_group", "memfd_create", "prctl", "kill")


def decided(filtering: bytes, architecture: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What the filter returns for a call: the part of the BPF machine that seccomp(2) has."""
    data = struct.pack("=iIQ6Q", number, architecture, 0, *(*arguments, *[0] * (6 - len(arguments))))
    lines = list(struct.iter_unpack("=HBBI", filtering))
    register = at = 0
    while True:
        code, if_true, if_false, value = lines[at]
        at += 1
        if code == 0x20:
            register = struct.unpack_from("=I", data, value)[0]
        elif code == 0x06:
            return value
        else:
            holds = {
                0x15: register == value, 0x25: register > value,
                0x35: register >= value, 0x45: bool(register & value),
            }[code]  # fmt: skip
            at += if_true if holds else if_false


def call(machine: str, number: int, *arguments: int, unix_sockets: bool = True) -> int:
    filtering = program(machine, unix_sockets=unix_sockets)
    return decided(filtering, MACHINES[machine].architecture, number, arguments)


def numbers(machine: str) -> dict[str, int]:
    """The kernel's own table, as its headers have it on this machine."""
    header = HEADERS[machine]
    if not header.is_file():
        pytest.skip(f"{header} is not installed")
    lines = re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text("ascii"))
    return {name: int(number) for name, number in lines}


@pytest.mark.parametrize("machine", MACHINES)
def test_each_call_is_decided_by_its_number_in_the_kernels_table(machine: str) -> None:
    table = numbers(machine)
    refused = REFUSED | ONLY_X86 if machine == X86 else REFUSED
    assert {n for n in refused if call(machine, table[n]) != EPERM} == set()
    assert {n for n in ABSENT if call(machine, table[n]) != ENOSYS} == set()
    others = set(table) - refused - ABSENT - {"socket", "syscalls"}
    shut = {name for name in others if call(machine, table[name]) != ALLOWED}
    assert shut <= {"open_tree_attr"}
    assert others.issuperset(USED)


@pytest.mark.parametrize("machine", MACHINES)
def test_a_call_for_another_architecture_ends_the_program(machine: str) -> None:
    filtering = program(machine, unix_sockets=True)
    i386 = 0x4000_0003
    assert decided(filtering, i386, 20) == KILLED
    other = ARM if machine == X86 else X86
    assert decided(filtering, MACHINES[other].architecture, 0) == KILLED


def test_numbers_of_the_x32_kind_end_the_program() -> None:
    assert call(X86, 0x4000_0000 | 39) == KILLED
    assert call(X86, 39) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_new_namespaces_are_refused_and_threads_are_not(machine: str) -> None:
    clone = MACHINES[machine].clone
    for flag in (0x20000, 0x2000000, 0x4000000, 0x8000000, 0x10000000, 0x20000000, 0x40000000):
        assert call(machine, clone, flag | 17) == EPERM
    thread = 0x3D0F00  # CLONE_VM, FS, FILES, SIGHAND, THREAD, SYSVSEM, SETTLS and the TIDs
    assert call(machine, clone, thread) == ALLOWED
    assert call(machine, clone, 17) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_only_what_types_into_a_terminal_is_refused_of_ioctl(machine: str) -> None:
    ioctl = MACHINES[machine].ioctl
    assert call(machine, ioctl, 0, 0x5412) == EPERM
    assert call(machine, ioctl, 0, 0x541C) == EPERM
    assert call(machine, ioctl, 0, 0xFFFF_FFFF_0000_5412) == EPERM  # the kernel reads the lower half
    assert call(machine, ioctl, 0, 0x5413) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_sockets_are_those_of_the_network_namespace(machine: str) -> None:
    socket = MACHINES[machine].socket
    families = {family: call(machine, socket, family, 1, 0) for family in range(50)}
    assert {family for family, action in families.items() if action == ALLOWED} == {1, 2, 10, 16}
    assert families[40] == EAFNOSUPPORT
    assert call(machine, socket, 1, 1, 0, unix_sockets=False) == EAFNOSUPPORT
    assert call(machine, socket, 2, 1, 0, unix_sockets=False) == ALLOWED


@pytest.mark.parametrize("machine", MACHINES)
def test_segments_of_shared_memory_are_small(machine: str) -> None:
    shmget = MACHINES[machine].shmget
    assert call(machine, shmget, 0, 4096, 0) == ALLOWED
    assert call(machine, shmget, 0, 1 << 20, 0) == ALLOWED
    assert call(machine, shmget, 0, (1 << 20) + 1, 0) == EINVAL
    assert call(machine, shmget, 0, 1 << 32, 0) == EINVAL


def test_an_unknown_machine_has_none() -> None:
    with pytest.raises(KeyError):
        program("riscv64", unix_sockets=True)
