"""Runs a function in namespaces of its own: processes, network, mounts. The kernel ends all of its processes and removes its
network when the function returns, and also when the process that called `run` is killed."""
import ctypes
import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

NEW_MOUNTS, NEW_PROCESSES, NEW_NETWORK = 0x20000, 0x20000000, 0x40000000
PARENT_DEATH_SIGNAL = 1
PREFIX = "cloakroom-chaos-"
libc = ctypes.CDLL(None, use_errno=True)


def run(main, keep=False):
    """Calls `main(directory)` in the namespaces and returns its exit code. SIGINT and SIGTERM end it by `SystemExit`."""
    remove_leftovers()
    directory, lock = make_directory()
    if libc.unshare(NEW_MOUNTS | NEW_PROCESSES | NEW_NETWORK) != 0:
        raise OSError(ctypes.get_errno(), "namespaces are not permitted")
    first = os.fork()
    if first == 0:
        leave(lambda: first_process(main, directory))
    forward_signals(first)
    status = wait(first)
    if not keep:
        shutil.rmtree(directory, ignore_errors=True)
    os.close(lock)
    return status


def make_directory():
    """The directory is locked as long as a process of the run lives. The user postgres must be able to enter it."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX))
    directory.chmod(0o755)
    lock = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return directory, lock


def remove_leftovers():
    """Removes the directories of runs that were killed."""
    for path in pathlib.Path(tempfile.gettempdir()).glob(PREFIX + "*"):
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        else:
            shutil.rmtree(path, ignore_errors=True)
        finally:
            os.close(lock)


def first_process(main, directory):
    """Process 1 of the namespaces. Orphans become its children: a killed server must not stay as a zombie, because Patroni
    waits for its end."""
    libc.prctl(PARENT_DEATH_SIGNAL, signal.SIGKILL)
    for command in (
            ["mount", "--make-rprivate", "/"], ["mount", "-t", "proc", "proc", "/proc"],
            ["mount", "-t", "tmpfs", "tmpfs", "/run"], ["ip", "link", "set", "lo", "up"]):
        subprocess.run(command, check=True)
    second = os.fork()
    if second == 0:
        signal.signal(signal.SIGTERM, interrupt)
        signal.signal(signal.SIGINT, interrupt)
        leave(lambda: main(directory))
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
