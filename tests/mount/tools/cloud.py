#!/usr/bin/env python3
"""The mount against the cloud: what the contract makes of the simulator's records, computed here
with nothing of the product's, and compared with what the mount shows.

    cloud.py ids KIND                    the ids as the simulator has them, one JSON string a line
    cloud.py tree PROFILE KIND [NAME…]   directories, files, modes, sizes, contents
    cloud.py views PROFILE KIND          every view, every link, the shorthand
    cloud.py lists PROFILE KIND          list.tsv and list.jsonl
    cloud.py raw PROFILE KIND [NAME…]    raw.json and raw/ against the record and each other
    cloud.py copy DIRECTORY PROFILE KIND a copy of by-id made by cp, tar or rsync
    cloud.py expect KIND ID ATTRIBUTE    the text that the contract derives from the record

KIND is servers or images; NAME… limits the work to those directories of by-id. SIM_URL and CF_TOKEN
are in the environment. Prints what differs; exit status 1 when something does.
"""
import collections
import csv
import hashlib
import io
import json
import os
import re
import stat
import sys
import urllib.parse
import urllib.request
from datetime import datetime, timedelta, timezone

LIMIT = 25  # differences that are printed


class Num(str):
    """A number's own text."""


def load(data, pairs=None):
    if isinstance(data, bytes):
        data = data.decode('utf-8', 'surrogateescape')
    return json.loads(data, parse_int=Num, parse_float=Num, parse_constant=Num,
                      object_pairs_hook=pairs, strict=False)


class Pairs(list):
    """An object with its keys in their order, double ones included."""


def to_bytes(text):
    """What JSON says, as bytes: an invalid byte passes, a lone surrogate escape is U+FFFD, and so is
    NUL, which no name and no C string can hold."""
    out = bytearray()
    for c in text:
        code = ord(c)
        if code == 0:
            out += '\ufffd'.encode()
        elif 0xdc80 <= code <= 0xdcff:
            out.append(code - 0xdc00)
        elif 0xd800 <= code <= 0xdfff:
            out += '\ufffd'.encode()
        else:
            out += c.encode()
    return bytes(out)


def request(method, path):
    req = urllib.request.Request(os.environ['SIM_URL'] + path, method=method)
    req.add_header('Authorization', 'Bearer ' + os.environ.get('CF_TOKEN', ''))
    with urllib.request.urlopen(req, timeout=30) as answer:
        return answer.read()


def fetch(kind):
    """The records as lists of pairs."""
    return load(request('GET', '/_sim/' + kind), Pairs)


def tags_of(record):
    """The tags of a server, which the listing has not."""
    path = '/_sim/servers/' + urllib.parse.quote(scalar(get(record, 'id')), safe='') + '/tags'
    return sorted({to_bytes(tag).replace(b'\n', b'%0A') for tag in load(request('GET', path))} - {b''})


# --- names -------------------------------------------------------------------

def characters(data):
    """Bytes as (bytes, code point or None for an invalid byte)."""
    for c in data.decode('utf-8', 'surrogateescape'):
        if 0xdc80 <= ord(c) <= 0xdcff:
            yield bytes([ord(c) - 0xdc00]), None
        else:
            yield c.encode(), ord(c)


def encode(data):
    if not data:
        return b'%'
    out = bytearray()
    for i, (raw, code) in enumerate(characters(data)):
        unsafe = (code is None or code < 0x20 or 0x7f <= code < 0xa0 or raw in (b'/', b'%', b'~')
                  or (i == 0 and raw == b'.'))
        out += b''.join(b'%%%02X' % b for b in raw) if unsafe else raw
    return bytes(out)


def decode(name):
    """Independent of encode(): undoes %XX and nothing else."""
    if name == b'%':
        return b''
    assert b'~' not in name and b'/' not in name, name
    return re.sub(rb'%([0-9A-F]{2})', lambda m: bytes([int(m.group(1), 16)]), name)


def cut(name, room):
    """The longest beginning without a broken character or escape."""
    out = bytearray()
    for piece in re.findall(rb'%[0-9A-F]{2}|[\x00-\x7f]|[\xc0-\xff][\x80-\xbf]*', name, re.S):
        if len(out) + len(piece) > room:
            break
        out += piece
    return bytes(out)


def id_name(ident):
    name = encode(ident)
    if len(name) <= 255:
        return name
    return cut(name, 255 - 17) + b'~' + hashlib.sha256(ident).hexdigest()[:16].encode()


def with_id(name, ident):
    tail = b'~' + id_name(ident)
    if len(tail) > 255:  # the id is shortened once more, to leave its place to the tilde
        encoded = encode(ident)
        encoded = encoded if len(encoded) <= 255 else id_name(ident)
        tail = b'~' + cut(encoded, 254 - 17) + b'~' + hashlib.sha256(
            encoded).hexdigest()[:16].encode()
    return cut(name, 255 - len(tail)) + tail


# --- values ------------------------------------------------------------------

def get(record, path, ignore_case=False):
    value = record
    for key in path.split('.'):
        if not isinstance(value, Pairs):
            return None
        found = None
        for k, v in value:
            if k == key or (ignore_case and k.lower() == key.lower()):
                found = v
        value = found
    return value


def scalar(value):
    if value is None or isinstance(value, (Pairs, list)):
        return None
    if value is True or value is False:
        return b'true' if value else b'false'
    return to_bytes(value)


def some(value):
    text = scalar(value)
    return text if text else None


def number(value):
    text = scalar(value)
    match = re.fullmatch(rb'(\d+)(\.0*)?', text.strip()) if text is not None else None
    return match.group(1) if match else None


def ram(value):
    text = number(value)
    if text is not None and int(text) < 256 and len(text) <= 3:
        return b'%d' % (int(text) * 1024)
    return text


def when(value, zone):
    text = some(value)
    if text is None:
        return None
    match = re.fullmatch(rb'(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:?\d\d)?',
                         text.strip())
    if not match:
        return text
    try:
        time = datetime.strptime((match[1] + b' ' + match[2]).decode(), '%Y-%m-%d %H:%M:%S')
    except ValueError:
        return text
    if match[3] and match[3] != b'Z':
        sign = -1 if match[3][:1] == b'-' else 1
        zone = sign * (int(match[3][1:3]) * 60 + int(match[3][-2:]))
        if abs(zone) >= 1440:
            return text
    elif match[3]:
        zone = 0
    return (time - timedelta(minutes=zone)).strftime('%Y-%m-%dT%H:%M:%SZ').encode()


def items(value, key):
    """A list of texts, or None where the cloud has none. One object stands for a list of itself."""
    every = isinstance(value, list) and not isinstance(value, Pairs)
    out = []
    for member in value if every else [value]:
        text = some(get(member, key) if isinstance(member, Pairs) else member)
        if text and text not in out:
            out.append(text.replace(b'\n', b'%0A'))
    return out if every or out else None


STATES = {
    'servers': {
        'active': 'running', 'shutoff': 'stopped', 'stopped': 'stopped', 'paused': 'paused',
        'build': 'building', 'reboot': 'rebooting', 'hard_reboot': 'rebooting',
        'resize': 'resizing', 'rebuild': 'rebuilding', 'password': 'running', 'error': 'error',
        'soft_deleted': 'deleted', 'deleted': 'deleted', 'expired': 'stopped',
        'suspended': 'suspended', 'rescue': 'running', 'migrating': 'running',
        'verify_resize': 'resizing', 'revert_resize': 'resizing', 'shelved': 'stopped',
        'shelved_offloaded': 'stopped'},
    'images': {
        'queued': 'creating', 'saving': 'creating', 'active': 'available', 'killed': 'error',
        'pending_delete': 'deleting', 'uploading': 'creating', 'importing': 'creating',
        'deactivated': 'disabled', 'deleted': 'deleted'},
}
TASKS = {'powering-on': 'starting', 'powering-off': 'stopping', 'deleting': 'deleting'}
POWER = {'running': 'on', 'stopped': 'off', 'paused': 'paused', 'suspended': 'suspended',
         'starting': 'changing', 'stopping': 'changing', 'rebooting': 'changing',
         'building': 'changing', 'resizing': 'changing', 'rebuilding': 'changing',
         'deleting': 'changing'}


def lower(text):
    return (text or b'').decode('latin-1').lower()


def fields(kind, record):
    """Attribute → bytes, list of bytes, or None: what the cloud tells. Contract section 2."""
    out = collections.OrderedDict()
    status = some(get(record, 'status'))
    state = STATES[kind].get(lower(status), 'unknown')
    out['id'] = scalar(get(record, 'id'))
    out['name'] = scalar(get(record, 'name'))
    out['status'] = status
    if kind == 'servers':
        task = some(get(record, 'task_state'))
        state = TASKS.get(lower(task), state)
        out['task'] = task
        out['created'] = when(get(record, 'created'), 0)
        out['updated'] = when(get(record, 'updated'), 0)
        out['description'] = some(get(record, 'description'))
        out['zone'] = some(get(record, 'availability_zone'))
        out['region'] = some(get(record, 'regionid', True))
        out['host'] = some(get(record, 'host'))
        out['key_name'] = some(get(record, 'key_name'))
        out['flavor'] = some(get(record, 'flavor.original_name'))
        out['vcpus'] = number(get(record, 'flavor.vcpus'))
        out['ram_mb'] = ram(get(record, 'flavor.ram'))
        out['root_disk_gb'] = number(get(record, 'root_volume.size'))
        private = items(get(record, 'nics'), 'fixed_ip')
        public = items(get(record, 'eip'), 'ip_addr')
        both = None
        if private is not None or public is not None:
            both = list(dict.fromkeys((private or []) + (public or [])))
        out['addresses'] = both
        out['private_addresses'] = private
        out['public_addresses'] = public
        out['security_groups'] = items(get(record, 'security_groups'), 'name')
        out['charge_type'] = some(get(record, 'feeData.chargetype'))
        out['expires'] = when(get(record, 'feeData.nextFeeTime'), 480)
        out['image'] = some(get(record, 'image.id'))
    else:
        tags = get(record, 'tags')
        if isinstance(tags, str) and not isinstance(tags, Num):
            tags = [word.strip() for word in tags.split(',')]
        tags = items(tags, 'name')
        out['tags'] = sorted(tags) if tags is not None else None
        out['description'] = some(get(record, 'description'))
        out['size'] = number(get(record, 'size'))
        out['min_disk_gb'] = number(get(record, 'min_disk'))
        out['min_ram_mb'] = number(get(record, 'min_ram'))
        out['os'] = some(get(record, 'system'))
        family = some(get(record, 'systemType'))
        out['os_family'] = (re.sub(rb'[A-Z]+', lambda m: m[0].lower(), family) if family else None)
        out['arch'] = some(get(record, 'architecture'))
        out['visibility'] = some(get(record, 'visibility'))
        out['owner'] = some(get(record, 'owner'))
        out['format'] = some(get(record, 'disk_format'))
        out['checksum'] = some(get(record, 'checksum'))
        out['created'] = when(get(record, 'created_at'), 0)
        out['updated'] = when(get(record, 'updated_at'), 0)
    out['state'] = state.encode()
    return out


def line(value):
    if isinstance(value, list):
        return b''.join(item + b'\n' for item in value)
    if not value:
        return b''
    return value if value.endswith(b'\n') else value + b'\n'


def addressable(kind, ident):
    """Whether the API has a path for it."""
    return ident not in (b'.', b'..') and not (kind == 'images' and ident == b'private')


SYMLINK = 'link'


def files(kind, record):
    """Name → (mode, content or None: not compared); a link's mode is SYMLINK, its content the
    target. What a mount without allow_delete and ro lists."""
    values = fields(kind, record)
    state = values['state'].decode()
    acts = state != 'deleted' and addressable(kind, values['id'])
    out = {name: (0o444, line(value)) for name, value in values.items() if value is not None}
    out.setdefault('name', (0o444, b''))
    out.setdefault('status', (0o444, b''))
    out['last_error'] = (0o444, b'')
    out['raw.json'] = (0o400, None)
    out['raw'] = (0o500, None)
    if kind == 'servers':
        out.pop('image', None)
        if values['image']:
            out['image'] = (SYMLINK, b'../../../images/by-id/' + id_name(values['image']))
        out['power'] = (0o644 if acts else 0o444, line(POWER.get(state, 'unknown').encode()))
        out['power_choices'] = (0o444, None)
        if acts:
            out['console'] = (0o200, b'')
            out['capture'] = (0o200, b'')
            out['console_url'] = (0o400, b'')
            out['captured'] = (0o444, b'')
    else:
        private = acts and lower(values['visibility']) == 'private'
        if private:
            out['name'] = (0o644, out['name'][1])
            out['description'] = (0o644, line(values['description']))
    return out


# --- comparing ---------------------------------------------------------------

class Report:
    def __init__(self):
        self.n = 0

    def __call__(self, *words):
        self.n += 1
        if self.n <= LIMIT:
            print(*words)

    def same(self, what, got, expected):
        if got != expected:
            self(f'{what}: got {short(got)}, expected {short(expected)}')

    def same_sets(self, what, got, expected):
        got, expected = set(got), set(expected)
        if got != expected:
            self(f'{what}: too many {short(sorted(got - expected))}, '
                 f'missing {short(sorted(expected - got))}')

    def end(self):
        if self.n > LIMIT:
            print(f'… {self.n} differences')
        return 1 if self.n else 0


def short(value):
    text = repr(value)
    return text if len(text) < 400 else text[:400] + '…'


def read(path, size=None):
    """Reads it in the way that a careful program does, and checks the size."""
    with open(path, 'rb', 0) as f:
        size = os.fstat(f.fileno()).st_size
        out = bytearray()
        while True:
            piece = f.read(1 << 17)
            if not piece:
                break
            out += piece
    if len(out) != size:
        raise ValueError(f'{path!r}: st_size {size}, {len(out)} bytes came')
    return bytes(out)


def chosen(directory, names):
    return [os.fsencode(name) for name in names] if names else sorted(os.listdir(directory))


def check_directory(report, directory, kind, record):
    expected = files(kind, record)
    there = [name.decode() for name in os.listdir(directory)]
    if kind == 'servers' and 'tags' in there:  # somebody has asked for them
        expected['tags'] = (expected['power'][0], line(tags_of(record)))
    report.same_sets(directory, there, expected)
    for name, (mode, content) in expected.items():
        path = directory + b'/' + name.encode()
        try:
            info = os.lstat(path)
            if mode is SYMLINK:
                report.same(path, (stat.S_ISLNK(info.st_mode), os.readlink(path), info.st_size),
                            (True, content, len(content)))
                continue
            report.same(path, oct(stat.S_IMODE(info.st_mode)), oct(mode))
            if name == 'raw':
                report.same(path, stat.S_ISDIR(info.st_mode), True)
                continue
            if mode == 0o200:
                report.same(path, info.st_size, 0)
                continue
            text = read(path)
            report.same(path + b' (st_size)', info.st_size, len(text))
            if content is not None:
                report.same(path, text, content)
        except (OSError, ValueError) as e:
            report(f'{path!r}: {e}')


def by_id_of(profile, kind):
    return os.path.join(os.fsencode(profile), kind.encode(), b'by-id')


def records_by_name(kind):
    return {id_name(scalar(get(record, 'id'))): record for record in fetch(kind)}


def command_ids(kind):
    for record in fetch(kind):
        print(json.dumps(get(record, 'id')))
    return 0


def command_tree(profile, kind, *names):
    report = Report()
    directory = by_id_of(profile, kind)
    records = records_by_name(kind)
    if not names:
        report.same_sets(directory, os.listdir(directory), records)
        # The names can be decoded; those that were too long are told by their tail.
        decoded = {decode(n) for n in os.listdir(directory) if b'~' not in n}
        cloud = {scalar(get(r, 'id')) for n, r in records.items() if b'~' not in n}
        report.same_sets('decoded names', decoded, cloud)
    for name in [os.fsencode(n) for n in names] or records:
        try:
            check_directory(report, directory + b'/' + name, kind, records[name])
        except OSError as e:
            report(f'{name!r}: {e}')
    return report.end()


# --- views -------------------------------------------------------------------

VIEWS = {
    'servers': {'by-state': 'state', 'by-status': 'status', 'by-tag': 'tags', 'by-zone': 'zone',
                'by-image': 'image', 'by-flavor': 'flavor', 'by-host': 'host',
                'by-address': 'addresses'},
    'images': {'by-state': 'state', 'by-status': 'status', 'by-tag': 'tags', 'by-os': 'os',
               'by-visibility': 'visibility', 'by-owner': 'owner', 'by-arch': 'arch'},
}
FIXED = {
    'servers': [b'by-id', b'by-name', b'by-problem', b'list.tsv', b'list.jsonl', b'fetched',
                b'.snapshots', b'power', b'power.plan', b'last_error', b'search'],
    'images': [b'by-id', b'by-name', b'by-problem', b'list.tsv', b'list.jsonl', b'fetched',
               b'.snapshots', b'delete', b'last_error', b'search'],
}


def link_names(kind, records):
    """(by id name: the name of its links, set of the id names whose name is theirs alone)"""
    living = collections.Counter()
    rows = {}
    for ident, record in records.items():
        values = fields(kind, record)
        name = encode(values['name'] or b'')
        rows[ident] = (name, values['id'], values['state'] == b'deleted')
        if not rows[ident][2]:
            living[name] += 1
    names, own = {}, set()
    for ident, (name, raw_id, deleted) in rows.items():
        if not deleted and living[name] == 1 and len(name) <= 255:
            names[ident] = name
            own.add(ident)
        else:
            names[ident] = with_id(name, raw_id)
    return names, own


def views_of(kind, records):
    """View → value → {link name: id name}; by-name has the value None."""
    names, own = link_names(kind, records)
    out = {'by-name': {None: {}}, 'by-problem': {}}
    for view in VIEWS[kind]:
        out[view] = {}
    for ident, record in records.items():
        values = fields(kind, record)
        if values['state'] == b'deleted':
            out['by-state'].setdefault(b'deleted', {})[names[ident]] = ident
            continue
        out['by-name'][None][names[ident]] = ident
        if values['state'] in (b'error', b'unknown'):
            out['by-problem'].setdefault(values['state'], {})[names[ident]] = ident
        for view, field in VIEWS[kind].items():
            value = values.get(field)
            for word in value if isinstance(value, list) else [value]:
                if word:
                    out[view].setdefault(id_name(word), {})[names[ident]] = ident
    return out, own, names


def check_links(report, directory, up, members):
    report.same_sets(directory, os.listdir(directory), members)
    for name, ident in members.items():
        path = directory + b'/' + name
        try:
            report.same(path, os.readlink(path), up + b'by-id/' + ident)
            report.same(path + b' (its size)', os.lstat(path).st_size, len(up) + 6 + len(ident))
            if not os.path.isdir(path):
                report(f'{path!r}: does not lead to a directory')
        except OSError as e:
            report(f'{path!r}: {e}')


def command_views(profile, kind):
    report = Report()
    top = os.path.join(os.fsencode(profile), kind.encode())
    records = records_by_name(kind)
    views, own, names = views_of(kind, records)
    for ident in records if kind == 'servers' else []:
        if b'tags' in os.listdir(top + b'/by-id/' + ident):  # they are known
            for tag in tags_of(records[ident]):
                views['by-tag'].setdefault(id_name(tag), {})[names[ident]] = ident
    expected = [b'by-id', b'list.tsv', b'list.jsonl', b'fetched'] + [v.encode() for v in views]
    optional = {b'power', b'power.plan', b'last_error', b'search', b'delete'}
    report.same_sets(top, set(os.listdir(top)) - optional, expected)
    for view, values in views.items():
        directory = top + b'/' + view.encode()
        if None in values:
            check_links(report, directory, b'../', values[None])
            continue
        report.same_sets(directory, os.listdir(directory), values)
        for value, members in values.items():
            try:
                check_links(report, directory + b'/' + value, b'../../', members)
            except OSError as e:
                report(f'{directory!r}/{value!r}: {e}')

    # The shorthand: fixed names win, then ids, then unique names.
    fixed = FIXED[kind] + [v.encode() for v in views]
    for ident in records:
        if ident in fixed:
            continue
        report.same(f'shorthand {ident!r}', link_of(top + b'/' + ident), b'by-id/' + ident)
        name = names[ident]
        if ident in own and name not in fixed and name not in records:
            report.same(f'shorthand {name!r}', link_of(top + b'/' + name), b'by-id/' + ident)
        elif ident not in own and name not in records:
            report.same(f'no shorthand {name!r}', link_of(top + b'/' + name), None)
    return report.end()


def link_of(path):
    try:
        return os.readlink(path)
    except OSError:
        return None


# --- lists -------------------------------------------------------------------

def unescape(cell):
    return re.sub(rb'\\(x[0-9a-f]{2}|.)', lambda m: {
        b't': b'\t', b'n': b'\n', b'r': b'\r', b'\\': b'\\'}.get(
            m[1]) or bytes([int(m[1][1:], 16)]), cell)


def known_fields(top, kind, record):
    """With the tags of a server that somebody has asked for."""
    values = fields(kind, record)
    if kind == 'servers' and os.path.exists(top + b'/by-id/' + id_name(values['id'])):
        if b'tags' in os.listdir(top + b'/by-id/' + id_name(values['id'])):
            values['tags'] = tags_of(record)
    return values


def command_lists(profile, kind):
    report = Report()
    top = os.path.join(os.fsencode(profile), kind.encode())
    records = {scalar(get(r, 'id')): r for r in fetch(kind)}

    csv.field_size_limit(1 << 24)
    text = read(top + b'/list.tsv').decode('utf-8', 'surrogateescape')
    rows = list(csv.reader(io.StringIO(text, newline='\n'), delimiter='\t',
                           quoting=csv.QUOTE_NONE, lineterminator='\n'))
    report.same('list.tsv: lines', text.count('\n'), len(records) + 1)
    report.same('list.tsv: rows', len(rows), len(records) + 1)
    header = rows[0]
    report.same_sets('list.tsv: header', {'id', 'name', 'state', 'status', 'created'} - set(header),
                     set())
    seen = []
    for row in rows[1:]:
        cells = {h: unescape(c.encode('utf-8', 'surrogateescape')) for h, c in zip(header, row)}
        if len(row) != len(header):
            report(f'list.tsv: {len(row)} cells in {short(row)}')
            continue
        seen.append(cells['id'])
        if cells['id'] not in records:
            report(f'list.tsv: {cells["id"]!r} is not in the cloud')
            continue
        values = known_fields(top, kind, records[cells['id']])
        for name, cell in cells.items():
            value = values.get(name)
            value = b','.join(value) if isinstance(value, list) else value or b''
            report.same(f'list.tsv: {cells["id"]!r} {name}', cell, value)
    report.same('list.tsv: each id once', sorted(seen), sorted(records))
    report.same('list.tsv: in the order of the ids', seen, sorted(seen))

    lines = read(top + b'/list.jsonl').split(b'\n')
    report.same('list.jsonl: the last line ends', lines.pop(), b'')
    report.same('list.jsonl: lines', len(lines), len(records))
    for text in lines:
        row = load(text, Pairs)
        ident = scalar(get(row, 'id'))
        if ident not in records:
            report(f'list.jsonl: {ident!r} is not in the cloud')
            continue
        compare_raw(report, f'list.jsonl {ident!r} raw', get(row, 'raw'), records[ident])
        for name, value in known_fields(top, kind, records[ident]).items():
            got = get(row, name)
            if isinstance(value, list):
                got = [clean(to_bytes(g)) for g in got] if got is not None else None
                value = [clean(v) for v in value]
            else:
                got = clean(scalar(got))
                value = clean(value)
            report.same(f'list.jsonl {ident!r} {name}', got, value)
    return report.end()


def clean(data):
    """JSON is UTF-8: an invalid byte can only be shown as U+FFFD."""
    if data is None:
        return None
    return b''.join('\ufffd'.encode() if code is None else raw for raw, code in characters(data))


# --- raw ---------------------------------------------------------------------

SECRET = {'graphics_passwd', 'vncpassword', 'adminpass', 'user_data', 'direct_url', 'locations'}
MAYBE = re.compile('passw|adminpass|token|secret|credential|private_?key|user_?data', re.I)


def compare_raw(report, what, got, expected):
    if isinstance(expected, Pairs):
        if not isinstance(got, Pairs):
            report(f'{what}: no object')
            return
        report.same(f'{what}: keys', [to_bytes(k) for k, _ in got],
                    [to_bytes(k) for k, _ in expected])
        for (key, mine), (_, theirs) in zip(got, expected):
            if key.lower() in SECRET:
                report.same(f'{what}.{key}', mine, '***')
            elif mine == '***' and MAYBE.search(key):
                continue
            else:
                compare_raw(report, f'{what}.{key}', mine, theirs)
    elif isinstance(expected, list):
        if not isinstance(got, list) or isinstance(got, Pairs) or len(got) != len(expected):
            report(f'{what}: got {short(got)}, expected {short(expected)}')
            return
        for i, (mine, theirs) in enumerate(zip(got, expected)):
            compare_raw(report, f'{what}[{i}]', mine, theirs)
    else:
        report.same(what, (type(got).__name__, got), (type(expected).__name__, expected))


def raw_name(key, top):
    if top and key == 'refresh':
        return b'%72efresh'
    return id_name(to_bytes(key))


def leaf(value, item=False):
    text = scalar(value)
    if text is None:
        return b'null\n' if item else b''
    return (text.replace(b'\n', b'%0A') if item else text) + b'\n'


def check_raw_tree(report, path, value, top):
    info = os.lstat(path)
    if isinstance(value, Pairs):
        members = {raw_name(k, top): v for k, v in value}
    elif isinstance(value, list) and any(isinstance(v, (Pairs, list)) for v in value):
        members = {b'%d' % i: v for i, v in enumerate(value)}
    else:
        text = read(path)
        report.same(path + b' (mode)', oct(info.st_mode), oct(stat.S_IFREG | 0o400))
        if isinstance(value, list):
            report.same(path, text, b''.join(leaf(v, True) for v in value))
        else:
            report.same(path, text, leaf(value))
        return
    report.same(path + b' (mode)', oct(info.st_mode), oct(stat.S_IFDIR | 0o500))
    if top:
        refresh = path + b'/refresh'
        report.same(refresh + b' (mode)', oct(os.lstat(refresh).st_mode), oct(stat.S_IFREG | 0o200))
    report.same_sets(path, os.listdir(path), set(members) | ({b'refresh'} if top else set()))
    for name, member in members.items():
        try:
            check_raw_tree(report, path + b'/' + name, member, False)
        except (OSError, ValueError) as e:
            report(f'{path!r}/{name!r}: {e}')


def command_raw(profile, kind, *names):
    report = Report()
    directory = by_id_of(profile, kind)
    records = records_by_name(kind)
    for name in chosen(directory, names):
        try:
            text = read(directory + b'/' + name + b'/raw.json')
            shown = load(text, Pairs)
            compare_raw(report, name.decode('utf-8', 'replace'), shown, records[name])
            if not text.endswith(b'\n') or text.count(b'\n') < 2:
                report(f'{name!r}: raw.json is not pretty')
            check_raw_tree(report, directory + b'/' + name + b'/raw', shown, True)
        except (OSError, ValueError) as e:
            report(f'{name!r}: {e}')
    return report.end()


def command_copy(copy, profile, kind):
    """A copy holds, file by file, what the contract says; modes aside."""
    report = Report()
    copy = os.fsencode(copy)
    records = records_by_name(kind)
    report.same_sets(copy, os.listdir(copy), records)
    for name, record in records.items():
        for file, (mode, content) in files(kind, record).items():
            path = copy + b'/' + name + b'/' + file.encode()
            try:
                if mode is SYMLINK:
                    report.same(path, os.readlink(path), content)
                elif file != 'raw' and content is not None:
                    report.same(path, read(path), content)
                elif file == 'raw.json':
                    compare_raw(report, repr(path), load(read(path), Pairs), record)
            except (OSError, ValueError) as e:
                report(f'{path!r}: {e}')
    return report.end()


def command_expect(kind, ident, attribute):
    for record in fetch(kind):
        if get(record, 'id') == ident:
            mode, content = files(kind, record)[attribute]
            sys.stdout.buffer.write(content)
            return 0
    return 1


def main():
    command = globals().get('command_' + (sys.argv[1] if len(sys.argv) > 1 else ''))
    if not command:
        print(__doc__)
        return 2
    return command(*sys.argv[2:])


if __name__ == '__main__':
    sys.exit(main())
