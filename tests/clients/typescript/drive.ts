// Drives a running appliance with types that were generated from its API document. Most of the
// test is that this file compiles: every path, field and status below is checked against them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { argv, env } from "node:process";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const { VITRINA_URL: origin, VITRINA_TOKEN: token, VITRINA_PASSWORD: password = "" } = env;

function signedIn(token?: string) {
  const headers = { authorization: `Bearer ${token}` };
  return createClient<paths>({ baseUrl: `${origin}/api/v2`, headers });
}

// A token for this journey alone, by one that may do everything, and who is behind a password.
const all = signedIn(token);
const wrong = await all.POST("/session", { body: { login: "ana", password: "wrong" } });
assert.deepEqual([wrong.error?.status, wrong.error?.code], [401, "wrong_credentials"]);
const session = await all.POST("/session", { body: { login: "ana", password } });
assert.equal(session.data?.user.username, "ana");
const scopes = ["media:read", "media:write"];
const wanted = { name: "TypeScript", scopes, expires_in: 600_000 };
const client = signedIn((await all.POST("/tokens", { body: wanted })).data?.token);

/** The document knows a file as a string of bytes; what a browser or Node sends is a `Blob`. */
function upload(file: File, title: string) {
  return client.POST("/media", {
    body: { file: "", title },
    bodySerializer(fields) {
      const form = new FormData();
      for (const [name, value] of Object.entries(fields)) form.set(name, String(value));
      form.set("file", file);
      return form;
    },
  });
}

const ids: string[] = [];
for (const path of argv.slice(2)) {
  const picture = new File([await readFile(path)], "sea.png", { type: "image/png" });
  const made = await upload(picture, "From TypeScript");
  assert.equal(made.response.status, 201);
  assert.equal(made.data?.title, "From TypeScript");
  assert.deepEqual([made.data.width, made.data.height], [640, 480]);
  ids.push(made.data.id);
}
assert.ok(ids.length > 2);

const listed: string[] = [];
let after: string | undefined;
do {
  const query = { owner: "me", limit: 2, ...(after && { after }) };
  const { data: page } = await client.GET("/media", { params: { query } });
  assert.ok(page && page.items.length <= 2);
  listed.push(...page.items.map((item) => item.id));
  after = page.next;
} while (after);
for (const id of ids) assert.equal(listed.filter((other) => other === id).length, 1);

const id = ids[0]!;
const one = { params: { path: { id } } };
assert.equal((await client.GET("/media/{id}", one)).data?.id, id);

const smaller = { ...one, body: { width: 100 } };
const rendering = await client.POST("/media/{id}/renderings", smaller);
assert.ok(rendering.data);
assert.equal((await fetch(rendering.data.url)).status, 200);

const body = { title: "Renamed", visibility: "private" } as const;
const changed = await client.PATCH("/media/{id}", { ...one, body });
assert.equal(changed.data?.title, "Renamed");

// Private means private, but a signed link opens it.
assert.ok((await fetch(changed.data.urls.original)).status >= 400);
const wish = { ...one, body: { expires_in: 60_000 } };
const signed = await client.POST("/media/{id}/signed-url", wish);
assert.ok(signed.data);
assert.equal((await fetch(signed.data.url)).status, 200);

// Into the trash and back, then for good.
assert.equal((await client.DELETE("/media/{id}", one)).response.status, 204);
assert.equal((await client.GET("/media/{id}", one)).data?.status, "trashed");
assert.equal((await client.POST("/media/{id}/restore", one)).data?.status, "active");
for (const id of ids) {
  const forGood = { params: { path: { id }, query: { permanent: true } } };
  assert.equal((await client.DELETE("/media/{id}", forGood)).response.status, 204);
}
const gone = await client.GET("/media/{id}", one);
assert.equal(gone.response.status, 404);
assert.equal(gone.error?.code, "not_found");

const refused = await upload(new File(["no picture at all"], "a.png"), "Refused");
assert.equal(refused.response.status, 415);
assert.ok(refused.error?.code);
console.log("the generated TypeScript client works");
