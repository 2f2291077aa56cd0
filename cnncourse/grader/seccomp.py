"""A short list of system calls that no exercise needs and that attacks are made of.

A filter in the kernel answers them with "not permitted". It is the second wall: namespaces, the
read-only root and the lack of capabilities stand without it. It is a list of what is forbidden,
since NumPy and TensorFlow use a few hundred calls that change from version to version.
"""

import ctypes
import errno
import struct

from cnncourse.grader import linux

# name: (number on x86_64, on aarch64); None where the architecture has no such call.
FORBIDDEN = {
    # other processes' memory
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "process_madvise": (440, 440),
    # namespaces, mounts, file handles: ways out
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "move_mount": (429, 429),
    "open_tree": (428, 428),
    "fsopen": (430, 430),
    "fsmount": (432, 432),
    "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    # large parts of the kernel that have been broken into before
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "kexec_load": (246, 104),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "syslog": (103, 116),
    "fanotify_init": (300, 262),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    "vmsplice": (278, 75),
    # memory that belongs to no process, so that the watchdog would not see it
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    # there is no network; but sockets buffer memory, and kernels have many kinds of them
    "socket": (41, 198),
    "socketpair": (53, 199),
    # a session of its own would escape the fair share of the processor
    "setsid": (112, 157),
}
_CLONE, _CLONE3 = (56, 220), (435, 435)
_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000  # x86_64's second set of numbers for the same calls
_NEW_NAMESPACES = 0x7E020000

_LOAD, _EQUAL, _AT_LEAST, _ANY, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _REFUSE, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_PR_SET_SECCOMP, _MODE_FILTER = 22, 2


def program(machine: str) -> bytes:
    """Return the filter for an architecture, in the kernel's BPF format.

    Raises:
        KeyError: if the architecture's numbers are not known here.
    """
    column = list(_ARCHITECTURES).index(machine) if machine in _ARCHITECTURES else None
    code = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 1, 0, _ARCHITECTURES[machine]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        code += _refuse(_AT_LEAST, _X32, errno.ENOSYS)
    for numbers in FORBIDDEN.values():
        if numbers[column] is not None:
            code += _refuse(_EQUAL, numbers[column], errno.EPERM)
    # clone3 hides its flags behind a pointer. Without it the C library uses clone.
    code += _refuse(_EQUAL, _CLONE3[column], errno.ENOSYS)
    code += [
        (_EQUAL, 0, 3, _CLONE[column]),
        (_LOAD, 0, 0, _FIRST_ARGUMENT),
        *_refuse(_ANY, _NEW_NAMESPACES, errno.EPERM),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def _refuse(test: int, value: int, error: int) -> list[tuple[int, int, int, int]]:
    return [(test, 0, 1, value), (_RETURN, 0, 0, _REFUSE | error)]


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("code", ctypes.c_char_p))


def install() -> None:
    """Put the filter in force for this process and all that it starts; there is no way back."""
    code = program(linux.machine())
    described = _Program(len(code) // 8, code)
    zero = ctypes.c_ulong(0)
    arguments = (ctypes.c_ulong(_MODE_FILTER), ctypes.byref(described), zero, zero)
    linux.must(linux.libc().prctl(_PR_SET_SECCOMP, *arguments), "seccomp filter")
