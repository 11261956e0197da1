"""Pictures made on demand: Vitrina beside thumbor, from the same 12 MP JPEG.

usage: resize.py VITRINA_PID VITRINA_URL TOKEN THUMBOR_PID THUMBOR_URL PICTURE

Both make JPEG q80 from a file on this machine and keep what they made on disk. First come widths
that nobody has asked for yet, in turns, through one client and through four; then one picture that
is there already, through 64 connections that are kept open.
"""

import concurrent.futures
import json
import pathlib
import statistics
import sys
import time
import urllib.request

from delivery import ask

COLD = 12
ROUNDS = 5


def fetch(url):
    started = time.perf_counter()
    with urllib.request.urlopen(url) as answer:
        size = len(answer.read())
    assert size > 1_000, url
    return (time.perf_counter() - started) * 1e3


def post(url, token, body, kind):
    headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
    with urllib.request.urlopen(urllib.request.Request(url, body, headers)) as answer:
        return json.load(answer)


def upload(url, token, picture):
    boundary = "a-boundary-that-no-picture-has"
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="photo.jpg"\r\n\r\n'
    body = head.encode() + pathlib.Path(picture).read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return post(f"{url}/api/v2/media", token, body, f"multipart/form-data; boundary={boundary}")["id"]


def main(pid, url, token, other_pid, other_url, picture):
    item = upload(url, token, picture)

    def ours(width):
        shape = json.dumps({"width": width, "format": "jpeg", "quality": 80}).encode()
        return post(f"{url}/api/v2/media/{item}/renderings", token, shape, "application/json")["url"]

    def theirs(width):
        return f"{other_url}/unsafe/{width}x0/filters:quality(80):format(jpeg)/{pathlib.Path(picture).name}"

    sides = {"vitrina": (ours, int(pid)), "thumbor": (theirs, int(other_pid))}
    widths = iter(range(400, 4000, 7))
    times = {name: [] for name in sides}
    for width in [next(widths) for _ in range(COLD)]:
        for name, (address, _) in sides.items():
            times[name].append(fetch(address(width)))
    rates = {name: [] for name in sides}
    for _ in range(ROUNDS):
        batch = [next(widths) for _ in range(COLD)]
        for name, (address, _) in sides.items():
            urls = [address(width) for width in batch]
            started = time.perf_counter()
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                list(pool.map(fetch, urls))
            rates[name].append(COLD / (time.perf_counter() - started))
    hits = {name: [] for name in sides}
    for _ in range(ROUNDS):
        for name, (address, process) in sides.items():
            hits[name].append(ask(address(500), process, 3))
    report("made now, one client, ms", {n: statistics.median(t) for n, t in times.items()}, False)
    report("made now, four clients, a second", {n: statistics.median(r) for n, r in rates.items()}, True)
    report("made before, a second", {n: statistics.median(r for r, _ in h) for n, h in hits.items()}, True)
    report("made before, µs of processor", {n: statistics.median(w for _, w in h) for n, h in hits.items()}, False)


def report(what, found, more_is_better):
    ours, theirs = found["vitrina"], found["thumbor"]
    ratio = ours / theirs if more_is_better else theirs / ours
    print(f"{what}: vitrina {ours:,.1f}, thumbor {theirs:,.1f} ({ratio:.1f}×)", flush=True)


main(*sys.argv[1:])
