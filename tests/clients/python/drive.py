"""Drives a running appliance through a client that was generated from its API document.

Bodies are built from plain dictionaries where possible, so that what is tested is the document
and not our memory of the generated names.
"""

import os
import sys
import typing

import httpx
from vitrina_client import AuthenticatedClient
from vitrina_client.api.accounts import create_session, create_token
from vitrina_client.api.media import (
    create_rendering_url,
    create_signed_url,
    delete_media,
    get_media,
    list_media,
    restore_media,
    update_media,
    upload_media,
)
from vitrina_client.models import SignInRequest, TokenRequest
from vitrina_client.types import UNSET, File

URL = os.environ["VITRINA_URL"]


def name_boundary(request):
    """Where an operation takes several kinds of body, this generator sends forms with a header
    that names no boundary. The transport knows the one it used."""
    if request.headers.get("content-type") == "multipart/form-data":
        request.headers["content-type"] = request.stream.content_type


def signed_in(token):
    return AuthenticatedClient(
        base_url=f"{URL}/api/v2",
        token=token,
        httpx_args={"event_hooks": {"request": [name_boundary]}},
    )


def log_in():
    """A token for this journey alone, by one that may do everything, and who is behind a
    password."""
    every = signed_in(os.environ["VITRINA_TOKEN"])
    wrong = create_session.sync(client=every, body=SignInRequest("ana", "wrong"))
    assert (wrong.status, wrong.code) == (401, "wrong_credentials")
    right = SignInRequest("ana", os.environ["VITRINA_PASSWORD"])
    assert create_session.sync(client=every, body=right).user.username == "ana"
    wish = TokenRequest("Python", ["media:read", "media:write"], expires_in=600_000)
    return signed_in(create_token.sync(client=every, body=wish).token)


client = log_in()


def body_of(operation, method="from_dict"):
    """The generated class for the body of an operation, found by what it can do."""
    hint = typing.get_type_hints(operation.sync_detailed)["body"]
    kinds = [kind for kind in typing.get_args(hint) or [hint] if hasattr(kind, method)]
    return kinds[0]


def upload(payload, name, mime, **fields):
    file = File(payload=payload, file_name=name, mime_type=mime)
    form = body_of(upload_media, "to_multipart")(file=file, **fields)
    return upload_media.sync_detailed(client=client, body=form)


def all_of_mine():
    after = UNSET
    while True:
        page = list_media.sync(client=client, owner="me", limit=2, after=after)
        assert len(page.items) <= 2
        yield from (item.id for item in page.items)
        if not page.next_:
            return
        after = page.next_


def main(pictures):
    ids = []
    for picture in pictures:
        with open(picture, "rb") as file:
            made = upload(file, "Größe.png", "image/png", title="From Python")
        assert made.status_code == 201, made
        media = made.parsed
        assert media.title == "From Python"
        assert (media.mime, media.width, media.height) == ("image/png", 640, 480)
        assert media.delete_url.startswith(URL)
        ids.append(media.id)
    listed = list(all_of_mine())
    assert len(ids) > 2 and all(listed.count(id) == 1 for id in ids), listed

    with open(picture, "rb") as file:
        again = upload(file, "again.png", "image/png")
    assert again.status_code == 200, again
    assert again.parsed.id == media.id

    assert get_media.sync(media.id, client=client).filename == media.filename

    wish = body_of(create_rendering_url).from_dict({"width": 100})
    smaller = create_rendering_url.sync(media.id, client=client, body=wish)
    assert httpx.get(smaller.url).status_code == 200

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
    for id in ids:
        for_good = delete_media.sync_detailed(id, client=client, permanent=True)
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


main(sys.argv[1:])
