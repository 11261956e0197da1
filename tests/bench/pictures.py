"""One picture → medium (500 px) + thumb (160 × 160), JPEG q80: Vitrina and others, side by side.

usage: pictures.py BENCH VITRINA FOLDER ROUNDS

BENCH is the benchmark's program, VITRINA the appliance's. FOLDER keeps the pictures, which are made
where they are missing. In each round everybody makes the variants once, in turn, so that whatever
else the machine does hits all alike; the medians are printed with the ratio to Vitrina's. Beside
them stands the most memory that the process had at once which did the work. Programs that serve
many pictures (Vitrina, libvips by pyvips, PHP) stay up and time themselves; commands are timed from
their start to their end, as whoever calls them pays for it. `both` is how many pictures a second
two of them make at once.
"""

import concurrent.futures
import json
import multiprocessing
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

BENCH, VITRINA, FOLDER, ROUNDS = sys.argv[1], sys.argv[2], pathlib.Path(sys.argv[3]), int(sys.argv[4])
PEERS = pathlib.Path(__file__).parent / "peers"
# One thread each: what two cores give is asked for by running two.
ALONE = dict(os.environ, VIPS_CONCURRENCY="1", MAGICK_THREAD_LIMIT="1", OMP_NUM_THREADS="1")


class Resident:
    """A process that makes the variants for each line it is sent, and says how long it took."""

    def __init__(self, command, picture):
        self.folder = tempfile.mkdtemp()
        command = [str(part) for part in (*command, picture, self.folder)]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, env=ALONE, text=True, **pipes)
        self.peak = 0.0

    def once(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        ms, *said = self.process.stdout.readline().split()
        self.peak = float(said[0]) if said else peak(self.process.pid)
        return float(ms)

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        shutil.rmtree(self.folder)


class Commands:
    """Commands of one picture each: the slowest way, and the most usual one."""

    def __init__(self, commands, picture):
        self.folder = tempfile.mkdtemp()
        names = {"IN": str(picture), "MEDIUM": f"{self.folder}/medium.jpg", "THUMB": f"{self.folder}/thumb.jpg"}
        self.commands = [[fill(part, names) for part in command] for command in commands]
        self.peak = 0.0

    def once(self):
        started = time.perf_counter()
        for command in self.commands:
            process = subprocess.Popen(command, env=ALONE, stderr=subprocess.DEVNULL)
            _, status, usage = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            if process.returncode != 0:
                raise ValueError(f"{command[0]} cannot")
            self.peak = max(self.peak, usage.ru_maxrss / 1024)
        return (time.perf_counter() - started) * 1e3

    def end(self):
        shutil.rmtree(self.folder)


def fill(part, names):
    for name, value in names.items():
        part = part.replace(name, value)
    return part


def peak(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return float(line.split()[1]) / 1024
    return 0.0


VIPSTHUMBNAIL = [
    ["vipsthumbnail", "IN", "-s", "500x500>", "-o", "MEDIUM[Q=80,strip]"],
    ["vipsthumbnail", "MEDIUM", "-s", "160x160", "--smartcrop", "centre", "-o", "THUMB[Q=80,strip]"],
]
# fmt: off
MAGICK = ["IN", "-auto-orient", "-thumbnail", "500x500>", "-quality", "80", "-write", "MEDIUM",
          "-thumbnail", "160x160^", "-gravity", "center", "-extent", "160x160", "THUMB"]
# fmt: on


def installed():
    """Everybody who is here, by name, and whoever is not, by what to install."""
    everybody = {
        "vitrina": lambda picture: Resident([BENCH, "resident", VITRINA], picture),
        "libvips, one process": lambda picture: Resident([sys.executable, PEERS / "vips.py"], picture),
    }
    missing = []
    if shutil.which("vipsthumbnail"):
        everybody["vipsthumbnail ×2"] = lambda picture: Commands(VIPSTHUMBNAIL, picture)
    else:
        missing.append("libvips-tools")
    magick = next((name for name in ("convert-im6.q16", "magick") if shutil.which(name)), None)
    if magick:
        everybody["ImageMagick"] = lambda picture: Commands([[magick, *MAGICK]], picture)
    else:
        missing.append("imagemagick")
    for module, name in (("gd", "PHP-GD"), ("imagick", "PHP-Imagick")):
        if has_module(module):
            everybody[name] = lambda picture, m=module: Resident(["php", PEERS / f"{m}.php"], picture)
        else:
            missing.append(f"php-cli php-{module}")
    return everybody, missing


def has_module(name):
    if not shutil.which("php"):
        return False
    return name in subprocess.run(["php", "-m"], capture_output=True, text=True).stdout.split()


def save(photo, to, method, how):
    import pyvips

    getattr(pyvips.Image.new_from_file(str(photo)), method)(str(to), **how)


def pictures():
    """The same photograph in all formats, by name."""

    def photo(width, height):
        path = FOLDER / f"photo-{width}.jpg"
        if not path.exists():
            subprocess.run([BENCH, "photo", str(width), str(height), str(path)], check=True)
        return path

    def other(name, method, **how):
        path = FOLDER / name
        if not path.exists():
            # Elsewhere: a command's peak is at least that of the process which starts it.
            saving = multiprocessing.Process(target=save, args=(photo(4000, 3000), path, method, how))
            saving.start()
            saving.join()
        return path

    return {
        "12 MP JPEG": photo(4000, 3000),
        "24 MP JPEG": photo(6000, 4000),
        "12 MP progressive JPEG": other("progressive.jpg", "jpegsave", Q=90, interlace=True),
        "12 MP PNG": other("photo.png", "pngsave"),
        "12 MP WebP": other("photo.webp", "webpsave", Q=80),
        "12 MP AVIF": other("photo.avif", "heifsave", Q=60, compression="av1", effort=2),
    }


def both(make, picture, rounds=3):
    """Pictures a second, two at once."""
    pair = [make(picture), make(picture)]
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda one: one.once(), pair))
        started = time.perf_counter()
        list(pool.map(lambda one: [one.once() for _ in range(rounds)], pair))
        seconds = time.perf_counter() - started
    for one in pair:
        one.end()
    return 2 * rounds / seconds


def compare(name, picture, everybody):
    print(f"{name}, {picture.stat().st_size / 1e6:.1f} MB:")
    running, times = {}, {}
    for who, make in everybody.items():
        one = make(picture)
        try:
            one.once()
            running[who], times[who] = one, []
        except (ValueError, OSError):
            print(f"  {who}: cannot read it")
    for _ in range(ROUNDS):
        for who, one in running.items():
            times[who].append(one.once())
    ours = statistics.median(times["vitrina"])
    found = {}
    for who, one in running.items():
        ms = statistics.median(times[who])
        one.end()
        rate = both(everybody[who], picture)
        found[who] = {"ms": round(ms, 1), "ratio": round(ms / ours, 2), "peak_mb": round(one.peak), "both": round(rate, 1)}
        print(f"  {who}: {ms:.0f} ms ({ms / ours:.2f}×), {one.peak:.0f} MB at the peak, both cores {rate:.1f} a second", flush=True)
    return found


def main():
    everybody, missing = installed()
    for package in missing:
        print(f"left out, as it is not installed: {package}")
    found = {name: compare(name, path, everybody) for name, path in pictures().items()}
    (FOLDER / "pictures.json").write_text(json.dumps(found, indent=1))


main()
