#!/usr/bin/env python3
"""Readers that look once a second, each in a way of its own, until they see what they wait for.

    look.py SECONDS WHAT…

WHAT is cat:PATH=TEXT    the file is opened anew and read
        pread:PATH=TEXT  read through one descriptor that stays open; size and mtime must agree
        here:DIR/NAME    listed in a working directory that was entered at the beginning
        gone:DIR/NAME    no longer listed there
        link:PATH        resolves to a directory
Prints "ready" when all have looked once, then "WHAT MILLISECONDS" as each one sees it, where the
milliseconds are those of the wall clock, and "odd" and what is so. Exit status 1 when SECONDS are over before.
"""
import os
import sys
import threading
import time


def say(*words):
    """A line in one piece: the threads write side by side."""
    os.write(1, (' '.join(str(word) for word in words) + '\n').encode())


def text_of(path):
    with open(path, 'rb') as f:
        return f.read().decode('utf-8', 'replace')


class Pread:
    def __init__(self, path, text):
        self.fd = os.open(path, os.O_RDONLY)
        self.text = text
        self.first = None

    def __call__(self):
        data = os.pread(self.fd, 4096, 0)
        info = os.fstat(self.fd)
        if self.first is None:
            self.first = info.st_mtime_ns
        if data.decode('utf-8', 'replace') != self.text:
            return False
        if info.st_size != len(data) or info.st_mtime_ns <= self.first:
            say('odd', f'size {info.st_size}, mtime {info.st_mtime_ns} after {self.first}')
            return False
        return True


class Listed:
    """A process of its own, whose working directory this is."""

    def __init__(self, path, wanted):
        self.name = os.path.basename(path)
        self.wanted = wanted
        self.fd = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY)

    def __call__(self):
        fd = os.open('.', os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.fd)
        try:
            return (self.name in os.listdir(fd)) == self.wanted
        finally:
            os.close(fd)


def look_for(what):
    kind, _, rest = what.partition(':')
    path, _, text = rest.partition('=')
    text = text.replace('\\n', '\n')
    if kind == 'cat':
        return lambda: text_of(path) == text
    if kind == 'pread':
        return Pread(path, text)
    if kind in ('here', 'gone'):
        return Listed(path, kind == 'here')
    if kind == 'link':
        return lambda: os.path.isdir(path)
    raise SystemExit(f'what is {kind}?')


def try_it(what, see):
    try:
        return see()
    except FileNotFoundError:
        return False
    except OSError as e:
        say('odd', f'{what}: {e}')
        return False


def run(what, see, end, ready, result):
    seen = try_it(what, see)
    ready.wait()
    while not seen and time.monotonic() < end:
        time.sleep(1)
        seen = try_it(what, see)
    if seen:
        say(what, int(time.time() * 1000))
    else:
        result.append(what)


def main():
    end = time.monotonic() + float(sys.argv[1])
    missed = []
    ready = threading.Barrier(len(sys.argv[2:]) + 1)
    threads = [threading.Thread(target=run, args=(w, look_for(w), end, ready, missed))
               for w in sys.argv[2:]]
    for thread in threads:
        thread.start()
    ready.wait()
    say('ready')
    for thread in threads:
        thread.join()
    for what in missed:
        print('never', what)
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
