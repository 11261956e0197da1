"""Keeps the tester from sawing off the branch it sits on: its own token stays."""

import json
import os
import urllib.request

import schemathesis

API = os.environ["VITRINA_URL"] + "/api/v2"


def own_tokens():
    headers = {"Authorization": "Bearer " + os.environ["VITRINA_TOKEN"]}
    request = urllib.request.Request(API + "/tokens", headers=headers)
    with urllib.request.urlopen(request) as answer:
        return [token["id"] for token in json.load(answer)["items"]]


OWN = own_tokens()


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path == "/tokens/{id}" and case.path_parameters.get("id") in OWN:
        case.path_parameters["id"] = "1111111111"


@schemathesis.serializer("application/offset+octet-stream")
def as_it_is(context, value):
    return value if isinstance(value, bytes) else json.dumps(value).encode()
