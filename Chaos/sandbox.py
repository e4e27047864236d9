"""Runs a function in namespaces of its own: processes, network, mounts. The kernel ends all of its processes and removes its
network and its files when the function returns, and also when the process that called `run` is killed."""
import ctypes
import os
import pathlib
import signal
import subprocess
import sys
import traceback

NEW_MOUNTS, NEW_PROCESSES, NEW_NETWORK = 0x20000, 0x20000000, 0x40000000
PARENT_DEATH_SIGNAL = 1
DIRECTORY = pathlib.Path("/run/chaos")
libc = ctypes.CDLL(None, use_errno=True)


def run(main):
    """Calls `main(directory)` in the namespaces and returns its exit code. SIGINT and SIGTERM end it by `SystemExit`.

    The directory is in memory and disappears with the namespaces. A kill of a process loses nothing there, as on a disk."""
    if libc.unshare(NEW_MOUNTS | NEW_PROCESSES | NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "namespaces are not permitted")
    first = os.fork()
    if first == 0:
        leave(lambda: first_process(main))
    forward_signals(first)
    return wait(first)


def first_process(main):
    """Process 1 of the namespaces. Orphans become its children: a killed server must not stay as a zombie, because Patroni
    waits for its end."""
    libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    for command in (
            ["mount", "--make-rprivate", "/"], ["mount", "-t", "proc", "proc", "/proc"],
            ["mount", "-t", "tmpfs", "tmpfs", "/run"], ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)
    DIRECTORY.mkdir()
    second = os.fork()
    if second == 0:
        signal.signal(signal.SIGTERM, interrupt)
        signal.signal(signal.SIGINT, interrupt)
        leave(lambda: main(DIRECTORY))
    forward_signals(second)
    return wait(second)


def interrupt(number, _):
    raise SystemExit(128 + number)


def leave(main):
    """Ends a forked process with the exit code of `main`."""
    code = 70
    try:
        code = main()
    except SystemExit as exit:
        code = exit.code
    except Exception:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code if isinstance(code, int) else 70)


def forward_signals(child):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, _: os.kill(child, signal.SIGTERM))


def wait(child):
    """Collects every child until this one has ended."""
    while True:
        process, status = os.wait()
        if process == child:
            return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 70
