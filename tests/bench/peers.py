"""Others that show something far away as files, or this cloud as a table."""

import os
import shutil
import socket
import subprocess
import time

from row import attempts, missing, row
from world import (CALM, PASSWORD, Mount, Sim, copy_tree, have, loop, measured, seconds, timed,
                   tmpfs, wait_for)

SERVERS_PAGE = 1000  # osapi_max_limit of most OpenStacks


def peers(context):
    n = context.sizes[0]
    mount = Mount(context, Sim(context, n))
    ids = mount.listed()
    here = mount.at("servers/by-id")
    there = copy_tree(mount, tmpfs(context, "peers"))
    for begin in (begin_sshfs, begin_rclone):
        name = begin.__name__[6:]
        yield from attempts(context, (name, lambda b=begin, m=name: beside(
            context, m, b(context, there), here, there, ids)))
    shutil.rmtree(tmpfs(context, "peers"))
    context.close()
    yield from attempts(context, ("openstack server list", lambda: openstack(context)))


class Peer:
    """A mount of somebody else's, and the processes behind it, the one that mounts first."""

    def __init__(self, context, mnt, *processes):
        self.context = context
        self.mnt = mnt
        self.process = processes[0]
        self.processes = processes
        context.open.append(self)

    def stop(self):
        if self in self.context.open:
            self.context.open.remove(self)
        subprocess.run(["fusermount3", "-uz", self.mnt], check=False, stderr=subprocess.DEVNULL)
        for process in self.processes:
            process.terminate()
            process.wait()


def beside(context, name, peer, here, there, ids):
    """The same files by cirrusfs, in tmpfs, and by the other, which reads them from there."""
    if not peer:
        yield missing(name, "not installed: contrib/install-packages bench")
        return
    tops = (here, there, peer.mnt)
    works = (
        (f"cat of one attribute of {len(ids)} servers, 3rd pass",
         lambda top: loop(context, "cats", 3, input="".join(
             f"{os.path.join(top, i)}/status\0" for i in ids))[2] / 1e9),
        (f"ls -lR of {len(ids)} servers, warm",
         lambda top: seconds(["ls", "-lR", "--ignore=raw", top])),
    )
    for what, work in works:
        for top in tops:
            work(top)
        ours, plain, theirs = measured(context.runs, *[lambda t=top, w=work: w(t) for top in tops])
        yield row(f"{what}: {name}", theirs, "s", ours, "cirrusfs", note=f"tmpfs {plain:.3g} s")
    peer.stop()


def begin_sshfs(context, there):
    """sshfs with sftp-server at the other end of a socket: no ssh, and told to keep what it knows
    as long as cirrusfs does, hence its best case."""
    server = next((path for path in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server",
                                     "/usr/lib/ssh/sftp-server") if os.path.exists(path)), None)
    if not server or not have("sshfs"):
        return None
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(20)
    mnt = context.path("sshfs")
    os.mkdir(mnt)
    client = subprocess.Popen(
        ["sshfs", "-f", f"127.0.0.1:{there}", mnt, "-o",
         f"directport={listener.getsockname()[1]},ro,kernel_cache,dcache_timeout=3600,"
         "attr_timeout=3600,entry_timeout=3600"], stderr=subprocess.DEVNULL)
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
    peer = Peer(context, mnt, client, serving)
    wait_for(lambda: os.path.ismount(mnt), "sshfs", limit_s=20)
    return peer


def begin_rclone(context, there):
    if not have("rclone"):
        return None
    mnt = context.path("rclone")
    os.mkdir(mnt)
    process = subprocess.Popen(
        ["rclone", "mount", "--config", "/dev/null", "--read-only", "--attr-timeout", "1h",
         "--dir-cache-time", "1h", there, mnt],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    peer = Peer(context, mnt, process)
    wait_for(lambda: os.path.ismount(mnt), "rclone", limit_s=20)
    return peer


# --- the cloud's own client ------------------------------------------------------------------------

def openstack(context):
    """python-openstackclient against list.tsv, on the same OpenStack: that of OS_CLOUD, or a
    simulated one."""
    what = "openstack server list"
    if not have("openstack"):
        yield missing(what, "not installed: contrib/install-packages bench")
        return
    cloud = os.environ.get("OS_CLOUD")
    env = dict(os.environ)
    if not cloud:
        cloud = "bench"
        env["OS_CLIENT_CONFIG_FILE"] = clouds_yaml(context, cloud)
        env["OS_CLOUD"] = cloud
    mount = Mount(context, None, CALM, ["provider = openstack", f"cloud = {cloud}"], env=env)
    n = len(mount.listed())
    table = mount.at("servers/list.tsv")
    # Without --limit -1 it lists one page; names of flavours and images cost it two more calls.
    listing = ["openstack", "server", "list", "--limit", "-1", "-f", "value"]
    found = len(timed(listing, env=env)[1].splitlines())
    theirs, bare, ours, fresh = measured(
        min(context.runs, 5), lambda: seconds(listing, good=(0,), env=env),
        lambda: seconds([*listing, "--no-name-lookup"], good=(0,), env=env),
        lambda: seconds(["cat", table], good=(0,)), lambda: refreshed(mount, table))
    yield row(f"{what}, {n} servers", theirs, "s", ours, "cat list.tsv", note=f"it shows {found}")
    yield row(f"{what}, {n} servers", theirs, "s", fresh, "refresh and cat list.tsv",
              note=f"with --no-name-lookup {bare:.2f} s; openstack --version alone "
              f"{seconds(['openstack', '--version'], good=(0,), env=env):.2f} s")


def clouds_yaml(context, cloud):
    """A simulated OpenStack, and the file that tells both clients of it. Returns: its path."""
    sim = Sim(context, min(context.sizes[0], SERVERS_PAGE), dialect="openstack", page=SERVERS_PAGE,
              more=["--username", "bench"])
    path = context.path("clouds.yaml")
    text = f"""\
clouds:
  {cloud}:
    auth_type: password
    auth:
      auth_url: {sim.url}/identity/v3
      username: bench
      password: {PASSWORD}
      project_name: demo
      user_domain_id: default
      project_domain_id: default
    region_name: RegionOne
    identity_api_version: 3
"""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return path


def refreshed(mount, table):
    began = time.monotonic()
    mount.refresh()
    seconds(["cat", table], good=(0,))
    return time.monotonic() - began
