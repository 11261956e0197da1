"""libvips on the same file: in this one process, and by its command line. Prints medians as JSON."""

import json
import statistics
import subprocess
import sys
import tempfile
import time

import pyvips

path, medium, thumb = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
pyvips.cache_set_max(0)
folder = tempfile.mkdtemp()


def timed(work, rounds):
    work()
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        work()
        times.append((time.perf_counter() - started) * 1e3)
    return statistics.median(times)


def in_process():
    image = pyvips.Image.thumbnail(path, medium, height=medium, size="down")
    image = image.copy_memory()
    image.jpegsave_buffer(Q=80, strip=True)
    image.thumbnail_image(thumb, height=thumb, crop="centre").jpegsave_buffer(Q=80, strip=True)


def command_line():
    size = f"{medium}x{medium}>"
    first = f"{folder}/medium.jpg"
    subprocess.run(["vipsthumbnail", path, "-s", size, "-o", f"{first}[Q=80,strip]"], check=True)
    crop = ["-s", f"{thumb}x{thumb}", "--smartcrop", "centre"]
    subprocess.run(["vipsthumbnail", first, *crop, "-o", f"{folder}/thumb.jpg[Q=80,strip]"], check=True)


print(json.dumps({"in_process_ms": timed(in_process, 11), "command_ms": timed(command_line, 5)}))
