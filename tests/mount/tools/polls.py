#!/usr/bin/env python3
"""Polls files as a program does. Each command prints what it saw.

first FILE…        the events that the first poll, and a second one, report at once
wait FILE SECONDS  polls, reads, polls again; prints "before", then the value after a change
epoll FILE SECONDS the same through epoll, with one descriptor that stays registered
order FILE N SECONDS  the next N values, each after a report
many FILE N        opens N descriptors, polls each; prints how many reported, first and second time
"""
import os
import resource
import select
import sys
import time

EVENTS = select.POLLPRI | select.POLLERR
NAMES = ((select.POLLIN, "IN"), (select.POLLPRI, "PRI"), (select.POLLOUT, "OUT"), (select.POLLERR, "ERR"))


def names(events):
    return "|".join(name for bit, name in NAMES if events & bit) or "nothing"


def look(fd, timeout_ms, events=EVENTS):
    poll = select.poll()
    poll.register(fd, events)
    ready = poll.poll(timeout_ms)
    return ready[0][1] if ready else 0


def read(fd):
    return os.pread(fd, 4096, 0).decode().strip()


def first(paths):
    for path in paths:
        fd = os.open(path, os.O_RDONLY)
        everything = EVENTS | select.POLLIN | select.POLLOUT
        print(os.path.basename(path), names(look(fd, 0, everything)), names(look(fd, 0, everything)))


def wait(path, seconds):
    fd = os.open(path, os.O_RDONLY)
    print(names(look(fd, 0)), flush=True)
    print("before", read(fd), flush=True)
    events = look(fd, seconds * 1000)
    print(names(events), read(fd), flush=True)
    print(names(look(fd, 0)), flush=True)


def epoll(path, seconds):
    fd = os.open(path, os.O_RDONLY)
    poll = select.epoll()
    poll.register(fd, select.EPOLLPRI)
    print(len(poll.poll(0)), len(poll.poll(0)), flush=True)
    print("before", read(fd), flush=True)
    print(len(poll.poll(seconds)), read(fd), len(poll.poll(0)), flush=True)


def order(path, n, seconds):
    fd = os.open(path, os.O_RDONLY)
    look(fd, 0)
    last = read(fd)
    print(last, flush=True)
    end = time.monotonic() + seconds
    while n > 0 and time.monotonic() < end:
        if look(fd, max(1, int((end - time.monotonic()) * 1000))):
            value = read(fd)
            if value != last:
                print(value, flush=True)
                last = value
                n -= 1


def many(path, n):
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    fds = [os.open(path, os.O_RDONLY) for _ in range(n)]
    print(sum(look(fd, 0) != 0 for fd in fds), sum(look(fd, 0) != 0 for fd in fds))


if __name__ == "__main__":
    command, path = sys.argv[1:3]
    if command == "first":
        first(sys.argv[2:])
    else:
        globals()[command](path, *map(int, sys.argv[3:]))
