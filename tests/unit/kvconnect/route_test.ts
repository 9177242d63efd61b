import assert from "node:assert/strict";
import { pathOf, type Route, routeOf } from "../../../src/kvconnect/route.ts";

const NAME_128 = "n".repeat(128);

const PATHS: [url: string, path: string][] = [
  ["http://h:1/v2/watch", "/v2/watch"],
  ["https://h/", "/"],
  ["http://h", "/"],
  ["http://h/db/x?y=/z", "/db/x"],
  ["http://[::1]:4512//v2//watch", "//v2//watch"],
];

for (const [url, path] of PATHS) {
  Deno.test(`pathOf() of ${url} is ${path}`, () => {
    assert.equal(pathOf(url), path);
  });
}

const ROUTES: [path: string, route: Route | null][] = [
  ["/", { kind: "metadata", database: "" }],
  ["//", { kind: "metadata", database: "" }],
  ["/db/a", { kind: "metadata", database: "a" }],
  ["/db/a/", { kind: "metadata", database: "a" }],
  ["/db/A-z_0.9", { kind: "metadata", database: "A-z_0.9" }],
  [`/db/${NAME_128}`, { kind: "metadata", database: NAME_128 }],
  [`/db/${NAME_128}n`, null],
  ["/db/", null],
  ["/db", null],
  ["/db/ä", null],
  ["/db/a%20b", null],
  ["/db/a/b", null],
  ["/db/watch", { kind: "metadata", database: "watch" }],
  ["/v2/watch", { kind: "data", database: "", method: "watch" }],
  ["//v2///watch", { kind: "data", database: "", method: "watch" }],
  ["/v2/atomic_write", { kind: "data", database: "", method: "atomic_write" }],
  ["/v2/snapshot_read", {
    kind: "data",
    database: "",
    method: "snapshot_read",
  }],
  ["/db/v2/v2/watch", { kind: "data", database: "v2", method: "watch" }],
  ["/db/a//v2//atomic_write", {
    kind: "data",
    database: "a",
    method: "atomic_write",
  }],
  ["/v2", null],
  ["/v2/", null],
  ["/v2/commit", null],
  ["/v3/watch", null],
  ["/watch", null],
  ["/healthz", { kind: "healthz" }],
  ["/readyz", { kind: "readyz" }],
  ["/metrics", { kind: "metrics" }],
  ["/favicon.ico", null],
  ["", null],
];

for (const [path, route] of ROUTES) {
  Deno.test(`routeOf() of "${path.slice(0, 30)}"`, () => {
    assert.deepEqual(routeOf(path), route);
  });
}
