"""What the rows of the benchmark stand on: simulators, mounts, and ways of measuring."""

import http.client
import itertools
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import time
import urllib.parse

TOKEN = "fake-token-for-benchmarks"
PASSWORD = "fake-password-for-benchmarks"
PAGE = 100
SIDE_BY_SIDE = 8  # pages that the daemon fetches side by side; curl gets the same
# Demand must not begin a refresh while a row measures something else.
CALM = "ttl=3600,max_stale=7200,rate=0,patience=60,deadline=120"


class Context:
    """Programs, folders and sizes of one run; ends all that it began."""

    def __init__(self, build, tmp, sizes, runs, full):
        self.cirrusfs = os.path.join(build, "cirrusfs")
        self.loop = os.path.join(build, "tests/bench/loop")
        self.floor = os.path.join(build, "tests/bench/floor")
        self.pages = os.path.join(build, "tests/bench/pages")
        self.tmp = tmp
        self.sizes = sizes
        self.runs = runs
        self.full = full  # also what takes many minutes
        self.million = 0  # servers of the largest world
        self.patience_s = 3600 if full else 1800  # for a part of a group of rows
        self.open = []
        self.numbers = itertools.count()

    def path(self, *parts):
        return os.path.join(self.tmp, *parts)

    def number(self):
        """For names that nobody else has."""
        return next(self.numbers)

    def close(self, but=0):
        """Ends all but the first so many that were begun."""
        while len(self.open) > but:
            self.open.pop().stop()


class Sim:
    """A simulated cloud."""

    def __init__(self, context, servers, latency_ms=0, dialect="inspur", page=PAGE, more=()):
        self.context = context
        port_file = context.path(f"url-{context.number()}")
        self.process = subprocess.Popen(
            [context.cirrusfs, "simulate", "--dialect", dialect, "--servers", str(servers),
             "--images", "20", "--latency", str(latency_ms), "--max-page", str(page),
             "--transition", "0", "--seed", "7", "--port-file", port_file, *more],
            env={**os.environ, "CIRRUSFS_SIM_TOKEN": TOKEN, "CIRRUSFS_SIM_PASSWORD": PASSWORD},
            stdout=subprocess.DEVNULL)
        context.open.append(self)
        wait_for(lambda: os.path.exists(port_file) and os.path.getsize(port_file), "simulator")
        with open(port_file, encoding="ascii") as file:
            self.url = file.read().strip()
        self.servers = servers
        self.connection = None

    def ask(self, method, path, value=None):
        """One call to the administrator's interface, or to the cloud's."""
        if not self.connection:
            self.connection = http.client.HTTPConnection(urllib.parse.urlsplit(self.url).netloc)
        self.connection.request(
            method, path, None if value is None else json.dumps(value),
            {"Authorization": "Bearer " + TOKEN, "Content-Type": "application/json"})
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:200]!r}")
        return json.loads(text) if text else None

    def calls(self):
        """Calls since the last time."""
        total = self.ask("GET", "/_sim/counters")["total"]
        self.ask("DELETE", "/_sim/counters")
        return total

    def touch(self):
        """Changes one server of a hundred."""
        self.ask("POST", "/_sim/servers/touch", {"fraction": 0.01})

    def fetch(self):
        """The same pages by curl, to nothing. Returns: (seconds, CPU seconds, bytes)."""
        pages = -(-self.servers // PAGE)
        before = os.times()
        took, text = timed(
            ["curl", "-sS", "--no-progress-meter", "--fail", "--parallel", "--parallel-max",
             str(SIDE_BY_SIDE), "-H", "Authorization: Bearer " + TOKEN, "-o", "/dev/null", "-w",
             "%{size_download}\n", f"{self.url}/v1/servers/[1-{pages}]/{PAGE}"])
        after = os.times()
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        return took, cpu, sum(int(size) for size in text.split())

    def parse(self):
        """The same pages by a program that reads them. Returns: (seconds, CPU seconds)."""
        before = os.times()
        took, _ = timed(
            [self.context.pages, "Authorization: Bearer " + TOKEN, str(SIDE_BY_SIDE),
             str(-(-self.servers // PAGE)), f"{self.url}/v1/servers/", f"/{PAGE}"])
        after = os.times()
        cpu = after.children_user + after.children_system
        return took, cpu - before.children_user - before.children_system

    def cpu(self):
        return cpu_of(self.process.pid)

    def rss(self):
        return status_kib(self.process.pid, "VmRSS") * 1024

    def stop(self):
        if self in self.context.open:
            self.context.open.remove(self)
        if self.connection:
            self.connection.close()
        end(self.process)


class Mount:
    """A mount of one profile, [sim]."""

    def __init__(self, context, sim, options=CALM, lines=None, env=None):
        self.context = context
        number = context.number()
        self.mnt = context.path(f"mnt-{number}")
        os.mkdir(self.mnt)
        config = context.path(f"config-{number}")
        lines = lines or ["provider = inspur", f"endpoint = {sim.url}", "auth = token",
                          f"token = {TOKEN}"]
        with open(os.open(config, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
            file.write("\n".join(["[sim]", *lines, ""]))
        self.profile = os.path.join(self.mnt, "sim")
        self.log = context.path(f"log-{number}")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [context.cirrusfs, "mount", "-f", "-c", config, "-o",
             f"log_level=info,log={self.log},{options}", self.mnt],
            env={**(env or os.environ), "XDG_STATE_HOME": context.path("state")},
            stdout=subprocess.DEVNULL)
        context.open.append(self)
        wait_for(lambda: is_mounted(self.mnt) or self.process.poll() is not None, "mount", 0.001)
        if self.process.poll() is not None:
            raise RuntimeError("the mount ended: " + tail(self.log))

    def at(self, *parts):
        return os.path.join(self.profile, *parts)

    def listed(self):
        """Waits for the first listing. Returns: the ids."""
        os.readlink(self.at("servers/list.tsv"))
        return os.listdir(self.at("servers/by-id"))

    def loaded(self):
        """Waits for the first listing; the kernel gets to know next to nothing of it."""
        ended = 'cirrusfs_refreshes_total{profile="sim",collection="servers"}'
        os.readlink(self.at("servers/list.tsv"))  # of a version, hence not before there is one
        wait_for(lambda: self.stats()[ended] > 0, "first listing")

    def refresh(self):
        with open(self.at("refresh"), "w", encoding="ascii") as file:
            file.write("now\n")

    def stats(self):
        """All counters, not older than this call: stats are kept for a second."""
        end_at = time.time() + 1.05
        while time.time() < end_at:
            time.sleep(0.05)
        sums = {}
        with open(os.path.join(self.mnt, ".cirrusfs/stats"), encoding="utf-8") as file:
            for line in file:
                if not line.startswith("#"):
                    name, value = line.rsplit(" ", 1)
                    short = name.split("{")[0]
                    sums[short] = sums.get(short, 0) + float(value)
                    sums[name] = float(value)
        return sums

    def asked(self):
        """FUSE requests so far."""
        return self.stats()["cirrusfs_fuse_requests_total"]

    def requests(self, work):
        """FUSE requests that work() costs, less those of reading the counters."""
        counted = "cirrusfs_fuse_requests_total"
        first = self.stats()[counted]
        second = self.stats()[counted]
        work()
        return max(0, round(self.stats()[counted] - second - (second - first)))

    def rss(self):
        return status_kib(self.process.pid, "VmRSS") * 1024

    def peak(self):
        return status_kib(self.process.pid, "VmHWM") * 1024

    def cpu(self):
        return cpu_of(self.process.pid)

    def unmount(self):
        """Returns: seconds until the daemon is gone."""
        return unmount(self)

    def stop(self):
        end_mount(self)


class Floor:
    """A mount of tools/floor: so many directories with these entries ("f NAME", "d NAME" …)."""

    def __init__(self, context, servers, entries, nodes):
        self.context = context
        self.mnt = context.path(f"mnt-{context.number()}")
        self.first = next(entry[2:] for entry in entries if entry.startswith("f "))
        os.mkdir(self.mnt)
        self.process = subprocess.Popen(
            [context.floor, self.mnt, str(servers), *(["nodes"] if nodes else [])], text=True,
            stdin=subprocess.PIPE)
        context.open.append(self)
        with self.process.stdin as names:
            names.write("".join(entry + "\n" for entry in entries))
        wait_for(lambda: is_mounted(self.mnt) or self.process.poll() is not None, "floor", 0.001)
        if self.process.poll() is not None:
            raise RuntimeError("the floor did not mount")

    def file(self, server):
        """The path of a file of that server, as long as in our tree."""
        return os.path.join(self.mnt, f"sim/servers/by-id/{server:08x}-0000-4000-8000-{server:012x}",
                            self.first)

    def unmount(self):
        return unmount(self)

    def stop(self):
        end_mount(self)


def unmount(mount):
    """Returns: seconds until nothing is left of it, the process included."""
    began = time.monotonic()
    subprocess.run(["fusermount3", "-u", mount.mnt], check=True)
    mount.process.wait(120)
    mount.context.open.remove(mount)
    return time.monotonic() - began


def end_mount(mount):
    if mount in mount.context.open:
        mount.context.open.remove(mount)
    if is_mounted(mount.mnt):
        subprocess.run(["fusermount3", "-uz", mount.mnt], check=False)
    end(mount.process)


# --- the same without a cloud ----------------------------------------------------------------------

def copy_tree(mount, to):
    """The same tree where nothing is asked of anybody, as deep. Returns: its folder of servers."""
    shutil.rmtree(to, ignore_errors=True)
    to = os.path.join(to, "sim", "servers")
    os.makedirs(to)
    pack = subprocess.Popen(
        ["tar", "-C", mount.at("servers"), "--ignore-failed-read", "--exclude=raw", "-cf", "-",
         "by-id"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    subprocess.run(["tar", "-C", to, "-xf", "-"], stdin=pack.stdout, check=True)
    pack.wait()
    return os.path.join(to, "by-id")


def tmpfs(context, name):
    return os.path.join("/dev/shm", f"cirrusfs-bench-{os.path.basename(context.tmp)}-{name}")


# --- measuring -------------------------------------------------------------------------------------

def median(values):
    return statistics.median(values)


def timed(command, **more):
    """Returns: (seconds, stdout)."""
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False, text=True, **more)
    took = time.monotonic() - began
    if done.returncode != 0:
        raise RuntimeError(f"{command[0]}: exit status {done.returncode}")
    return took, done.stdout


def seconds(command, good=None, **more):
    """Seconds of a command whose output nobody wants. good: (nullable): exit statuses that say that
    it did its work; without it any will do."""
    began = time.monotonic()
    done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          check=False, **more)
    took = time.monotonic() - began
    if good is not None and done.returncode not in good:
        raise RuntimeError(f"{command[0]}: exit status {done.returncode}")
    return took


def measured(runs, *works):
    """Runs all works in turn, so many times: what disturbs the machine disturbs all of them.
    Returns: the median of each."""
    results = [[] for _ in works]
    for _ in range(runs):
        for values, work in zip(results, works):
            values.append(work())
    return [median(values) for values in results]


def loop(context, *arguments, **more):
    """The loop tool. Returns: its numbers."""
    done = subprocess.run([context.loop, *map(str, arguments)], stdout=subprocess.PIPE, check=True,
                          text=True, **more)
    return [float(word) for word in done.stdout.split()]


def exponent(points):
    """Of (n, value): the slope of log value over log n, by least squares."""
    import math
    logs = [(math.log(n), math.log(value)) for n, value in points if n > 0 and value > 0]
    if len(logs) < 2:
        return None
    mean_x = sum(x for x, _ in logs) / len(logs)
    mean_y = sum(y for _, y in logs) / len(logs)
    return (sum((x - mean_x) * (y - mean_y) for x, y in logs) /
            sum((x - mean_x) ** 2 for x, _ in logs))


# --- the machine -----------------------------------------------------------------------------------

def is_mounted(mnt):
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return any(line.split()[4] == mnt for line in file)


def status_kib(pid, name):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return int(re.search(rf"^{name}:\s+(\d+)", file.read(), re.M).group(1))


def cpu_of(pid):
    """User and system seconds of all threads."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def slab():
    """What the kernel keeps in slabs: (all, reclaimable) in bytes."""
    with open("/proc/meminfo", encoding="ascii") as file:
        values = dict(line.split(":") for line in file)
    return tuple(int(values[name].split()[0]) * 1024 for name in ("Slab", "SReclaimable"))


def fuse_inodes():
    """Inodes of FUSE that the kernel holds; None where it does not tell."""
    try:
        with open("/proc/slabinfo", encoding="ascii") as file:
            return sum(int(line.split()[1]) for line in file if line.startswith("fuse_inode"))
    except OSError:
        return None


def wait_for(condition, what, pause_s=0.01, limit_s=120):
    end_at = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end_at:
            raise RuntimeError(f"{what}: not ready after {limit_s} s")
        time.sleep(pause_s)


def end(process):
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tail(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return "".join(file.readlines()[-5:])
    except OSError:
        return ""


def have(*programs):
    return all(shutil.which(program) for program in programs)
