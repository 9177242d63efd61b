import { deepEqual, ok } from "node:assert/strict";
import { denoBytesOf, denoSpaceOf } from "../../src/io/deno/space.ts";

const HIDDEN = { freeBytes: 0n, totalBytes: 0n };

Deno.test("denoSpaceOf() is the room of the file system", async () => {
  const { freeBytes, totalBytes } = await denoSpaceOf(".");
  ok(freeBytes > 0n && freeBytes <= totalBytes);
});

Deno.test("denoSpaceOf() of what is not there is hidden", async () => {
  deepEqual(await denoSpaceOf("/no/such/path"), HIDDEN);
});

Deno.test({
  name: "denoSpaceOf() without the permission is hidden",
  permissions: { read: true, sys: false },
  fn: async () => deepEqual(await denoSpaceOf("."), HIDDEN),
});

Deno.test("denoBytesOf() is the length of a file, 0 when there is none", async () => {
  const path = await Deno.makeTempFile();
  try {
    await Deno.writeFile(path, new Uint8Array(4_097));
    deepEqual(await denoBytesOf(path), 4_097n);
  } finally {
    await Deno.remove(path);
  }
  deepEqual(await denoBytesOf(path), 0n);
});
