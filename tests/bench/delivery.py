"""Requests per second for the same files from Vitrina, nginx and Caddy, side by side.

usage: delivery.py VITRINA_URL FOLDER SERVERS [ROUNDS [SECONDS]]

FOLDER holds the files; a line of `FOLDER/files` says `NAME PATH`, the path being the one at which
Vitrina serves a copy of the file. SERVERS is `nginx=URL,caddy=URL`. Each round asks every server
for every file in turn, so that whatever else the machine does hits all of them alike.
"""

import re
import statistics
import subprocess
import sys
import urllib.request


def rate(url, seconds):
    """Requests per second through 64 connections that are kept open."""
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "--timeout", "30s", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text or "Socket errors" in text:
        raise SystemExit(f"{url}:\n{text}")
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def body(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def main(vitrina, folder, servers, rounds="5", seconds="4"):
    others = dict(pair.split("=", 1) for pair in servers.split(","))
    with open(f"{folder}/files", encoding="utf-8") as listed:
        files = dict(line.split() for line in listed)
    for name, path in files.items():
        urls = {"vitrina": vitrina + path}
        urls |= {server: f"{base}/{name}" for server, base in others.items()}
        with open(f"{folder}/{name}", "rb") as file:
            expected = file.read()
        for server, url in urls.items():
            assert body(url) == expected, f"{server} serves something else as {name}"
        rates = {server: [] for server in urls}
        for _ in range(int(rounds)):
            for server, url in urls.items():
                rates[server].append(rate(url, seconds))
        medians = {server: statistics.median(found) for server, found in rates.items()}
        ours = medians["vitrina"]
        figures = ", ".join(
            f"{server} {median:,.0f}" + (f" ({ours / median:.2f}×)" if server != "vitrina" else "")
            for server, median in medians.items()
        )
        print(f"{name}, {len(expected):,} bytes: {figures}", flush=True)


main(*sys.argv[1:])
