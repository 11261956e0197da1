"""Sends one large film and prints how fast it came in. It is a small one with a long free part behind
it: what a server does with its bytes is the same as with any other film, and no time goes into
decoding."""

import http.client, json, os, struct, sys, time, urllib.parse

server, base, token, small, gigabytes, way, endpoint = sys.argv[1:8]
SIZE = int(gigabytes) * 10**9
PIECE = 50 * 10**6  # below what proxies commonly let through
place = urllib.parse.urlsplit(base)
AUTH = {"authorization": f"Bearer {token}"}


def call(method, path, body=None, headers={}, patience=1800):
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=patience)
    connection.request(method, path, body, {**AUTH, **headers})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status >= 300:
        sys.exit(f"{method} {path}: {answer.status} {text[:400]}")
    return answer, text


def send_json(method, path, value):
    return json.loads(call(method, path, json.dumps(value), {"content-type": "application/json"})[1])


def memory(what):
    with open(f"/proc/{server}/status") as status:
        return next(int(line.split()[1]) // 1024 for line in status if line.startswith(what))


film = open(small, "rb").read()
rest = SIZE - len(film)
head = film + struct.pack(">I4sQ", 1, b"free", rest)
rest -= 16
noise = os.urandom(1 << 20)


def pieces(start, length):
    """So many bytes of the film from there on."""
    while length > 0:
        if start < len(head):
            piece = head[start : start + length]
        else:
            at = (start - len(head)) % len(noise)
            piece = noise[at : at + length]
        yield piece
        start += len(piece)
        length -= len(piece)


send_json("PATCH", "/api/v2/site/settings", {"max_upload_bytes": 2 * SIZE, "max_video_bytes": 2 * SIZE})
if endpoint:
    send_json("POST", "/api/v2/storages", {
        "name": "S3", "kind": "s3", "place": {"endpoint": endpoint, "bucket": "films"},
        "secrets": {"access_key": "key", "secret": "secret"},
    })
began = time.monotonic()
if way == "form":
    before = b'--X\r\ncontent-disposition: form-data; name="file"; filename="film.mp4"\r\n\r\n'
    after = b"\r\n--X--\r\n"

    def body():
        yield before
        yield from pieces(0, SIZE)
        yield after

    length = str(len(before) + SIZE + len(after))
    call("POST", "/api/v2/media", body(),
         {"content-type": "multipart/form-data; boundary=X", "content-length": length})
    received = time.monotonic()
else:
    tus = {"tus-resumable": "1.0.0"}
    answer, _ = call("POST", "/api/v2/uploads", None, {**tus, "upload-length": str(SIZE), "content-length": "0"})
    path = urllib.parse.urlsplit(answer.headers["location"]).path
    offset = 0
    while offset < SIZE:
        length = min(PIECE, SIZE - offset)
        last = time.monotonic()
        call("PATCH", path, pieces(offset, length),
             {**tus, "upload-offset": str(offset), "content-length": str(length),
              "content-type": "application/offset+octet-stream"})
        offset += length
    received = time.monotonic()
took = received - began
where = "S3" if endpoint else "disk"
print(f"{gigabytes} GB by {way} to {where}: {took:.1f} s, {SIZE / took / 1e6:.0f} MB a second, "
      f"{memory('VmHWM')} MB at the peak", flush=True)
