"""Memory, walks through the whole tree, and the end of a mount, beside tools/floor: a file system
of the same shape that answers from arithmetic."""

import os
import subprocess
import time

from row import attempts, grown, missing, per, row
from world import Floor, Mount, Sim, fuse_inodes, is_mounted, median, seconds, slab, timed

# Every attribute, but not raw/, whose files would be two thirds of them all: only their names and
# types, which the kernel learns with the directory, or their sizes, for which it asks.
NAMES = ["-name", "raw", "-prune", "-o", "-type", "f", "-print"]
SIZES = ["-name", "raw", "-prune", "-o", "-type", "f", "-size", "+9999"]
SLAB_PER_SERVER = 5000  # 0.5 GB for 100,000


def memory(context):
    points = []
    mount = Mount(context, Sim(context, 1))
    mount.listed()
    base = mount.rss()  # what a daemon takes that knows nothing
    context.close()
    for n in context.sizes:
        yield from attempts(context, (f"daemon's memory for {n} servers",
                                      lambda n=n: memory_of(context, n, base, points)))
    yield grown("memory", points)


def memory_of(context, n, base, points):
    sim = Sim(context, n)
    json_bytes = sim.fetch()[2]
    mount = Mount(context, sim)
    mount.listed()
    listed = mount.rss() - base
    points.append((n, listed))
    yield row(f"daemon's memory for {n} servers", listed / 2**20, "MiB",
              (json_bytes * 1.5 + 600 * n) / 2**20, "1.5 JSON + 600 B each", 1.0,
              f"beside {base / 2**20:.0f} MiB of its own; {listed / n:.0f} B a server, JSON "
              f"{json_bytes / n:.0f}")
    find(mount.at("servers/by-id"), NAMES)
    walked = mount.rss() - base
    yield row(f"the same after find -type f, {n} servers", walked / 2**20, "MiB", listed / 2**20,
              "before", note=f"{(walked - listed) / n:+.0f} B a server")


# --- walks -----------------------------------------------------------------------------------------

def walks(context):
    entries = shape(context)
    found, sized, gone = [], [], []
    for n in context.sizes:
        yield from attempts(
            context,
            (f"find -type f, {n} servers", lambda n=n: walk(
                context, n, entries, "find -type f", NAMES, False, found, gone)),
            (f"find -size, {n} servers", lambda n=n: walk(
                context, n, entries, "find -size", SIZES, True, sized, gone)))
    yield grown("find -type f, cold", found)
    yield grown("find -size, cold", sized)
    yield from gone_rows(gone)
    yield from attempts(context, ("the whole tree", lambda: everything(context)),
                        ("reading everything", lambda: reading_alone(context)))


def shape(context):
    """What is in the directory of a server that is neither rich nor poor. Returns: ["f NAME", …]"""
    mount = Mount(context, Sim(context, min(context.sizes[0], 200)))
    top = mount.at("servers/by-id")
    seen = []
    for name in sorted(os.listdir(top)):
        with os.scandir(os.path.join(top, name)) as entries:
            seen.append(["l" if e.is_symlink() else "d" if e.is_dir() else "f" for e in entries])
    names = sorted(seen, key=len)[len(seen) // 2]
    names = [f"{kind} {'raw' if kind == 'd' else f'attribute_{i}'}" for i, kind in enumerate(names)]
    context.close()
    return names


def find(top, what):
    return seconds(["find", top, *what], good=(0,))


def walk(context, n, entries, what, tests, nodes, growth, gone):
    """One walk of a new mount and one of a new floor, in turn; then both are unmounted."""
    sim = Sim(context, n)
    sim.fetch()
    ours, floors = [], []
    for _ in range(context.runs):
        ours.append(walk_once(lambda: loaded_mount(context, sim), tests, not ours))
        floors.append(walk_once(lambda: Floor(context, n, entries, nodes), tests, False))
    took, floor = (median(walk["took"] for walk in which) for which in (ours, floors))
    growth.append((n, took))
    yield row(f"{what}, {n} servers, cold", took, "s", floor, "floor", None if nodes else 1.15,
              f"{ours[0]['requests']:.0f} requests; {ours[0]['inodes']} inodes, the floor's "
              f"{floors[0]['inodes']}")
    held = median(walk["slab"][0] for walk in ours)
    yield row(f"kernel's slab after it, {n} servers", held / 2**20, "MiB",
              median(walk["slab"][0] for walk in floors) / 2**20, "floor",
              None if nodes else SLAB_PER_SERVER * n / 2**20,
              f"{median(walk['slab'][1] for walk in ours) / 2**20:.0f} MiB of it reclaimable",
              of_value=True)
    gone.append((n, what, [(w["gone"], w["inodes"]) for w in ours],
                 [(w["gone"], w["inodes"]) for w in floors]))


def loaded_mount(context, sim):
    mount = Mount(context, sim)
    mount.loaded()
    return mount


def walk_once(begin, tests, ask):
    """begin: returns a mount. ask: count its requests."""
    mount = begin()
    top = mount.at("servers/by-id") if isinstance(mount, Mount) else mount.mnt
    asked = mount.asked() if ask else 0
    slab_before = slab()
    took = find(top, tests)
    held = [after - before for after, before in zip(slab(), slab_before)]
    requests = mount.asked() - asked if ask else 0
    return {"took": took, "inodes": inodes_of(top, tests), "slab": held, "requests": requests,
            "gone": mount.unmount()}


def inodes_of(top, tests):
    """Inodes that the kernel has for a tree that was walked: of directories, and with sizes of
    files. /proc/slabinfo tells of all mounts, and in round numbers. Asks for nothing that the walk
    did not ask for."""
    kind = ["-type", "d"] if tests is NAMES else ["-not", "-type", "l"]
    return int(timed(["sh", "-c", 'find "$@" -print , -name raw -prune | wc -l', "sh", top,
                      *kind])[1])


def gone_rows(gone):
    points = []
    for n, what, ours, floors in gone:
        ours, floors = ([per(*one) for one in which] + [median(s for s, _ in which)]
                        for which in (ours, floors))
        took, beside = ours.pop(), floors.pop()
        points.append((n, took))
        yield row(f"unmount after {what}, {n} servers, an inode", median(ours), "µs",
                  median(floors), "floor", 1.3, f"in all {took:.3f} s, the floor's {beside:.3f} s",
                  of_value=True)
    sizes = [point for point, entry in zip(points, gone) if entry[1] == "find -size"]
    yield grown("unmount after find -size", sizes)


# --- everything, while the cloud changes -----------------------------------------------------------

def everything(context):
    """Through a whole tree, and a refresh meanwhile."""
    n = context.sizes[-1]
    sim = Sim(context, n)
    mount = loaded_mount(context, sim)
    before = mount.rss()
    top = mount.at("servers/by-id")
    yield walk_row(mount, sim, before, "find | wc -l",
                   ["sh", "-c", 'find "$1" -name raw -prune -o -print | wc -l', "sh", top])
    if context.full:
        yield from reading(mount, sim, before)
    yield let_go(mount)
    find(top, NAMES)
    yield sigterm(mount, inodes_of(top, NAMES))


def reading_alone(context):
    """Reading takes minutes where there are millions of files: with --full the largest world is
    read, without it the next one."""
    if not context.full:
        sim = Sim(context, context.sizes[max(0, len(context.sizes) - 2)])
        mount = loaded_mount(context, sim)
        yield from reading(mount, sim, mount.rss())


def reading(mount, sim, before):
    top = mount.at("servers/by-id")
    yield walk_row(mount, sim, before, "grep -r",
                   ["grep", "-rs", "--exclude-dir=raw", "no such text", top])
    yield walk_row(mount, sim, before, "tar",
                   ["sh", "-c", 'tar -C "$1" --ignore-failed-read --exclude=raw -cf - . | cat'
                    " >/dev/null", "sh", top])


def walk_row(mount, sim, before, what, command):
    slowest, refreshes = 0.0, 0
    began = time.monotonic()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while process.poll() is None:
            asked = time.monotonic()
            sim.touch()
            mount.refresh()
            slowest = max(slowest, time.monotonic() - asked)
            refreshes += 1
            try:
                process.wait(2)
            except subprocess.TimeoutExpired:
                pass
    took = time.monotonic() - began
    return row(f"{what} of {sim.servers} servers, 1 % changing every 2 s", took, "s",
               note=f"{per(took, sim.servers):.0f} µs a server; {refreshes} refreshes, slowest "
               f"{slowest:.2f} s; daemon {mount.rss() / 2**20:.0f} MiB, before "
               f"{before / 2**20:.0f}")


def let_go(mount):
    """What the kernel gives back when it is asked to forget this mount's names: a remount asks for
    that, of this one mount only, while drop_caches would disturb the whole machine."""
    what = "slab that the kernel gives back when asked"
    held, inodes = slab()[0], fuse_inodes()
    if os.geteuid() != 0 or inodes is None:
        return missing(what, "for root only")
    done = subprocess.run(["mount", "-i", "-o", "remount", mount.mnt], check=False,
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    if done.returncode != 0:
        return missing(what, "this kernel does not remount")
    left = settled()
    return row(what, (held - slab()[0]) / 2**20, "MiB",
               note=f"all mounts of FUSE had {inodes} inodes, then {left}")


def settled():
    """Waits while the kernel still frees, for five seconds: there may be other mounts. Returns:
    inodes of FUSE."""
    left = fuse_inodes()
    for _ in range(10):
        time.sleep(0.5)
        had, left = left, fuse_inodes()
        if left >= had:
            break
    return left


def sigterm(mount, inodes):
    began = time.monotonic()
    mount.process.terminate()
    mount.process.wait(60)
    took = time.monotonic() - began
    if is_mounted(mount.mnt):
        raise RuntimeError("SIGTERM left the mount behind")
    return row("SIGTERM until the daemon is gone and the mount detached", took, "s", limit=1.0,
               note=f"the kernel held {inodes} inodes of it")
