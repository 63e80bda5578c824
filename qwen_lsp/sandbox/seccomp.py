"""The filter of system calls under which every sandboxed program runs, as the kernel reads it.

Classic BPF over `struct seccomp_data` (linux/filter.h, linux/seccomp.h, seccomp(2)): the numbers below are
those of the kernel's own tables (asm/unistd_64.h, asm-generic/unistd.h). What is refused is what reaches past
namespaces and mounts: kernel interfaces with a history of holes, other programs' memory, new namespaces, and
what a terminal would take for typed text. A call made for another architecture ends the program, because its
numbers mean something else.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_LOAD, _IF_EQUAL, _IF_AT_LEAST, _IF_ABOVE, _IF_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x25, 0x45, 0x06
_ALLOW, _KILL, _ERROR = 0x7FFF_0000, 0x8000_0000, 0x0005_0000
_EPERM, _EINVAL, _ENOSYS, _EAFNOSUPPORT = 1, 22, 38, 97
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
"""Offsets in `struct seccomp_data`; arguments are 8 bytes each, the lower half first on both machines."""

_X32 = 0x4000_0000
_NEW_NAMESPACES = 0x7E02_0000
"""CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and NEWNET."""
_TERMINAL_INPUT = (0x5412, 0x541C)
"""TIOCSTI and TIOCLINUX: what they put into a terminal, its shell would run."""
_UNIX, _FAMILIES = 1, (2, 10, 16)
"""AF_UNIX; AF_INET, AF_INET6, AF_NETLINK. Not AF_VSOCK: no network namespace keeps it from the host."""
_LARGEST_SEGMENT = 1 << 20
"""Bytes of one System V segment: it is memory that no process has to show as its own."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What differs between machines: how it is called in the data, and the numbers of calls."""

    architecture: int
    has_x32: bool
    clone: int
    clone3: int
    socket: int
    ioctl: int
    shmget: int
    absent: tuple[int, ...]
    """Answered as if the kernel did not have them, so that libraries use what they used before: io_uring."""
    refused: tuple[int, ...]


_BOTH = {
    "open_tree": 428, "move_mount": 429, "fsopen": 430, "fsconfig": 431, "fsmount": 432, "fspick": 433,
    "pidfd_getfd": 438, "mount_setattr": 442, "quotactl_fd": 443, "memfd_secret": 447, "open_tree_attr": 467,
}  # fmt: skip
_IO_URING = (425, 426, 427)
_X86_64 = {
    "ptrace": 101, "syslog": 103, "uselib": 134, "pivot_root": 155, "adjtimex": 159, "acct": 163,
    "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169,
    "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "create_module": 174,
    "init_module": 175, "delete_module": 176, "quotactl": 179, "nfsservctl": 180, "lookup_dcookie": 212,
    "clock_settime": 227, "kexec_load": 246, "add_key": 248, "request_key": 249, "keyctl": 250,
    "unshare": 272, "perf_event_open": 298, "fanotify_init": 300, "open_by_handle_at": 304,
    "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
    "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323,
}  # fmt: skip
_AARCH64 = {
    "lookup_dcookie": 18, "umount2": 39, "mount": 40, "pivot_root": 41, "nfsservctl": 42, "quotactl": 60,
    "acct": 89, "unshare": 97, "kexec_load": 104, "init_module": 105, "delete_module": 106,
    "clock_settime": 112, "syslog": 116, "ptrace": 117, "reboot": 142, "sethostname": 161,
    "setdomainname": 162, "settimeofday": 170, "adjtimex": 171, "add_key": 217, "request_key": 218,
    "keyctl": 219, "swapon": 224, "swapoff": 225, "perf_event_open": 241, "fanotify_init": 262,
    "open_by_handle_at": 265, "clock_adjtime": 266, "setns": 268, "process_vm_readv": 270,
    "process_vm_writev": 271, "kcmp": 272, "finit_module": 273, "bpf": 280, "userfaultfd": 282,
    "kexec_file_load": 294,
}  # fmt: skip

MACHINES: Mapping[str, Machine] = {
    "x86_64": Machine(
        0xC000_003E, True, 56, 435, 41, 16, 29, _IO_URING, (*_X86_64.values(), *_BOTH.values())
    ),
    "aarch64": Machine(
        0xC000_00B7, False, 220, 435, 198, 29, 194, _IO_URING, (*_AARCH64.values(), *_BOTH.values())
    ),
}
"""By the name that `uname -m` gives."""


def program(machine: str, *, unix_sockets: bool) -> bytes:
    """The filter as an array of `struct sock_filter`; what `bwrap --seccomp` reads.

    Without `unix_sockets` none can be made (pairs can): with the host's network its abstract ones are
    in reach. Raises KeyError for a machine that is not in `MACHINES`.
    """
    of = MACHINES[machine]
    families = (*_FAMILIES, _UNIX) if unix_sockets else _FAMILIES
    lines = [_load(_ARCHITECTURE), *_unless_equal(of.architecture, _KILL), _load(_NUMBER)]
    if of.has_x32:
        lines += [_line(_IF_AT_LEAST, _X32, 0, 1), _return(_KILL)]
    lines += _each((*of.absent, of.clone3), _ERROR | _ENOSYS)  # clone3 has its flags in memory
    lines += _each(of.refused, _ERROR | _EPERM)
    lines += _call(of.clone, [
        _load(_ARGUMENTS), _line(_IF_ANY_BIT, _NEW_NAMESPACES, 0, 1), _return(_ERROR | _EPERM),
    ])  # fmt: skip
    lines += _call(of.ioctl, [_load(_ARGUMENTS + 8), *_each(_TERMINAL_INPUT, _ERROR | _EPERM)])
    lines += _call(of.shmget, [
        _load(_ARGUMENTS + 12), _line(_IF_ABOVE, 0, 2, 0),
        _load(_ARGUMENTS + 8), _line(_IF_ABOVE, _LARGEST_SEGMENT, 0, 1), _return(_ERROR | _EINVAL),
    ])  # fmt: skip
    lines += _call(of.socket, [
        _load(_ARGUMENTS), *_each(families, _ALLOW), _return(_ERROR | _EAFNOSUPPORT),
    ])  # fmt: skip
    return b"".join([*lines, _return(_ALLOW)])


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    """One `struct sock_filter`; a jump says how many lines are left out."""
    return struct.pack("=HBBI", code, if_true, if_false, value)


def _load(offset: int) -> bytes:
    return _line(_LOAD, offset)


def _return(action: int) -> bytes:
    return _line(_RETURN, action)


def _unless_equal(value: int, action: int) -> list[bytes]:
    return [_line(_IF_EQUAL, value, 1, 0), _return(action)]


def _each(values: Iterable[int], action: int) -> list[bytes]:
    """The action for each of these values."""
    return [part for value in values for part in (_line(_IF_EQUAL, value, 0, 1), _return(action))]


def _call(number: int, then: list[bytes]) -> list[bytes]:
    """What is looked at for one call; afterwards the number is loaded again."""
    return [_line(_IF_EQUAL, number, 0, len(then) + 1), *then, _load(_NUMBER)]
