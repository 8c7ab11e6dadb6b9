#!/usr/bin/env python3
"""Compares the files of a mount with what the openstack command says.

    compare.py servers|images COLLECTION-DIRECTORY <ANSWERS

ANSWERS: what "openstack server show -f json" (image show) printed, one after the other. Prints one
case for each resource: "ok - NAME" or "not ok - NAME" with what differs. It shares no table with
the program: what is expected is worked out here, from the command's words.
"""
import json
import os
import re
import sys

SERVER_STATES = {"ACTIVE": "running", "SHUTOFF": "stopped", "BUILD": "building", "ERROR": "error",
                 "PAUSED": "paused", "SUSPENDED": "suspended", "REBOOT": "rebooting",
                 "HARD_REBOOT": "rebooting", "SHELVED_OFFLOADED": "stopped", "RESCUE": "running"}
IMAGE_STATES = {"active": "available", "queued": "creating", "saving": "creating",
                "deactivated": "disabled", "killed": "error", "pending_delete": "deleting"}


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


def server_files(told):
    flavor = told["flavor"]
    addresses = [a for net in told["addresses"].values() for a in net]
    yield "id", line(told["id"])
    yield "name", line(told["name"])
    yield "status", line(told["status"])
    if not told["OS-EXT-STS:task_state"] and told["status"] in SERVER_STATES:
        yield "state", line(SERVER_STATES[told["status"]])
    yield "task", line(told["OS-EXT-STS:task_state"])
    yield "created", line(seconds(told["created"]))
    yield "updated", line(seconds(told["updated"]))
    yield "description", line(told["description"])
    yield "zone", line(told["OS-EXT-AZ:availability_zone"])
    yield "host", line(told.get("OS-EXT-SRV-ATTR:host") or told["hostId"])
    yield "key_name", line(told["key_name"])
    yield "flavor", line(flavor["original_name"])
    yield "vcpus", line(flavor["vcpus"])
    yield "ram_mb", line(flavor["ram"])
    yield "root_disk_gb", line(flavor["disk"] or None)
    yield "addresses", lines(addresses)
    yield "tags", lines(sorted(told["tags"], key=lambda t: t.encode()))


def image_files(told):
    properties = told["properties"]
    yield "id", line(told["id"])
    yield "name", line(told["name"])
    yield "status", line(told["status"])
    yield "state", line(IMAGE_STATES.get(told["status"], "unknown"))
    yield "tags", lines(sorted(told["tags"], key=lambda t: t.encode()))
    yield "description", line(properties.get("description"))
    yield "size", line(told.get("size"))
    yield "min_disk_gb", line(told["min_disk"])
    yield "min_ram_mb", line(told["min_ram"])
    yield "visibility", line(told["visibility"])
    yield "owner", line(told["owner"])
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


def compare(kind, directory, told):
    where = os.path.join(directory, "by-id", told["id"])
    if not os.path.isdir(where):
        return ["it is not in by-id"]
    wrong = []
    for name, expected in (server_files if kind == "servers" else image_files)(told):
        text = read(os.path.join(where, name))
        if text != expected:
            wrong.append(f"{name}: {text!r}, and the command says {expected!r}")
    if kind == "servers":
        link = os.path.join(where, "image")
        got = os.path.basename(os.readlink(link)) if os.path.islink(link) else None
        if got != image_id(told["image"]):
            wrong.append(f"image: {got!r}, and the command says {told['image']!r}")
    return wrong


def main():
    kind, directory = sys.argv[1:3]
    text, at, n = sys.stdin.read(), 0, 0
    decoder = json.JSONDecoder()
    while True:
        start = text.find("{", at)
        if start < 0:
            break
        told, at = decoder.raw_decode(text, start)
        n += 1
        wrong = compare(kind, directory, told)
        print(f"{'not ok' if wrong else 'ok'} - {kind}: {told['id']} is as the command says")
        for reason in wrong:
            print("#   " + reason)
    print(f"# {n} compared")
    return 0


sys.exit(main())
