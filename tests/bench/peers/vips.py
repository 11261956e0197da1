"""libvips in one process: makes both variants of a picture for every line that it is sent.

usage: vips.py PICTURE FOLDER

Prints the milliseconds of each.
"""

import sys
import time

import pyvips

path, folder = sys.argv[1:]
pyvips.cache_set_max(0)


def variants():
    image = pyvips.Image.thumbnail(path, 500, height=500, size="down")
    image = image.copy_memory()
    image.jpegsave(f"{folder}/medium.jpg", Q=80, strip=True)
    thumb = image.thumbnail_image(160, height=160, crop="centre")
    thumb.jpegsave(f"{folder}/thumb.jpg", Q=80, strip=True)


for _ in sys.stdin:
    started = time.perf_counter()
    variants()
    print((time.perf_counter() - started) * 1e3, flush=True)
