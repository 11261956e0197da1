"""Drives a running appliance through a client that was generated from its API document.

Bodies are built from plain dictionaries where possible, so that what is tested is the document
and not our memory of the generated names.
"""

import os
import sys
import typing

import httpx
from vitrina_client import AuthenticatedClient
from vitrina_client.api.media import (
    create_signed_url,
    delete_media,
    get_media,
    list_media,
    restore_media,
    update_media,
    upload_media,
)
from vitrina_client.types import File

URL = os.environ["VITRINA_URL"]


def name_boundary(request):
    """Where an operation takes several kinds of body, this generator sends forms with a header
    that names no boundary. The transport knows the one it used."""
    if request.headers.get("content-type") == "multipart/form-data":
        request.headers["content-type"] = request.stream.content_type


client = AuthenticatedClient(
    base_url=f"{URL}/api/v2",
    token=os.environ["VITRINA_TOKEN"],
    httpx_args={"event_hooks": {"request": [name_boundary]}},
)


def body_of(operation, method="from_dict"):
    """The generated class for the body of an operation, found by what it can do."""
    hint = typing.get_type_hints(operation.sync_detailed)["body"]
    kinds = [kind for kind in typing.get_args(hint) or [hint] if hasattr(kind, method)]
    return kinds[0]


def upload(payload, name, mime, **fields):
    file = File(payload=payload, file_name=name, mime_type=mime)
    form = body_of(upload_media, "to_multipart")(file=file, **fields)
    return upload_media.sync_detailed(client=client, body=form)


def main(picture):
    with open(picture, "rb") as file:
        made = upload(file, "Größe.png", "image/png", title="From Python")
    assert made.status_code == 201, made
    media = made.parsed
    assert media.title == "From Python"
    assert (media.mime, media.width, media.height) == ("image/png", 640, 480)
    assert media.delete_url.startswith(URL)

    with open(picture, "rb") as file:
        again = upload(file, "again.png", "image/png")
    assert again.status_code == 200, again
    assert again.parsed.id == media.id

    listed = list_media.sync(client=client, limit=10)
    assert media.id in [item.id for item in listed.items]
    assert get_media.sync(media.id, client=client).filename == media.filename

    changes = body_of(update_media).from_dict({"title": "Renamed", "visibility": "private"})
    changed = update_media.sync(media.id, client=client, body=changes)
    assert changed.title == "Renamed"

    # Private means private, but a signed link opens it.
    assert httpx.get(changed.urls.original).status_code in (401, 403, 404)
    wish = body_of(create_signed_url).from_dict({"expires_in": 60_000})
    signed = create_signed_url.sync(media.id, client=client, body=wish)
    fetched = httpx.get(signed.url)
    assert fetched.status_code == 200, fetched
    assert fetched.headers["content-type"] == "image/png"

    # Into the trash and back, then for good.
    assert delete_media.sync_detailed(media.id, client=client).status_code == 204
    assert get_media.sync(media.id, client=client).status == "trashed"
    assert restore_media.sync(media.id, client=client).status == "active"
    for_good = delete_media.sync_detailed(media.id, client=client, permanent=True)
    assert for_good.status_code == 204
    gone = get_media.sync_detailed(media.id, client=client)
    assert (gone.status_code, gone.parsed.code) == (404, "not_found")

    refused = upload(b"no picture at all", "a.png", "image/png")
    assert refused.status_code == 415, refused
    assert refused.parsed.status == 415
    assert refused.parsed.code and refused.parsed.request_id

    stranger = AuthenticatedClient(base_url=f"{URL}/api/v2", token="vk_of-nobody")
    assert list_media.sync_detailed(client=stranger).status_code == 401
    print("the generated Python client works")


main(sys.argv[1])
