"""The rows of the benchmark. Each function takes the context and yields rows: what was measured,
what it is compared with in the same run, and what internals promise (limit: of the ratio, or of the
value where there is no reference)."""

import json
import os
import shutil
import subprocess
import time

from world import (CALM, PAGE, TOKEN, Mount, Sim, exponent, fuse_inodes, have, loop, measured, median,
                   seconds, slab, timed, wait_for)

# Every attribute, but not raw/, whose files would be two thirds of them all: only their names and
# types, which the kernel learns with the directory, or their sizes, for which it asks.
NAMES = ["-name", "raw", "-prune", "-o", "-type", "f", "-print"]
SIZES = ["-name", "raw", "-prune", "-o", "-type", "f", "-size", "+9999"]


def row(what, value, unit, reference=None, of="", limit=None, note=""):
    """One line of the table. Returns: a dictionary, as in the JSON file."""
    ratio = value / reference if reference else None
    return {"what": what, "value": value, "unit": unit, "reference": reference, "of": of,
            "ratio": ratio, "limit": limit, "note": note}


def copy_tree(mount, to):
    """The same tree where nothing is asked of anybody. Returns: its folder."""
    shutil.rmtree(to, ignore_errors=True)
    os.mkdir(to)
    pack = subprocess.Popen(
        ["tar", "-C", mount.at("servers"), "--ignore-failed-read", "--exclude=raw", "-cf", "-",
         "by-id"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    subprocess.run(["tar", "-C", to, "-xf", "-"], stdin=pack.stdout, check=True)
    pack.wait()
    return os.path.join(to, "by-id")


def tmpfs(context, name):
    return os.path.join("/dev/shm", f"cirrusfs-bench-{os.path.basename(context.tmp)}-{name}")


# --- what is cached --------------------------------------------------------------------------------

def cached(context):
    n = context.sizes[0]
    mount = Mount(context, Sim(context, n))
    ids = mount.listed()
    here = mount.at("servers/by-id")
    there = copy_tree(mount, tmpfs(context, "tree"))
    yield from hot(context, mount, here, there, sorted(ids)[n // 2])
    yield from passes(context, mount, here, there, ids)
    walks = {
        "grep -r": lambda top: ["grep", "-rs", "--exclude-dir=raw", "no such text", top],
        "tar": lambda top: ["sh", "-c", 'tar -C "$1" --ignore-failed-read --exclude=raw -cf - .'
                            " | cat >/dev/null", "sh", top],
        "find -type f": lambda top: ["find", top, *SIZES],
    }
    for name, command in walks.items():
        seconds(command(here))
        seconds(command(there))
        ours, theirs = measured(context.runs, lambda c=command: seconds(c(here)),
                                lambda c=command: seconds(c(there)))
        requests = mount.requests(lambda c=command: seconds(c(here)))
        yield row(f"{name} of {n} servers, warm", ours, "s", theirs, "tmpfs",
                  note=f"{requests} requests")
    shutil.rmtree(os.path.dirname(there))


def hot(context, mount, here, there, name):
    """One file or directory, again and again."""
    for what, verb, path, times, limit in (
            ("stat of an attribute", "stat", f"{name}/status", 200000, 1.1),
            ("ls of a server", "ls", name, 10000, 1.0),
            ("cat of an attribute", "cat", f"{name}/status", 100000, 1.5)):
        loop(context, verb, os.path.join(here, path), 100)
        ours, theirs = measured(
            context.runs,
            lambda v=verb, p=path, t=times: loop(context, v, os.path.join(here, p), t)[0],
            lambda v=verb, p=path, t=times: loop(context, v, os.path.join(there, p), t)[0])
        requests = mount.requests(
            lambda v=verb, p=path: loop(context, v, os.path.join(here, p), 1000))
        yield row(f"{what}, hot", ours, "ns", theirs, "tmpfs", limit,
                  f"{requests} requests for 1,000")


def passes(context, mount, here, there, ids):
    """One attribute of each, three times over, from nothing known."""
    def cats(top):
        return loop(context, "cats", 3,
                    input="".join(f"{os.path.join(top, i)}/status\0" for i in ids))

    before = mount.stats()["cirrusfs_fuse_requests_total"]
    ours = [cats(here)]
    requests = mount.stats()["cirrusfs_fuse_requests_total"] - before
    theirs = [cats(there)]
    for _ in range(context.runs - 1):
        ours.append(cats(here))
        theirs.append(cats(there))
    warm = median([values[2] for values in theirs])
    yield row(f"cat of one attribute of {len(ids)} servers, 1st pass", ours[0][0] / 1e9, "s",
              warm / 1e9, "tmpfs", note=f"{requests:.0f} requests for three passes")
    yield row("2nd pass", ours[0][1] / 1e9, "s", warm / 1e9, "tmpfs")
    yield row("3rd pass", median([values[2] for values in ours]) / 1e9, "s", warm / 1e9, "tmpfs",
              1.2)


# --- listings --------------------------------------------------------------------------------------

def cold(context):
    growth = []
    for latency_ms in (0, 20):
        for n in context.sizes:
            sim = Sim(context, n, latency_ms)
            sim.fetch()  # the simulator makes its pages when they are first asked for
            runs = context.runs if n < 50000 else min(context.runs, 5)
            results = [one_listing(context, sim) for _ in range(runs)]
            whole, first, cpu, fetch, fetch_cpu, calls = (median(column)
                                                          for column in zip(*results))
            if latency_ms == 0:
                growth.append((n, first))
            yield row(f"list of {n} servers, cold, {latency_ms} ms latency: mount to first entry",
                      first, "s", fetch, "curl, same pages", 2.0,
                      f"ls to its end {whole:.3f} s; CPU {cpu:.2f} s, curl's {fetch_cpu:.2f} s; "
                      f"{calls:.0f} calls of {-(-n // PAGE)} pages")
            sim.stop()
    yield grown("list, cold", growth)
    sim = Sim(context, 100, 20)
    results = [one_listing(context, sim) for _ in range(context.runs)]
    yield row("first ls after mount, 100 servers, 20 ms latency", median(r[0] for r in results),
              "s", limit=None, note="promised: 0.06 s and authentication")


def one_listing(context, sim):
    """Returns: seconds to the last name and to the first, CPU seconds; curl's seconds and CPU
    seconds; calls of the listing."""
    fetch, fetch_cpu, _ = sim.fetch()
    sim.calls()
    mount = Mount(context, sim)
    here = mount.at("servers/by-id")
    loop(context, "first", here)
    first = time.monotonic() - mount.began
    loop(context, "ls", here, 1)
    whole = time.monotonic() - mount.began
    cpu = mount.cpu()
    calls = sim.ask("GET", "/_sim/counters")["by"].get("GET /v1/servers/{page}/{size}", 0)
    mount.unmount()
    return whole, first, cpu, fetch, fetch_cpu, calls


def grown(what, points):
    slope = exponent(points[-2:]) or 0
    every = exponent(points) or 0
    return row(f"{what}: grows as N to the power of", slope, "",
               note=f"between the two largest; {every:.2f} over all, with what does not grow")


# --- refreshes -------------------------------------------------------------------------------------

def refresh(context):
    growth = []
    for n in context.sizes:
        sim = Sim(context, n)
        mount = Mount(context, sim)
        subprocess.run(["find", mount.at("servers/by-id"), *SIZES],
                       stdout=subprocess.DEVNULL, check=False)
        for kind, change in (("nothing changed", None), ("1 % changed", touch),
                             ("1 % replaced", replace)):
            rows = [one_refresh(mount, sim, change) for _ in range(context.runs)]
            took, cpu, fetch, fetch_cpu = (median(r[i] for r in rows) for i in range(4))
            last = rows[-1][4]
            if not change:
                growth.append((n, took))
            yield row(f"refresh of {n} servers, {kind}", took, "s", fetch, "curl, same pages",
                      None if change else 1.3,
                      f"CPU {cpu:.2f} s, curl's {fetch_cpu:.2f} s; parsed {last['parsed']:.0f}, "
                      f"invalidations {last['told']:.0f}, calls {last['calls']:.0f}")
        mount.stop()
        sim.stop()
    yield grown("refresh", growth)


def touch(sim):
    sim.ask("POST", "/_sim/servers/touch", {"fraction": 0.01})


def replace(sim):
    n = max(1, sim.servers // 100)
    ids = [record["id"] for record in sim.ask("GET", "/_sim/servers")]
    for name in ids[:: max(1, len(ids) // n)][:n]:
        sim.ask("DELETE", f"/_sim/servers/{name}")
    sim.ask("POST", "/_sim/servers/bulk", {"count": n})


def one_refresh(mount, sim, change):
    """Returns: seconds and CPU seconds; curl's; what was counted."""
    if change:
        change(sim)
    fetch, fetch_cpu, _ = sim.fetch()
    before = mount.stats()
    sim.calls()
    cpu = mount.cpu()
    began = time.monotonic()
    mount.refresh()
    took = time.monotonic() - began
    cpu = mount.cpu() - cpu
    calls = sim.calls()
    after = mount.stats()
    parsed = 'cirrusfs_records_parsed_total{profile="sim",collection="servers"}'
    told = "cirrusfs_notify_sent_total"
    return took, cpu, fetch, fetch_cpu, {"parsed": after[parsed] - before[parsed], "calls": calls,
                                         "told": after[told] - before[told]}


# --- the whole collection in one read --------------------------------------------------------------

def views(context):
    n = context.sizes[-1]
    mount = Mount(context, Sim(context, n))
    mount.listed()
    for name in ("list.tsv", "list.jsonl"):
        path = mount.at("servers", name)
        first = loop(context, "read", path)[0] / 1e9
        copy = tmpfs(context, name)
        shutil.copyfile(path, copy)
        ours, theirs = measured(context.runs, lambda p=path: loop(context, "read", p)[0] / 1e9,
                                lambda p=copy: loop(context, "read", p)[0] / 1e9)
        yield row(f"{name} of {n} servers", ours, "s", theirs, "tmpfs",
                  note=f"first read {first:.2f} s, {os.path.getsize(copy) / 1e6:.0f} MB")
        os.unlink(copy)
    asks = [("awk over list.tsv", ["awk", "-F\t", "$3 == \"stopped\"", mount.at("servers/list.tsv")])]
    if have("jq"):
        asks.append(("jq over list.jsonl", ["jq", "-r", "select(.status == \"SHUTOFF\") | .id",
                                            mount.at("servers/list.jsonl")]))
    walk = ["sh", "-c", 'grep -lxs stopped "$1"/*/state', "sh", mount.at("servers/by-id")]
    if n > 20000:  # the argument list would be too long
        walk = ["grep", "-rlxs", "--include=state", "--exclude-dir=raw", "stopped",
                mount.at("servers/by-id")]
    walked = seconds(walk)
    for what, command in asks:
        took = median(seconds(command) for _ in range(min(context.runs, 3)))
        yield row(f"{what}, {n} servers", took, "s", walked, "grep -r state, cold")


# --- memory and walks ------------------------------------------------------------------------------

def memory(context):
    points, walks = [], []
    mount = Mount(context, Sim(context, 1))
    mount.listed()
    base = mount.rss()  # what a daemon takes that knows nothing
    mount.stop()
    for n in context.sizes:
        sim = Sim(context, n)
        json_bytes = sim.fetch()[2]
        slab_before = slab()
        inodes_before = fuse_inodes()
        mount = Mount(context, sim)
        mount.listed()
        listed = mount.rss() - base
        yield row(f"daemon's memory for {n} servers", listed / 2**20, "MiB",
                  (json_bytes * 1.5 + 600 * n) / 2**20, "1.5 JSON + 600 B each", 1.0,
                  f"beside {base / 2**20:.0f} MiB of its own; {listed / n:.0f} B a server, JSON "
                  f"{json_bytes / n:.0f}")
        points.append((n, listed))
        took = seconds(["find", mount.at("servers/by-id"), *NAMES])
        walks.append((n, took))
        yield row(f"find -type f, {n} servers, cold", took, "s",
                  note=kernel_holds(slab_before, inodes_before))
        if n < 50000 or context.full:
            took = seconds(["find", mount.at("servers/by-id"), *SIZES])
            yield row(f"find -size, {n} servers, cold", took, "s",
                      note=kernel_holds(slab_before, inodes_before))
        walked = mount.rss() - base
        inodes = (fuse_inodes() or 0) - (inodes_before or 0)
        gone = mount.unmount()
        yield row(f"unmount after it, {n} servers", gone, "s",
                  note=(f"{gone * 1e6 / inodes:.2f} µs an inode, {inodes} inodes; " if inodes > 0
                        else "") + f"the daemon had {walked / 2**20:.1f} MiB after the walks")
        sim.stop()
    yield grown("memory", points)
    yield grown("find, cold", walks)
    yield from everything(context)


def kernel_holds(slab_before, inodes_before):
    held = [(after - before) / 2**20 for after, before in zip(slab(), slab_before)]
    inodes = (fuse_inodes() or 0) - (inodes_before or 0)
    return f"{inodes} inodes; slab {held[0]:+.0f} MiB, reclaimable {held[1]:+.0f} MiB"


def everything(context):
    """Every program that goes through a whole tree, and a refresh meanwhile. Reading takes minutes
    where there are millions of files: with --full the largest world is read too."""
    n = context.sizes[-1]
    sim = Sim(context, n)
    mount = Mount(context, sim)
    mount.listed()
    before = mount.rss()
    top = mount.at("servers/by-id")
    yield walk_row(mount, sim, before, "find | wc -l",
                   ["sh", "-c", 'find "$1" -name raw -prune -o -print | wc -l', "sh", top])
    if context.full:
        yield from reading(mount, sim, before)
    yield from end_of_walks(mount)
    sim.stop()
    if not context.full:
        sim = Sim(context, context.sizes[-2] if len(context.sizes) > 1 else n)
        mount = Mount(context, sim)
        mount.listed()
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
    walk = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while walk.poll() is None:
        asked = time.monotonic()
        touch(sim)
        mount.refresh()
        slowest = max(slowest, time.monotonic() - asked)
        refreshes += 1
        try:
            walk.wait(2)
        except subprocess.TimeoutExpired:
            pass
    took = time.monotonic() - began
    return row(f"{what} of {sim.servers} servers, 1 % changing every 2 s", took, "s",
               note=f"{took * 1e6 / sim.servers:.0f} µs a server; {refreshes} refreshes, slowest "
               f"{slowest:.2f} s; daemon {mount.rss() / 2**20:.0f} MiB, before "
               f"{before / 2**20:.0f}")


def end_of_walks(mount):
    inodes = fuse_inodes() or 0
    if os.geteuid() == 0:
        kept = slab()
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("2\n")
        yield row("slab that goes when the kernel wants it back", (kept[0] - slab()[0]) / 2**20,
                  "MiB", note=f"of all {kept[0] / 2**20:.0f} MiB; {inodes} inodes of FUSE before")
    began = time.monotonic()
    mount.process.terminate()
    mount.process.wait(60)
    yield row("SIGTERM until the daemon is gone", time.monotonic() - began, "s", limit=1.0)


# --- writing ---------------------------------------------------------------------------------------

def write(context):
    n = context.sizes[0]
    sim = Sim(context, n)
    running = [record["id"] for record in sim.ask("GET", "/_sim/servers")
               if record["status"] == "ACTIVE" and not record.get("task_state")]
    mount = Mount(context, sim)
    mount.listed()
    turn = iter(running)
    body = {"server_ids": [running[0]]}

    def echo():
        path = mount.at("servers/by-id", next(turn), "power")
        return loop(context, "write", path, "reboot\n", 1)[0] / 1e6

    def post():
        return float(timed(
            ["curl", "-sS", "-o", "/dev/null", "-w", "%{time_total}", "-X", "POST", "-H",
             "Authorization: Bearer " + TOKEN, "-H",
             "Content-Type: application/json", "-d", json.dumps(body),
             f"{sim.url}/v1/servers/action/reboot"])[1]) * 1000

    times = max(context.runs, 20)
    ours, theirs = measured(times, echo, post)
    yield row("echo reboot > power", ours, "ms", theirs, "curl POST, same call",
              note="the verdict waits until every path shows it")
    yield from batch(context, mount, sim, n)
    yield from wake(context, mount, sim, running[-1])


def batch(context, mount, sim, n):
    """All that run are stopped and started, each time in one write."""
    names = [r["id"] for r in sim.ask("GET", "/_sim/servers")
             if r["status"] == "ACTIVE" and not r.get("task_state")]
    took, calls = [], []
    for verb in ("off", "on", "off", "on")[:max(2, min(context.runs, 4))]:
        sim.calls()
        began = time.monotonic()
        fd = os.open(mount.at("servers/power"), os.O_WRONLY)
        os.write(fd, "".join([f"expect {len(names)}\n", *(f"{verb} {i}\n" for i in names)]).encode())
        os.close(fd)
        took.append(time.monotonic() - began)
        calls.append(sim.ask("GET", "/_sim/counters")["changes"])
        state = {"off": "stopped", "on": "running"}[verb]
        wait_for(lambda s=state: all(read(mount.at("servers/by-id", i, "state")) == s
                                     for i in names), f"servers {state}", 0.2)
    yield row(f"batch: {len(names)} of {n} servers stopped or started in one write", median(took),
              "s", note=f"{median(calls):.0f} calls that change")


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read().strip()


def wake(context, mount, sim, name):
    """From the end of the refresh that shows a change to the waiter's return from poll."""
    waits = []
    for i in range(context.runs):
        waiter = subprocess.Popen([context.loop, "poll", mount.at("servers/by-id", name, "status")],
                                  stdout=subprocess.PIPE, text=True)
        waiter.stdout.readline()
        sim.ask("PATCH", f"/_sim/servers/{name}", {"status": ("PAUSED", "ACTIVE")[i % 2]})
        began = time.time()
        mount.refresh()
        shown = time.time()
        woken = float(waiter.stdout.readline()) / 1e9
        waiter.wait()
        waits.append((woken - shown, shown - began))
    yield row("poll waiter woken, after the refresh's end", median(w for w, _ in waits) * 1000,
              "ms", note=f"less than 0: before it; the refresh took "
              f"{median(r for _, r in waits) * 1000:.1f} ms")


# --- others ----------------------------------------------------------------------------------------

def peers(context):
    n = context.sizes[0]
    mount = Mount(context, Sim(context, n))
    ids = mount.listed()
    here = mount.at("servers/by-id")
    there = copy_tree(mount, tmpfs(context, "peers"))
    tops = [("cirrusfs", here), ("tmpfs", there)]
    others = []
    for begin in (begin_sshfs, begin_rclone):
        other = begin(context, there)
        if other:
            others.append(other)
            tops.append((other[0], other[1]))
        else:
            yield row(begin.__name__[6:], 0, "", note="not installed: contrib/install-packages bench")
    works = (
        (f"cat of one attribute of {n} servers, 3rd pass",
         lambda top: loop(context, "cats", 3, input="".join(
             f"{os.path.join(top, i)}/status\0" for i in ids))[2] / 1e9),
        (f"ls -lR of {n} servers, warm",
         lambda top: seconds(["ls", "-lR", "--ignore=raw", top])),
    )
    for what, work in works:
        for _, top in tops:
            work(top)
        values = measured(min(context.runs, 3), *[lambda t=top, w=work: w(t) for _, top in tops])
        for (name, _), value in zip(tops[1:], values[1:]):
            yield row(f"{what}: {name}", value, "s", values[0], "cirrusfs")
    for other in others:
        subprocess.run(["fusermount3", "-uz", other[1]], check=False)
        for process in other[2]:
            process.terminate()
            process.wait()
    shutil.rmtree(os.path.dirname(there))
    yield from openstack(context)


def begin_sshfs(context, there):
    """sshfs with sftp-server at the other end of a socket: no ssh, hence its best case."""
    server = next((path for path in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server",
                                     "/usr/lib/ssh/sftp-server") if os.path.exists(path)), None)
    if not server or not have("sshfs"):
        return None
    import socket
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)
    mnt = context.path("sshfs")
    os.mkdir(mnt)
    client = subprocess.Popen(
        ["sshfs", "-f", f"127.0.0.1:{there}", mnt, "-o",
         f"directport={listener.getsockname()[1]},ro"], stderr=subprocess.DEVNULL)
    try:
        connection = listener.accept()[0]
    except TimeoutError:
        client.kill()
        raise
    finally:
        listener.close()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    serving = subprocess.Popen([server], stdin=connection, stdout=connection)
    connection.close()
    wait_for(lambda: os.path.ismount(mnt), "sshfs", limit_s=20)
    return "sshfs", mnt, [client, serving]


def begin_rclone(context, there):
    if not have("rclone"):
        return None
    mnt = context.path("rclone")
    os.mkdir(mnt)
    process = subprocess.Popen(
        ["rclone", "mount", "--config", "/dev/null", "--read-only", there, mnt],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_for(lambda: os.path.ismount(mnt), "rclone", limit_s=20)
    return "rclone", mnt, [process]


def openstack(context):
    """python-openstackclient against list.tsv, on the same OpenStack: that of OS_CLOUD, if any."""
    cloud = os.environ.get("OS_CLOUD")
    if not cloud or not have("openstack"):
        yield row("openstack server list", 0, "",
                  note="not measured: OS_CLOUD names no OpenStack, or the client is missing")
        return
    mount = Mount(context, None, CALM, ["provider = openstack", f"cloud = {cloud}"])
    n = len(mount.listed())
    client, cat, first = measured(
        context.runs, lambda: seconds(["openstack", "server", "list", "-f", "value"]),
        lambda: seconds(["cat", mount.at("servers/list.tsv")]), lambda: refreshed(mount))
    mount.stop()
    yield row(f"openstack server list, {n} servers", client, "s", cat, "cat list.tsv",
              note=f"refresh and cat: {first:.3f} s")


def refreshed(mount):
    began = time.monotonic()
    mount.refresh()
    seconds(["cat", mount.at("servers/list.tsv")])
    return time.monotonic() - began


GROUPS = {"cached": cached, "cold": cold, "refresh": refresh, "views": views, "memory": memory,
          "write": write, "peers": peers}
