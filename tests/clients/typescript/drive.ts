// Drives a running appliance with types that were generated from its API document. Most of the
// test is that this file compiles: every path, field and status below is checked against them.

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { argv, env } from "node:process";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const { VITRINA_URL: origin, VITRINA_TOKEN: token } = env;
const client = createClient<paths>({
  baseUrl: `${origin}/api/v2`,
  headers: { authorization: `Bearer ${token}` },
});

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

const picture = new File([await readFile(argv[2]!)], "sea.png", { type: "image/png" });
const made = await upload(picture, "From TypeScript");
assert.equal(made.response.status, 201);
assert.ok(made.data);
const { id } = made.data;
const one = { params: { path: { id } } };
assert.equal(made.data.title, "From TypeScript");
assert.deepEqual([made.data.width, made.data.height], [640, 480]);

const listed = await client.GET("/media", { params: { query: { limit: 10 } } });
assert.ok(listed.data?.items.some((item) => item.id === id));
assert.equal((await client.GET("/media/{id}", one)).data?.id, id);

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
const forGood = { params: { ...one.params, query: { permanent: true } } };
assert.equal((await client.DELETE("/media/{id}", forGood)).response.status, 204);
const gone = await client.GET("/media/{id}", one);
assert.equal(gone.response.status, 404);
assert.equal(gone.error?.code, "not_found");

const refused = await upload(new File(["no picture at all"], "a.png"), "Refused");
assert.equal(refused.response.status, 415);
assert.ok(refused.error?.code);
console.log("the generated TypeScript client works");
