#!/usr/bin/env python3
"""Reads files through the system calls that programs use, below two directories, and compares.

    readers.py TRUTH PLACE WAY… <NAMES

NAMES are paths below both, each with a NUL behind it. Prints "WAY: NAME: what differs", and "WAY: read"
at the end of each way; ends with 1 when something differs. A WAY is one of those that --ways prints.
"""
import mmap
import os
import select
import socket
import sys

PAGE = mmap.PAGESIZE


def loop(step):
    """Joins what step(offset) gives until it gives nothing."""
    out = bytearray()
    while piece := step(len(out)):
        out += piece
    return bytes(out)


def size_of(fd):
    return os.fstat(fd).st_size


def way_read_fstat_size(fd):
    """One read of st_size bytes, and nothing may come behind it."""
    data = os.read(fd, size_of(fd)) if size_of(fd) else b''
    assert os.read(fd, 1) == b'', 'more than st_size'
    return data


def way_read_one_byte(fd):
    return loop(lambda _: os.read(fd, 1))


def way_read_large(fd):
    return loop(lambda _: os.read(fd, 1 << 20))


def way_pread(fd):
    return loop(lambda at: os.pread(fd, 7, at))


def way_pread_backwards(fd):
    return b''.join(os.pread(fd, 1, at) for at in reversed(range(size_of(fd))))[::-1]


def vectors(call):
    parts = [bytearray(3), bytearray(5), bytearray(64)]
    n = call(parts)
    return b''.join(parts)[:n]


def way_readv(fd):
    return loop(lambda _: vectors(lambda parts: os.readv(fd, parts)))


def way_preadv(fd):
    return loop(lambda at: vectors(lambda parts: os.preadv(fd, parts, at)))


def way_preadv2_nowait(fd):
    """RWF_NOWAIT gives what is cached and says EAGAIN otherwise: then it is asked again in earnest."""
    def step(at):
        try:
            return vectors(lambda parts: os.preadv(fd, parts, at, os.RWF_NOWAIT))
        except (BlockingIOError, OSError):
            return vectors(lambda parts: os.preadv(fd, parts, at))
    return loop(step)


def way_o_direct(fd):
    """Into a page of its own, as O_DIRECT wants it elsewhere."""
    direct = os.open(f'/proc/self/fd/{fd}', os.O_RDONLY | os.O_DIRECT)
    try:
        with mmap.mmap(-1, 64 * PAGE) as buffer:
            def step(at):
                # A file of any size: the last read is a short one, and its end no boundary.
                if at % PAGE:
                    return b''
                return buffer[:os.preadv(direct, [buffer], at)]
            return loop(step)
    finally:
        os.close(direct)


def mapped(fd, flags):
    size = size_of(fd)
    if not size:
        return b''
    with mmap.mmap(fd, size, flags=flags, prot=mmap.PROT_READ) as area:
        return area[:]


def way_mmap_private(fd):
    return mapped(fd, mmap.MAP_PRIVATE)


def way_mmap_shared(fd):
    return mapped(fd, mmap.MAP_SHARED)


def way_mmap_last_page(fd):
    """Behind the end of the file its last page is zeros."""
    size = size_of(fd)
    if not size:
        return b''
    with mmap.mmap(fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ) as area:
        assert area.size() == size
        return area.read()


def way_sendfile(fd):
    """To a socket, which is what web servers do."""
    left, right = socket.socketpair()
    with left, right:
        def step(at):
            n = os.sendfile(left.fileno(), fd, at, 4096)
            return right.recv(n, socket.MSG_WAITALL) if n else b''
        return loop(step)


def way_splice(fd):
    out, into = os.pipe()
    try:
        def step(at):
            n = os.splice(fd, into, 4096, offset_src=at)
            return os.read(out, n) if n else b''
        return loop(step)
    finally:
        os.close(out)
        os.close(into)


def way_copy_file_range(fd):
    """Programs that use it go on with read when the file systems do not allow it."""
    copy = os.memfd_create('copy')
    try:
        while True:
            try:
                if not os.copy_file_range(fd, copy, 4096):
                    break
            except OSError:
                while piece := os.read(fd, 4096):
                    os.write(copy, piece)
                break
        return os.pread(copy, size_of(copy) + 1, 0)
    finally:
        os.close(copy)


def way_lseek_end(fd):
    size = os.lseek(fd, 0, os.SEEK_END)
    os.lseek(fd, -size, os.SEEK_CUR)
    return os.read(fd, size + 1) if size else b''


def way_lseek_data(fd):
    """As cp and tar look for holes: it is all data."""
    size = size_of(fd)
    if not size:
        return b''
    assert os.lseek(fd, 0, os.SEEK_DATA) == 0, 'begins with a hole'
    assert os.lseek(fd, 0, os.SEEK_HOLE) == size, 'a hole before the end'
    return os.pread(fd, size + 1, 0)


def way_fadvise_readahead(fd):
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_WILLNEED)
    return loop(lambda _: os.read(fd, 512))


def way_dup(fd):
    """Two descriptors, one offset."""
    other = os.dup(fd)
    try:
        fds = [fd, other]
        return loop(lambda at: os.read(fds[at % 2], 3))
    finally:
        os.close(other)


def way_select_then_read(fd):
    """A file is always ready."""
    assert select.select([fd], [], [], 0)[0], 'not ready'
    return way_read_large(fd)


def way_stdio(fd):
    with os.fdopen(os.dup(fd), 'rb') as f:
        return b''.join(iter(f.readline, b''))


WAYS = {name[4:]: way for name, way in globals().items() if name.startswith('way_')}


def read_with(way, path):
    fd = os.open(path, os.O_RDONLY)
    try:
        return way(fd)
    finally:
        os.close(fd)


def compare(way, place, expected):
    differ = 0
    for name, truth in expected.items():
        try:
            got = read_with(WAYS[way], place + b'/' + name)
        except (OSError, AssertionError, ValueError) as e:
            got = e
        if got != truth:
            differ += 1
            print(f'{way}: {os.fsdecode(name)}: {got!r}'[:300])
    return differ


def main():
    if sys.argv[1:] == ['--ways']:
        print('\n'.join(WAYS))
        return 0
    truth, place, *ways = map(os.fsencode, sys.argv[1:])
    names = sys.stdin.buffer.read().split(b'\0')[:-1]
    expected = {}
    for name in names:
        with open(truth + b'/' + name, 'rb') as f:
            expected[name] = f.read()
    differ = 0
    for way in map(os.fsdecode, ways):
        differ += compare(way, place, expected)
        print(f'{way}: read')
    return 1 if differ else 0


if __name__ == '__main__':
    sys.exit(main())
