"""Drives a running Vitrina with storages at emulators: drive.py URL TOKEN WORK [WHICH...]."""

import contextlib
import hashlib
import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

import azure
import google

BASE, TOKEN, WORK = sys.argv[1], sys.argv[2], Path(sys.argv[3])
STATE = WORK / "state"
# Beyond what goes in one request.
LONG = 20 * 1024 * 1024


class NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


OPENER = urllib.request.build_opener(NoRedirects, urllib.request.ProxyHandler({}))


def send(method, url, body=None, headers=None):
    """One request: its status, its headers and its body."""
    request = urllib.request.Request(url, data=body, method=method, headers=headers or {})
    try:
        with OPENER.open(request, timeout=60) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def api(method, path, body=None, expect=200, kind="application/json", more=None):
    """One call of the API that must be answered so."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": kind, **(more or {})}
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
    status, _, answer = send(method, f"{BASE}/api/v2{path}", body, headers)
    assert status == expect, f"{method} {path}: {status} {answer.decode(errors='replace')}"
    return json.loads(answer) if answer else None


def upload(name, content):
    border = "a-border-of-parts"
    head = f'--{border}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + f"\r\n--{border}--\r\n".encode()
    return api("POST", "/media", body, 201, f"multipart/form-data; boundary={border}")


def fetch(media, **headers):
    url = media["urls"]["original"]
    return send("GET", url, headers={"Authorization": f"Bearer {TOKEN}", **headers})


def song(length):
    """A recording of noise, which is no less than that."""
    sound = hashlib.shake_256(b"noise").digest(length)
    rate = 48_000
    head = b"WAVEfmt " + (16).to_bytes(4, "little") + b"\1\0\1\0" + rate.to_bytes(4, "little")
    head += (rate * 2).to_bytes(4, "little") + b"\2\0\x10\0data" + len(sound).to_bytes(4, "little")
    return b"RIFF" + (len(head) + len(sound)).to_bytes(4, "little") + head + sound


def free_port():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


@contextlib.contextmanager
def running(name, command, port):
    """An emulator that answers."""
    with open(STATE / f"{name}.log", "wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=STATE)
        try:
            for _ in range(300):
                with contextlib.suppress(OSError):
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                assert process.poll() is None, (STATE / f"{name}.log").read_text()
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait()


def check(name, wanted, wrong, keys, redirects, longest):
    """Everything that a storage must do. `keys` tells what lies there."""
    refused = api("POST", "/storages", {**wanted, "secrets": wrong}, 422)
    assert refused["errors"][0]["field"] in ("place", "secrets.secret"), refused
    storage = api("POST", "/storages", wanted, 201)
    assert keys() == [], keys()
    at = f"/storages/{storage['id']}"
    files = [("picture.png", (STATE / "picture.png").read_bytes()), ("song.wav", song(longest))]
    items = [upload(file, content) for file, content in files]
    assert len(keys()) == 7, keys()
    for media in items:
        status, _, whole = fetch(media)
        assert (status, len(whole)) == (200, media["bytes"])
        assert "sha256:" + hashlib.sha256(whole).hexdigest() == media["checksum"]
        middle = len(whole) // 2
        for first, last in ((0, 9), (middle, middle + 70_000), (len(whole) - 1, len(whole) - 1)):
            status, headers, part = fetch(media, Range=f"bytes={first}-{last}")
            expected = whole[first : last + 1]
            assert (status, part) == (206, expected), (first, last, status, headers, len(part))
        thumb = send("GET", media["urls"]["thumb"])
        assert thumb[0] == 200
    api("PATCH", at, {"delivery": "redirect"}, 200 if redirects else 422)
    if redirects:
        for media in items:
            status, headers, _ = fetch(media)
            assert status == 302, status
            redirects(headers["Location"], media)
    checked = api("POST", f"{at}/check", {})
    assert checked["is_up"], checked
    for media in items:
        api("DELETE", f"/media/{media['id']}?permanent=true", expect=204)
    assert keys() == [], keys()
    api("DELETE", at, expect=204)
    print(f"{name}: {len(items)} items went there, came back and left nothing", flush=True)


def fetched_there(location, media):
    """An address at the storage itself, good for whoever has it."""
    status, headers, whole = send("GET", location)
    assert status == 200, (status, whole[:500])
    assert "sha256:" + hashlib.sha256(whole).hexdigest() == media["checksum"]
    assert headers["Content-Type"] == media["mime"], headers["Content-Type"]
    for word in ("sig=", "X-Goog-Signature="):
        location = location.replace(word, f"{word}0")
    status, _, _ = send("GET", location)
    assert status in (400, 401, 403), status


def named_there(location, media):
    """An address at the storage itself. Nobody here checks its signature: it is looked at."""
    url = urllib.parse.urlparse(location)
    query = urllib.parse.parse_qs(url.query)
    assert query["X-Goog-Algorithm"] == ["GOOG4-RSA-SHA256"], location
    assert len(query["X-Goog-Signature"][0]) == 512 and media["id"] in url.path, location


def on_azure():
    port = free_port()
    program = WORK / "node_modules/.bin/azurite-blob"
    command = [program, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent"]
    with running("azure", [*command, "--inMemoryPersistence", "--disableTelemetry"], port):
        account = azure.Account(f"http://127.0.0.1:{port}", send)
        account.make_container("pictures")
        place = {"endpoint": account.endpoint, "account": azure.NAME, "bucket": "pictures"}
        wanted = {"name": "Azure", "kind": "azure", "place": place}
        wanted["secrets"] = {"secret": azure.KEY}
        wrong = {"secret": "d3Jvbmc="}
        check("azure", wanted, wrong, lambda: account.keys("pictures"), fetched_there, LONG)


def on_google():
    bucket = google.Bucket("pictures")
    wanted = {"name": "Google", "kind": "gcs"}
    wanted["place"] = {"endpoint": bucket.endpoint, "bucket": "pictures"}
    wanted["secrets"] = {"secret": google.service_account(STATE)}
    check("google", wanted, {"secret": "no key"}, bucket.keys, named_there, LONG)
    bucket.shutdown()


def on_webdav():
    port, folder = free_port(), STATE / "webdav"
    folder.mkdir()
    command = ["rclone", "serve", "webdav", str(folder), "--addr", f"127.0.0.1:{port}"]
    command += ["--user", "ana", "--pass", "open sesame", "--config", "/dev/null"]

    def keys():
        return sorted(str(f.relative_to(folder)) for f in folder.rglob("*") if f.is_file())

    with running("webdav", command, port):
        wanted = {"name": "WebDAV", "kind": "webdav"}
        wanted["place"] = {"endpoint": f"http://127.0.0.1:{port}"}
        wanted["secrets"] = {"access_key": "ana", "secret": "open sesame"}
        wrong = {"access_key": "ana", "secret": "wrong"}
        check("webdav", wanted, wrong, keys, None, LONG)


if __name__ == "__main__":
    EMULATORS = {"webdav": on_webdav, "azure": on_azure, "google": on_google}
    for chosen in sys.argv[4:] or EMULATORS:
        EMULATORS[chosen]()
