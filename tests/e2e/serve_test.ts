import { equal, match, notEqual, ok } from "node:assert/strict";
import { NodeProcess } from "./node_process.ts";
import { openKv } from "./open_kv.ts";

Deno.test("serve: says ready, answers probes, stops with 0", async () => {
  await using node = await NodeProcess.start();
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    const response = await fetch(`${node.url}${path}`);
    equal(response.status, 200, path);
    notEqual((await response.text()).length, 0, path);
  }
  equal(await node.stop(), 0, node.output);
});

Deno.test("serve: keeps what was written over a restart", async () => {
  const dataDir = await Deno.makeTempDir({ prefix: "sealkv-data-" });
  try {
    await using first = await NodeProcess.start({ dataDir });
    using kv = await openKv(first.url);
    const { versionstamp } = await kv.set(["a"], { b: 1n });
    equal(await first.stop(), 0, first.output);

    await using second = await NodeProcess.start({ dataDir });
    using again = await openKv(second.url);
    const entry = await again.get<{ b: bigint }>(["a"]);
    equal(entry.value?.b, 1n);
    equal(entry.versionstamp, versionstamp);
    equal(await second.stop(), 0, second.output);
  } finally {
    await Deno.remove(dataDir, { recursive: true });
  }
});

Deno.test("serve: two nodes never share a data dir", async () => {
  await using first = await NodeProcess.start();
  await using second = await NodeProcess.launch({ dataDir: first.dataDir });
  equal(await second.exited(), 78, second.output);
  match(second.stderr, /^error\[NODE_DATA_DIR_LOCKED\]: .*$/m);
  match(second.stderr, /^remedy: .+$/m);
});

Deno.test("serve: an address in use is named", async () => {
  await using first = await NodeProcess.start();
  await using second = await NodeProcess.launch({
    args: ["--listen", first.bound.listen],
  });
  notEqual(await second.exited(), 0);
  match(second.stderr, /^error\[IO_LISTEN_FAILED\]: /m);
  ok(second.stderr.includes(first.bound.listen), second.stderr);
});

Deno.test("serve: a wrong token is refused and changes nothing", async () => {
  await using node = await NodeProcess.start();
  const response = await fetch(node.url, {
    method: "POST",
    headers: {
      authorization: "Bearer some-other-token",
      "content-type": "application/json",
    },
    body: '{"supportedVersions":[2,3]}',
  });
  equal(response.status, 401);
  await response.body?.cancel();
});
