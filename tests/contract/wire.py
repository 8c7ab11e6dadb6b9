#!/usr/bin/env python3
"""What reached the simulator, a line for each request that changes something (or, with --all, for
each): "METHOD path body" of a REST cloud, "Action name=value …" of one that has actions; decoded,
sorted, without what every request has.

    wire.py rest|action [--all] < the lines of /_sim/requests
    wire.py rest|action --journal < "requests" of a dry run in the journal
"""
import json
import sys
from urllib.parse import parse_qsl, urlsplit

COMMON = {
    "action", "access_key_id", "expires", "req_id", "signature", "signature_method",
    "signature_version", "time_stamp", "token", "version", "zone",
    "Action", "PublicKey", "Region", "Signature",
}


def rest(request):
    body = request["body"]
    if body:
        try:
            body = json.dumps(json.loads(body), ensure_ascii=False, sort_keys=True,
                              separators=(",", ":"))
        except ValueError:
            pass
    return request["method"] == "GET", " ".join(filter(None, [request["method"],
                                                              request["path"], body]))


def action(request):
    pairs = parse_qsl(urlsplit(request["path"]).query, keep_blank_values=True)
    pairs += parse_qsl(request["body"], keep_blank_values=True)
    name = next((v for k, v in pairs if k.lower() == "action"), "?")
    rest_of = sorted(f"{k}={v}" for k, v in pairs if k not in COMMON)
    return name.startswith("Describe"), " ".join([name, *rest_of])


def from_journal(one):
    """As the simulator would have noted it. An action's call is its name, after the method or bare;
    its parameters are the body."""
    head, _, tail = one["call"].rpartition(" ")
    if sys.argv[1] == "rest":
        return {"method": head, "path": tail, "body": one["body"] or ""}
    return {"method": "POST", "path": "/", "body": f"action={tail}&{one['body'] or ''}"}


style = {"rest": rest, "action": action}[sys.argv[1]]
if "--journal" in sys.argv:
    for one in json.load(sys.stdin):
        print(style(from_journal(one))[1])
    sys.exit()
for line in sys.stdin:
    is_read, text = style(json.loads(line))
    if not is_read or "--all" in sys.argv:
        print(text)
