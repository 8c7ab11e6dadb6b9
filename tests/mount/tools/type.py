#!/usr/bin/env python3
"""Runs a program on a terminal of its own, types, and waits for what it shows.

    type.py SECONDS STEP… -- PROGRAM [ARGUMENT…]

A STEP is "wait:REGEX", until the screen has shown it since the last step, or "type:KEYS", with
Python's escapes (\\x18, \\r). After the last one it waits for the end. Prints all that was shown
without the terminal's control sequences. Exit status: the program's; 99: time is over."""
import codecs
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

CONTROL = re.compile(rb"\x1b\][^\x07\x1b]*(\x07|\x1b\\)|\x1b[\[(][0-9;?>=!]*[ -/]*[@-~B0]|\x1b[=>78MDEH]|[\x00-\x08\x0e-\x1f]")


def main():
    split = sys.argv.index("--")
    end = time.monotonic() + float(sys.argv[1])
    steps, command = sys.argv[2:split], sys.argv[split + 1:]
    pid, fd = pty.fork()
    if pid == 0:
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
        os.execvp(command[0], command)
    shown = seen = b""

    def read():
        """One read. Returns: False at the end."""
        nonlocal shown
        left = end - time.monotonic()
        if left <= 0 or not select.select([fd], [], [], left)[0]:
            raise TimeoutError
        try:
            data = os.read(fd, 65536)
        except OSError:
            return False
        # Some ask the terminal where the cursor is, and what it is.
        if b"\x1b[6n" in data:
            os.write(fd, b"\x1b[1;1R")
        shown += data
        return bool(data)

    open_ = True
    step = ""
    try:
        for step in steps:
            kind, text = step.split(":", 1)
            if kind == "type":
                seen = shown
                if not open_:
                    break  # it has ended, the rest is for when it has not
                os.write(fd, codecs.decode(text, "unicode_escape").encode("latin-1"))
                continue
            pattern = re.compile(text.encode())
            while open_ and not pattern.search(CONTROL.sub(b"", shown[len(seen):])):
                open_ = read()
        while open_:
            open_ = read()
    except TimeoutError:
        print("time is over at", step)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        sys.stdout.buffer.write(CONTROL.sub(b"", shown))
        return 99
    sys.stdout.buffer.write(CONTROL.sub(b" ", shown))
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


sys.exit(main())
