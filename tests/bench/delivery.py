"""Requests per second for the same files from Vitrina, nginx and Caddy, side by side.

usage: delivery.py FOLDER ROUNDS SECONDS NAME=PID=URL...

The first server is Vitrina. FOLDER holds the files; a line of `FOLDER/files` says `NAME PATH`, the
path being the one at which Vitrina serves a copy of the file. Each round asks every server for
every file in turn, so that whatever else the machine does hits all of them alike. Beside the rate
stands the processor time that the server itself used for one request, which hardly depends on what
else the machine does.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import urllib.request


def processor(pid):
    """Seconds that a process and its children have used."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return seconds + sum(processor(child) for child in children)


def ask(url, pid, seconds):
    """Through 64 connections that are kept open: requests a second, and µs of work for each."""
    before = processor(pid)
    command = ["wrk", "-t1", "-c64", f"-d{seconds}s", "--timeout", "60s", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"{url}:\n{text}")
    requests = int(re.search(r"(\d+) requests in", text).group(1))
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))
    return rate, (processor(pid) - before) * 1e6 / max(requests, 1)


def body(url):
    with urllib.request.urlopen(url) as answer:
        return answer.read()


def main(folder, rounds, seconds, *servers):
    servers = [server.split("=", 2) for server in servers]
    ours = servers[0][0]
    with open(f"{folder}/files", encoding="utf-8") as listed:
        files = dict(line.split() for line in listed)
    for name, path in files.items():
        with open(f"{folder}/{name}", "rb") as file:
            expected = file.read()
        urls = {server: url + (path if server == ours else f"/{name}") for server, _, url in servers}
        for server, url in urls.items():
            assert body(url) == expected, f"{server} serves something else as {name}"
        found = {server: [] for server in urls}
        for _ in range(int(rounds)):
            for server, pid, _ in servers:
                found[server].append(ask(urls[server], pid, seconds))
        print(f"{name}, {len(expected):,} bytes:")
        rates = {s: statistics.median(rate for rate, _ in all_) for s, all_ in found.items()}
        works = {s: statistics.median(work for _, work in all_) for s, all_ in found.items()}
        for server, rate in rates.items():
            work = works[server]
            print(
                f"  {server}: {rate:,.0f} a second, {work:,.0f} µs of processor for each;"
                f" {ours} has {rates[ours] / max(rate, 0.01):.2f}× the rate at {works[ours] / max(work, 1):.2f}× the work",
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
