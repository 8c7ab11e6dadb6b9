"""One very large world: what doc/scale.md tells."""

import os
import random
import time

from row import attempts, row
from world import PAGE, Mount, Sim, is_mounted, loop, median, seconds, wait_for

OPTIONS = "ttl=3600,max_stale=7200,rate=0,patience=600,deadline=600"
RATE = 10  # calls a second: the default bucket


def million(context):
    n = context.million
    yield from attempts(context, (f"{n} servers", lambda: one_world(context, n)))


def one_world(context, n):
    sim = Sim(context, n)
    fetch, fetch_cpu, size = sim.fetch()
    yield row(f"{n} servers: curl of all pages", fetch, "s",
              note=f"CPU {fetch_cpu:.2f} s; {size / 1e9:.2f} GB; the simulator has "
              f"{sim.rss() / 2**30:.2f} GiB")
    mount = Mount(context, sim, OPTIONS)
    first_ns, last_ns, _ = loop(context, "names", mount.at("servers/by-id"))
    last = time.monotonic() - mount.began
    os.readlink(mount.at("servers/list.tsv"))
    whole = time.monotonic() - mount.began
    yield row(f"{n} servers: mount to the version with all", whole, "s", fetch, "curl, same pages",
              note=f"CPU {mount.cpu():.1f} s")
    yield row(f"{n} servers: mount to the first name in by-id", last - (last_ns - first_ns) / 1e9,
              "s", whole, "all", note=f"to the last name {last:.2f} s")
    yield row(f"{n} servers: daemon's memory", mount.rss() / 2**20, "MiB",
              (size * 1.5 + 600 * n) / 2**20, "1.5 JSON + 600 B each", 1.0,
              f"{mount.rss() / n:.0f} B a server, at most {mount.peak() / 2**20:.0f} MiB")
    yield from refreshes(context, mount, sim, n, fetch)
    yield from uses(context, mount, sim, n)
    began = time.monotonic()
    mount.process.terminate()
    wait_for(lambda: not is_mounted(mount.mnt), "detached", 0.001)
    detached = time.monotonic() - began
    mount.process.wait(60)
    yield row(f"{n} servers: SIGTERM until the mount is detached", detached, "s", limit=1.0,
              note=f"the daemon is gone after {time.monotonic() - began:.1f} s")


def refreshes(context, mount, sim, n, fetch):
    for kind, change in (("nothing changed", None), ("1 % changed", sim.touch)):
        took, cpu = [], []
        for _ in range(context.runs):
            if change:
                change()
            sim.calls()
            before = mount.cpu()
            began = time.monotonic()
            mount.refresh()
            took.append(time.monotonic() - began)
            cpu.append(mount.cpu() - before)
        calls = sim.calls()
        yield row(f"{n} servers: refresh, {kind}", median(took), "s", fetch, "curl, same pages",
                  note=f"CPU {median(cpu):.2f} s; {calls:.0f} calls, at {RATE} a second and {PAGE} "
                  f"a page {calls / RATE:.0f} s; daemon {mount.rss() / 2**20:.0f} MiB, at most "
                  f"{mount.peak() / 2**20:.0f}")


def uses(context, mount, sim, n):
    """What stays quick, and what does not."""
    chance = random.Random(7)
    page = 1 + chance.randrange(-(-n // PAGE))
    records = sim.ask("GET", f"/v1/servers/{page}/{PAGE}")["data"]["servers"]
    for view, key in (("by-id", "id"), ("by-name", "name")):
        paths = [f"{mount.at('servers', view)}/{record[key]}/status" for record in records]
        very_first = loop(context, "cats", 1, input=paths[0])[0]  # an index may have to be made
        first, second = loop(context, "cats", 2, input="\0".join(paths[1:]))
        yield row(f"{n} servers: cat {view}/…/status, cold", first / len(paths[1:]) / 1000, "µs",
                  note=f"warm {second / len(paths[1:]) / 1000:.1f} µs; {len(paths[1:])} servers; "
                  f"the very first {very_first / 1e6:.0f} ms")
    table = mount.at("servers/list.tsv")
    cpu = mount.cpu()
    first, size = loop(context, "read", table)
    cpu = mount.cpu() - cpu
    second = loop(context, "read", table)[0]
    yield row(f"{n} servers: list.tsv, first read", first / 1e9, "s",
              note=f"CPU {cpu:.1f} s, {size / 1e6:.0f} MB; again {second / 1e9:.2f} s; daemon "
              f"{mount.rss() / 2**20:.0f} MiB with it")
    yield row(f"{n} servers: readdir of by-id", loop(context, "ls", mount.at("servers/by-id"), 1)[0]
              / 1e9, "s")
    yield row(f"{n} servers: ls by-id | wc -l",
              seconds(["sh", "-c", 'ls "$1" | wc -l', "sh", mount.at("servers/by-id")],
                      good=(0,)), "s")
    yield row(f"{n} servers: awk over list.tsv", seconds(
        ["awk", "-F\t", '$3 == "SHUTOFF"', table], good=(0,)), "s")
