"""Google Cloud Storage, played by the part of its XML API that storages need (no package on PyPI,
npm or Debian plays it), and an account that it takes."""

import hashlib
import http.server
import json
import re
import subprocess
import threading
import urllib.parse
from email.utils import formatdate


def service_account(folder):
    """The key of an account, as JSON."""
    command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    key = subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout.decode()
    account = {"type": "service_account", "private_key_id": "1"}
    account |= {"private_key": key, "client_email": "vitrina@example.org", "client_id": "1"}
    return json.dumps(account)


class Bucket(http.server.ThreadingHTTPServer):
    """A server with one bucket, which takes every token."""

    def __init__(self, name):
        super().__init__(("127.0.0.1", 0), Handler)
        self.name, self.objects, self.uploads = name, {}, {}
        self.endpoint = f"http://127.0.0.1:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def keys(self):
        """The keys of all objects, and of those that wait for their parts."""
        return sorted([*self.objects, *(key for key, _ in self.uploads.values())])


def tag(content):
    return f'"{hashlib.md5(content).hexdigest()}"'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def asked(self):
        """The key and the query of this request, and its body."""
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query, keep_blank_values=True))
        bucket, _, key = urllib.parse.unquote(url.path)[1:].partition("/")
        assert bucket == self.server.name and key, self.path
        # A token that the key has signed (RFC 7519): its three parts.
        assert re.fullmatch(r"Bearer [^.]+\.[^.]+\.[^.]+", self.headers["Authorization"])
        return key, query, self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if "Content_Length" not in headers:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        key, query, body = self.asked()
        if upload := query.get("uploadId"):
            self.server.uploads[upload][1][int(query["partNumber"])] = body
        else:
            kinds = {n: self.headers[n] for n in ("Content-Type", "Cache-Control")}
            self.server.objects[key] = (body, kinds)
        self.answer(200, ETag=tag(body))

    def do_POST(self):
        key, query, body = self.asked()
        uploads = self.server.uploads
        if "uploads" in query:
            upload = hashlib.sha1(key.encode()).hexdigest()
            uploads[upload] = (key, {})
            body = f"<Bucket>b</Bucket><Key>k</Key><UploadId>{upload}</UploadId>"
            return self.answer(200, xml("InitiateMultipartUploadResult", body))
        key, parts = uploads.pop(query["uploadId"])
        wanted = [int(n) for n in re.findall(r"<PartNumber>(\d+)</PartNumber>", body.decode())]
        assert wanted == sorted(parts), wanted
        whole = b"".join(parts[number] for number in wanted)
        self.server.objects[key] = (whole, {})
        answer = xml("CompleteMultipartUploadResult", f"<ETag>{tag(whole)}</ETag>")
        return self.answer(200, answer)

    def do_GET(self):
        key, _, _ = self.asked()
        if key not in self.server.objects:
            return self.answer(404)
        whole, kinds = self.server.objects[key]
        headers = {"ETag": tag(whole), "Last_Modified": formatdate(usegmt=True)}
        headers |= {name.replace("-", "_"): value for name, value in kinds.items() if value}
        if self.command == "HEAD":
            return self.answer(200, Content_Length=str(len(whole)), **headers)
        if asked := re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("Range", "")):
            first, last = int(asked[1]), min(int(asked[2]), len(whole) - 1)
            headers["Content_Range"] = f"bytes {first}-{last}/{len(whole)}"
            return self.answer(206, whole[first : last + 1], **headers)
        return self.answer(200, whole, **headers)

    do_HEAD = do_GET

    def do_DELETE(self):
        key, query, _ = self.asked()
        if upload := query.get("uploadId"):
            return self.answer(204 if self.server.uploads.pop(upload, None) else 404)
        return self.answer(204 if self.server.objects.pop(key, None) else 404)

    def log_message(self, *_):
        pass


def xml(name, body):
    return f'<?xml version="1.0" encoding="UTF-8"?><{name}>{body}</{name}>'.encode()
