"""The rows of the benchmark. Each function takes the context and yields rows: what was measured,
what it is compared with in the same run, and what internals promise (limit: of the ratio, or of the
value where there is no reference)."""

import json
import os
import shutil
import subprocess
import time

from million import million
from peers import peers
from row import attempts, grown, missing, row
from walks import SIZES, memory, shape, walks
from world import (PAGE, TOKEN, Floor, Mount, Sim, copy_tree, have, loop, measured, median, seconds, timed,
                   tmpfs, wait_for)

# --- what is cached --------------------------------------------------------------------------------

def cached(context):
    n = context.sizes[0]
    entries = shape(context)
    mount = Mount(context, Sim(context, n))
    ids = mount.listed()
    here = mount.at("servers/by-id")
    there = copy_tree(mount, tmpfs(context, "tree"))
    floor = Floor(context, n, entries, False)
    yield from attempts(
        context,
        ("one file, hot", lambda: hot(context, mount, here, there, floor, sorted(ids)[n // 2])),
        ("one attribute of each", lambda: passes(context, mount, here, there, floor, ids)),
        ("walks, warm", lambda: warm(context, mount, here, there, n)))
    shutil.rmtree(tmpfs(context, "tree"))


def warm(context, mount, here, there, n):
    """What goes through everything, when the kernel has it all."""
    commands = {
        "grep -r": lambda top: ["grep", "-rs", "--exclude-dir=raw", "no such text", top],
        "tar": lambda top: ["sh", "-c", 'tar -C "$1" --ignore-failed-read --exclude=raw -cf - .'
                            " | cat >/dev/null", "sh", top],
        "find -type f": lambda top: ["find", top, *SIZES],
    }
    for name, command in commands.items():
        seconds(command(here))
        seconds(command(there))
        ours, theirs = measured(context.runs, lambda c=command: seconds(c(here)),
                                lambda c=command: seconds(c(there)))
        requests = mount.requests(lambda c=command: seconds(c(here)))
        yield row(f"{name} of {n} servers, warm", ours, "s", theirs, "tmpfs",
                  note=f"{requests} requests")


def hot(context, mount, here, there, floor, name):
    """One file or directory, again and again."""
    for what, verb, file, times, limit in (
            ("stat of an attribute", "stat", True, 200000, 1.1),
            ("ls of a server", "ls", False, 10000, 1.0),
            ("cat of an attribute", "cat", True, 100000, 1.5)):
        paths = [os.path.join(top, name, *(["status"] if file else [])) for top in (here, there)]
        paths.append(floor.file(0) if file else os.path.dirname(floor.file(0)))
        loop(context, verb, paths[0], 100)
        ours, theirs, least = measured(
            context.runs,
            *(lambda v=verb, p=path, t=times: loop(context, v, p, t)[0] for path in paths))
        requests = mount.requests(lambda v=verb, p=paths[0]: loop(context, v, p, 1000))
        yield row(f"{what}, hot", ours, "ns", theirs, "tmpfs", limit,
                  f"floor {least:,.0f} ns; {requests} requests for 1,000")


def passes(context, mount, here, there, floor, ids):
    """One attribute of each, three times over, from nothing known."""
    def cats(paths):
        return loop(context, "cats", 3, input="".join(f"{path}\0" for path in paths))

    works = [lambda t=top: cats(f"{os.path.join(t, i)}/status" for i in ids)
             for top in (here, there)]
    works.append(lambda: cats(floor.file(i) for i in range(len(ids))))
    before = mount.stats()["cirrusfs_fuse_requests_total"]
    results = [[work() for work in works]]
    requests = mount.stats()["cirrusfs_fuse_requests_total"] - before
    results += [[work() for work in works] for _ in range(context.runs - 1)]
    ours, theirs, least = ([one[which] for one in results] for which in range(3))
    warm_s = median([values[2] for values in theirs]) / 1e9
    for number, what in enumerate((f"cat of one attribute of {len(ids)} servers, 1st pass",
                                   "2nd pass", "3rd pass")):
        last = number == 2
        yield row(what, (median([one[2] for one in ours]) if last else ours[0][number]) / 1e9, "s",
                  warm_s, "tmpfs", 1.2 if last else None,
                  f"{requests:.0f} requests for three passes" if number == 0 else
                  f"floor {median([one[2] for one in least]) / 1e9:.3g} s" if last else "")


# --- listings --------------------------------------------------------------------------------------

def cold(context):
    for latency_ms in (0, 20):
        growth = []
        for n in context.sizes:
            yield from attempts(context, (
                f"list of {n} servers, cold, {latency_ms} ms latency",
                lambda n=n, ms=latency_ms, points=growth: cold_list(context, n, ms, points)))
        yield grown(f"list, cold, {latency_ms} ms latency", growth)
    yield from attempts(context, ("first ls after mount", lambda: first_ls(context)))


def cold_list(context, n, latency_ms, growth):
    sim = Sim(context, n, latency_ms)
    sim.fetch()  # the simulator makes its pages when they are first asked for
    (whole, first, last, cpu, fetch, fetch_cpu, calls, sim_cpu, sim_fetch_cpu, parse,
     parse_cpu) = (median(column) for column in
                   zip(*(one_listing(context, sim) for _ in range(context.runs))))
    what = f"list of {n} servers, cold, {latency_ms} ms latency"
    growth.append((n, whole))
    yield row(f"{what}: mount to the version with all", whole, "s", fetch, "curl, same pages", 2.0,
              f"CPU {cpu:.2f} s and the simulator's {sim_cpu:.2f}, curl's {fetch_cpu:.2f} and "
              f"{sim_fetch_cpu:.2f}; {calls:.0f} calls of {-(-n // PAGE)} pages")
    yield row("the same beside a program that reads the pages", whole, "s", parse,
              "curl and cJSON, same pages", note=f"CPU {cpu:.2f} s, its {parse_cpu:.2f}")
    yield row(f"{what}: mount to the first name in by-id", first, "s", whole, "all",
              note=f"to the last name {last:.3f} s")


def first_ls(context):
    sim = Sim(context, 100, 20)
    results = [one_listing(context, sim) for _ in range(context.runs)]
    yield row("first ls after mount, 100 servers, 20 ms latency", median(r[2] for r in results),
              "s", limit=0.06)


def one_listing(context, sim):
    """Returns: seconds to the version with all, to the first name and to the last, CPU seconds;
    curl's seconds and CPU seconds; calls of the listing; CPU seconds of the simulator for the mount
    and for curl; seconds and CPU seconds of a program that reads the pages."""
    sim_before = sim.cpu()
    fetch, fetch_cpu, _ = sim.fetch()
    sim_fetch_cpu = sim.cpu() - sim_before
    parse, parse_cpu = sim.parse()
    sim.calls()
    sim_before = sim.cpu()
    mount = Mount(context, sim)
    first_ns, last_ns, n = loop(context, "names", mount.at("servers/by-id"))
    last = time.monotonic() - mount.began
    os.readlink(mount.at("servers/list.tsv"))  # of a version
    whole = time.monotonic() - mount.began
    sim_cpu = sim.cpu() - sim_before
    cpu = mount.cpu()
    calls = sim.ask("GET", "/_sim/counters")["by"].get("GET /v1/servers/{page}/{size}", 0)
    mount.unmount()
    assert n == sim.servers, f"{n} names"
    return (whole, last - (last_ns - first_ns) / 1e9, last, cpu, fetch, fetch_cpu, calls, sim_cpu,
            sim_fetch_cpu, parse, parse_cpu)


# --- refreshes -------------------------------------------------------------------------------------

def refresh(context):
    growth = {}
    for n in context.sizes:
        yield from attempts(context, (f"refresh of {n} servers",
                                      lambda n=n: refreshes(context, n, growth)))
    for kind, points in growth.items():
        yield grown(f"refresh, {kind}", points)


def refreshes(context, n, growth):
    sim = Sim(context, n)
    mount = Mount(context, sim)
    # What the kernel holds has to be invalidated: every file, of 10,000 servers at most, since more
    # would take minutes to be looked at.
    top = mount.at("servers/by-id")
    known = sorted(mount.listed())[:: max(1, n // 10000)][:10000]
    subprocess.run(["xargs", "-0", "sh", "-c", 'exec find "$@" ' + " ".join(SIZES), "sh"],
                   input="\0".join(os.path.join(top, name) for name in known), text=True,
                   check=True, stdout=subprocess.DEVNULL)
    for kind, change in (("nothing changed", None), ("1 % changed", Sim.touch),
                         ("1 % replaced", replace)):
        rows = [one_refresh(mount, sim, change) for _ in range(context.runs)]
        took, cpu, fetch, fetch_cpu = (median(r[i] for r in rows) for i in range(4))
        last = counted_refresh(mount, sim, change)
        growth.setdefault(kind, []).append((n, took))
        yield row(f"refresh of {n} servers, {kind}", took, "s", fetch, "curl, same pages",
                  None if change else 1.3,
                  f"CPU {cpu:.2f} s, curl's {fetch_cpu:.2f} s; parsed {last['parsed']:.0f}, "
                  f"invalidations {last['told']:.0f}, calls {last['calls']:.0f}; the kernel "
                  f"holds the files of {len(known)}")


def replace(sim):
    n = max(1, sim.servers // 100)
    ids = [record["id"] for record in sim.ask("GET", "/_sim/servers")]
    for name in ids[:: max(1, len(ids) // n)][:n]:
        sim.ask("DELETE", f"/_sim/servers/{name}")
    sim.ask("POST", "/_sim/servers/bulk", {"count": n})


def one_refresh(mount, sim, change):
    """Returns: seconds and CPU seconds; curl's."""
    if change:
        change(sim)
    fetch, fetch_cpu, _ = sim.fetch()
    cpu = mount.cpu()
    began = time.monotonic()
    mount.refresh()
    return time.monotonic() - began, mount.cpu() - cpu, fetch, fetch_cpu


def counted_refresh(mount, sim, change):
    """One that is not timed: the counters are asked."""
    if change:
        change(sim)
    before = mount.stats()
    sim.calls()
    mount.refresh()
    calls = sim.calls()
    after = mount.stats()
    parsed = 'cirrusfs_records_parsed_total{profile="sim",collection="servers"}'
    told = "cirrusfs_notify_sent_total"
    return {"parsed": after[parsed] - before[parsed], "calls": calls,
            "told": after[told] - before[told]}


# --- the whole collection in one read --------------------------------------------------------------

def views(context):
    growth = {}
    for n in context.sizes:
        yield from attempts(context, (f"lists of {n} servers",
                                      lambda n=n: lists(context, n, growth)))
    for name, points in growth.items():
        yield grown(f"{name}, first read", points)
    yield from attempts(context, ("asking a list", lambda: asks(context)))


def lists(context, n, growth):
    mount = Mount(context, Sim(context, n))
    mount.listed()
    for name in ("list.tsv", "list.jsonl"):
        path = mount.at("servers", name)
        first = loop(context, "read", path)[0] / 1e9
        growth.setdefault(name, []).append((n, first))
        copy = tmpfs(context, name)
        shutil.copyfile(path, copy)
        ours, theirs = measured(context.runs, lambda p=path: loop(context, "read", p)[0] / 1e9,
                                lambda p=copy: loop(context, "read", p)[0] / 1e9)
        yield row(f"{name} of {n} servers", ours, "s", theirs, "tmpfs",
                  note=f"first read {first:.2f} s, {os.path.getsize(copy) / 1e6:.1f} MB")
        os.unlink(copy)


def asks(context):
    """The same question, of the lists and of the tree: which servers are shut off?"""
    n = context.sizes[-1]
    sim = Sim(context, n)
    walked = median(cats_of_new(context, sim) for _ in range(context.runs))
    mount = Mount(context, sim)
    mount.listed()
    table, lines = mount.at("servers/list.tsv"), mount.at("servers/list.jsonl")
    questions = [("awk over list.tsv", ["awk", "-F\t", '$3 == "SHUTOFF" {print $1}', table])]
    if have("jq"):
        questions.append(("jq over list.jsonl",
                          ["jq", "-r", 'select(.status == "SHUTOFF") | .id', lines]))
    answers = {timed(command)[1] for _, command in questions}
    if len(answers) != 1:
        raise RuntimeError("the lists do not agree")
    for what, command in questions:
        took = median(seconds(command, good=(0,)) for _ in range(context.runs))
        yield row(f"{what}, {n} servers", took, "s", walked, "cat of every status, cold")


def cats_of_new(context, sim):
    """The tree is asked by paths that are known: there is no quicker walk."""
    mount = Mount(context, sim)
    paths = "".join(f"{mount.at('servers/by-id', name)}/status\0" for name in mount.listed())
    walked = loop(context, "cats", 1, input=paths)[0] / 1e9
    mount.unmount()
    return walked


# --- writing ---------------------------------------------------------------------------------------

def write(context):
    n = context.sizes[0]
    sim = Sim(context, n)
    for record in sim.ask("GET", "/_sim/servers"):
        if record["status"] != "ACTIVE" or record.get("task_state"):
            sim.ask("PATCH", f"/_sim/servers/{record['id']}",
                    {"status": "ACTIVE", "task_state": None})
    mount = Mount(context, sim)
    running = mount.listed()
    yield from attempts(
        context,
        ("echo reboot > power", lambda: echo(context, mount, sim, running)),
        ("batch", lambda: batch(context, mount, sim, running)),
        ("poll", lambda: wake(context, mount, sim, running[-1])))


def curl_post(sim, *calls):
    """Reboots by curl, each (path, argument of reboot). Returns: seconds, without curl's start."""
    words = []
    for path, argument in calls:
        words += (["--next"] if words else []) + [
            "-sS", "--fail", "-o", "/dev/null", "-w", "%{time_total}\n", "-X", "POST", "-H",
            "Authorization: Bearer " + TOKEN, "-H", "Content-Type: application/json", "-d",
            json.dumps({"reboot": {"type": "SOFT", **argument}}), sim.url + path]
    return sum(float(word) for word in timed(["curl", *words])[1].split())


def echo(context, mount, sim, running):
    turn = iter(running)

    def write_one():
        path = mount.at("servers/by-id", next(turn), "power")
        return loop(context, "write", path, "reboot\n", 1)[0] / 1e6

    call = (f"/v1/servers/{running[-1]}/action", {})
    ours, theirs = measured(max(context.runs, 20), write_one, lambda: curl_post(sim, call) * 1000)
    yield row("echo reboot > power", ours, "ms", theirs, "curl POST, same call",
              note="the verdict waits until every path shows it")


def batch(context, mount, sim, names):
    """All are stopped and started, each time in one write."""
    took, calls = [], []
    for verb in ("off", "on") * -(-context.runs // 2):
        sim.calls()
        text = "".join([f"expect {len(names)}\n", *(f"{verb} {i}\n" for i in names)])
        began = time.monotonic()
        fd = os.open(mount.at("servers/power"), os.O_WRONLY)
        os.write(fd, text.encode())
        os.close(fd)
        took.append(time.monotonic() - began)
        calls.append(sim.ask("GET", "/_sim/counters")["changes"])
        state = {"off": "stopped", "on": "running"}[verb]
        wait_for(lambda s=state: all(read(mount.at("servers/by-id", i, "state")) == s
                                     for i in names), f"servers {state}", 0.2)
    orders = [("/v1/servers/action", {"servers": [{"id": name} for name in names[i:i + 100]]})
              for i in range(0, len(names), 100)]
    posts = median(curl_post(sim, *orders) for _ in range(context.runs))
    yield row(f"batch: {len(names)} servers stopped or started in one write", median(took), "s",
              posts, f"{len(orders)} curl POSTs", note=f"{median(calls):.0f} calls that change")


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


GROUPS = {"cached": cached, "cold": cold, "refresh": refresh, "views": views, "memory": memory,
          "walks": walks, "write": write, "peers": peers, "million": million}
