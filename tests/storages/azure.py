"""Azure's emulator, spoken to with its own account."""

import base64
import hashlib
import hmac
import re
import time
import urllib.parse

# What every emulator of Azure is opened with; the whole world knows it.
NAME = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
VERSION = "2021-08-06"


class Account:
    def __init__(self, server, send):
        self.endpoint, self.send = f"{server}/{NAME}", send

    def make_container(self, name):
        status, _, answer = self.signed("PUT", name, {"restype": "container"})
        assert status == 201, (status, answer)

    def keys(self, container):
        query = {"comp": "list", "restype": "container", "include": "uncommittedblobs"}
        status, _, answer = self.signed("GET", container, query)
        assert status == 200, (status, answer)
        return sorted(re.findall("<Name>([^<]*)</Name>", answer.decode()))

    def signed(self, method, container, query):
        """One request, signed with the account's key (Shared Key)."""
        date = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime())
        headers = {"x-ms-date": date, "x-ms-version": VERSION}
        lines = [method] + [""] * 11
        lines += [f"{name}:{value}" for name, value in sorted(headers.items())]
        lines += [f"/{NAME}/{NAME}/{container}"]
        lines += [f"{name}:{value}" for name, value in sorted(query.items())]
        mac = hmac.new(base64.b64decode(KEY), "\n".join(lines).encode(), hashlib.sha256)
        signature = base64.b64encode(mac.digest()).decode()
        headers["Authorization"] = f"SharedKey {NAME}:{signature}"
        url = f"{self.endpoint}/{container}?{urllib.parse.urlencode(query)}"
        return self.send(method, url, None, headers)
