#!/usr/bin/env python3
"""Compares the files of a mount with what the openstack command says.

    compare.py servers|images COLLECTION-DIRECTORY [CASE] <ANSWERS

With CASE it is of one resource, whose files are fetched anew first; status 3 and no word where the
command says that something is still under way on it. Status 1: something differs.

ANSWERS: what "openstack server show -f json" (image show) printed, one after the other. Prints one
case for each resource: "ok - CASE" or "not ok - CASE" with what differs; CASE is of its id where none
is given. It shares no table with the program: what is expected is worked out here, from the command's
words. Each file of a resource is compared, or named below with the reason why it cannot be; one that
is neither is a difference. LIVE_REGION is the region that the command is configured for.
"""
import json
import os
import re
import sys

SERVER_STATES = {"ACTIVE": "running", "SHUTOFF": "stopped", "BUILD": "building", "ERROR": "error",
                 "PAUSED": "paused", "SUSPENDED": "suspended", "REBOOT": "rebooting",
                 "HARD_REBOOT": "rebooting", "SHELVED": "stopped", "SHELVED_OFFLOADED": "stopped",
                 "RESCUE": "running"}
IMAGE_STATES = {"active": "available", "queued": "creating", "saving": "creating",
                "deactivated": "disabled", "killed": "error", "pending_delete": "deleting"}
POWER = {"running": "on", "stopped": "off", "paused": "paused", "suspended": "suspended",
         "building": "changing", "rebooting": "changing", "error": "unknown"}

# What only acts or is only of this mount; the command knows nothing of it. (charge_type, expires:
# Nova has no such thing, and then there is no file.)
LOCAL = {"power_choices", "console", "console_url", "console.log", "capture", "captured",
         "last_error", "delete", "raw"}


def lines(items):
    return "".join(item + "\n" for item in items)


def line(value):
    """A file of one value; no value, no text."""
    return "" if value in (None, "") else str(value) + "\n"


def seconds(text):
    return re.sub(r"\.\d+", "", text) + ("" if text.endswith("Z") else "Z")


def image_id(text):
    found = re.search(r"\(([^()]+)\)$", text) if isinstance(text, str) else None
    return found.group(1) if found else None


def fault_text(fault):
    if not fault:
        return ""
    first = ": ".join(str(fault[key]).rstrip() for key in ("code", "message") if fault.get(key))
    return line("\n".join(part for part in (first, fault.get("details")) if part).rstrip())


def server_state(told):
    """Where the command shows no task; what a task makes of it is not in its words."""
    return None if told["OS-EXT-STS:task_state"] else SERVER_STATES.get(told["status"])


def server_files(told):
    flavor = told["flavor"]
    state = server_state(told)
    yield "id", line(told["id"])
    yield "name", line(told["name"])
    yield "status", line(told["status"])
    if state:
        yield "state", line(state)
        yield "power", line(POWER[state])
    yield "task", line(told["OS-EXT-STS:task_state"])
    yield "created", line(seconds(told["created"]))
    yield "updated", line(seconds(told["updated"]))
    yield "description", line(told["description"])
    yield "zone", line(told["OS-EXT-AZ:availability_zone"])
    if os.environ.get("LIVE_REGION"):
        yield "region", line(os.environ["LIVE_REGION"])
    yield "host", line(told.get("OS-EXT-SRV-ATTR:host") or told["hostId"])
    yield "key_name", line(told["key_name"])
    yield "flavor", line(flavor["original_name"])
    yield "vcpus", line(flavor["vcpus"])
    yield "ram_mb", line(flavor["ram"])
    yield "root_disk_gb", line(flavor["disk"] or None)
    yield "security_groups", lines(g["name"] for g in told.get("security_groups") or [])
    yield "tags", lines(sorted(told["tags"], key=lambda t: t.encode()))
    yield "lock", line("1" if told["locked"] else "0")
    yield "locked_reason", line(told["locked_reason"])
    yield "fault", fault_text(told.get("fault"))


def image_files(told):
    properties = told["properties"]
    distro, version = properties.get("os_distro"), properties.get("os_version")
    yield "id", line(told["id"])
    yield "name", line(told["name"])
    yield "status", line(told["status"])
    yield "state", line(IMAGE_STATES.get(told["status"], "unknown"))
    yield "tags", lines(sorted(told["tags"], key=lambda t: t.encode()))
    yield "description", line(properties.get("description"))
    yield "size", line(told.get("size"))
    yield "min_disk_gb", line(told["min_disk"])
    yield "min_ram_mb", line(told["min_ram"])
    yield "os", line(f"{distro} {version}" if distro and version else distro)
    yield "os_family", line((properties.get("os_type") or "").lower())
    yield "platform", line(distro)
    yield "arch", line(properties.get("architecture"))
    yield "visibility", line(told["visibility"])
    yield "owner", line(told["owner"])
    yield "provider", line(properties.get("image_type"))
    yield "format", line(told.get("disk_format"))
    yield "checksum", line(told.get("checksum"))
    yield "created", line(told["created_at"])
    yield "updated", line(told["updated_at"])


def read(path):
    """A file's text; a file that is not there says nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def differing(name, text, expected):
    return [] if text == expected else [f"{name}: {text!r}, and the command says {expected!r}"]


def compare_addresses(where, told):
    """The command does not say which are public: all must be there, the private ones first."""
    told_all = sorted(a for net in told["addresses"].values() for a in net)
    every, private, public = (read(os.path.join(where, name)) for name in
                              ("addresses", "private_addresses", "public_addresses"))
    return (differing("addresses", "".join(sorted(every.splitlines(True))), lines(told_all)) +
            differing("addresses", every, private + public))


def compare_metadata(where, told):
    directory = os.path.join(where, "metadata")
    keys = {name: read(os.path.join(directory, name)) for name in os.listdir(directory)}
    return differing("metadata", keys,
                     {key.replace("%", "%25"): line(value)
                      for key, value in told["properties"].items()})


def compare_image_link(where, told):
    link = os.path.join(where, "image")
    got = os.path.basename(os.readlink(link)) if os.path.islink(link) else None
    return differing("image", got, image_id(told["image"]))


def compare_raw(where, told):
    """Whatever the cloud itself and the command call the same has the same value. (host_status: Nova
    gives another one in a listing than when one server is asked for.)"""
    with open(os.path.join(where, "raw.json"), encoding="utf-8") as file:
        raw = json.load(file)
    wrong = []
    for key in sorted((raw.keys() & told.keys()) - {"host_status"}):
        plain = not isinstance(raw[key], (dict, list)) and not isinstance(told[key], (dict, list))
        if plain and raw[key] != "***":
            wrong += differing("raw.json: " + key, raw[key], told[key])
    return wrong


def compare(kind, directory, told):
    where = os.path.join(directory, "by-id", told["id"])
    if not os.path.isdir(where):
        return ["it is not in by-id"]
    expected = dict((server_files if kind == "servers" else image_files)(told))
    wrong = compare_raw(where, told)
    for name, text in expected.items():
        wrong += differing(name, read(os.path.join(where, name)), text)
    compared = {"raw.json"} | expected.keys()
    if kind == "servers":
        wrong += compare_addresses(where, told) + compare_metadata(where, told)
        wrong += compare_image_link(where, told)
        compared |= {"addresses", "private_addresses", "public_addresses", "metadata", "image",
                     "state", "power", "region"}
    others = set(os.listdir(where)) - compared - LOCAL
    return wrong + [f"{name}: nobody has compared it" for name in sorted(others)]


def is_settled(kind, told):
    if kind == "servers":
        return not told["OS-EXT-STS:task_state"] and told["status"] != "BUILD"
    return told["status"] not in ("queued", "saving", "importing")


def fetch_anew(directory, told):
    with open(os.path.join(directory, "by-id", told["id"], "raw", "refresh"), "w",
              encoding="utf-8") as file:
        file.write("now\n")


def compare_one(kind, directory, case):
    try:
        told = json.load(sys.stdin)
    except ValueError:
        return 3  # words: it is not there
    if not is_settled(kind, told):
        return 3
    fetch_anew(directory, told)
    return report(kind, directory, case, told)


def report(kind, directory, case, told):
    wrong = compare(kind, directory, told)
    print(f"{'not ok' if wrong else 'ok'} - {case} is as the command says")
    for reason in wrong:
        print("#   " + reason)
    return 1 if wrong else 0


def main():
    kind, directory = sys.argv[1:3]
    if len(sys.argv) > 3:
        return compare_one(kind, directory, sys.argv[3])
    text, at, n, status = sys.stdin.read(), 0, 0, 0
    decoder = json.JSONDecoder()
    while True:
        start = text.find("{", at)
        if start < 0:
            break
        told, at = decoder.raw_decode(text, start)
        n += 1
        status |= report(kind, directory, f"{kind}: {told['id']}", told)
    print(f"# {n} compared")
    return status


sys.exit(main())
