import { deepEqual, equal, match, notEqual, rejects } from "node:assert/strict";
import {
  adminOf,
  openDemoPlace,
  tokenPath,
} from "../../../../src/cli/demo/place.ts";
import { InputInvalidError, UsageError } from "../../../../src/cli/errors.ts";
import { denoServices } from "../../../../src/cli/services.ts";

const services = denoServices();

async function withDir(use: (dir: string) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await use(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a demo is opened again as it was made", async () => {
  await withDir(async (dir) => {
    const made = await openDemoPlace(services, `${dir}/new`, null);
    deepEqual(await openDemoPlace(services, `${dir}/new`, null), made);
    match(made.canary, /^canary-[0-9a-f]{8}$/);
    equal(made.members.length, 3);
    const ports = made.members.flatMap(({ listen, peer, admin }) => [
      ...[listen, peer, admin],
    ]);
    equal(new Set(ports).size, 9);
  });
});

Deno.test("no two demos share a secret or a text", async () => {
  await withDir(async (dir) => {
    const one = await openDemoPlace(services, `${dir}/1`, null);
    const two = await openDemoPlace(services, `${dir}/2`, null);
    notEqual(one.canary, two.canary);
    notEqual(one.tokens.access, two.tokens.access);
    notEqual(
      await Deno.readTextFile(one.kekPath),
      await Deno.readTextFile(two.kekPath),
    );
  });
});

Deno.test("the key lies apart from the data, and secrets are the user's", async () => {
  await withDir(async (dir) => {
    const place = await openDemoPlace(services, dir, null);
    const paths = [
      place.kekPath,
      `${dir}/demo.json`,
      ...["access", "admin", "peer"].map((name) => tokenPath(dir, name)),
    ];
    for (const path of paths) {
      for (const { dataDir } of place.members) {
        equal(path.startsWith(`${dataDir}/`), false);
      }
      if (Deno.build.os === "windows") continue;
      equal((await Deno.stat(path)).mode! & 0o777, 0o600, path);
    }
    const token = await Deno.readTextFile(tokenPath(dir, "admin"));
    equal(token, `${place.tokens.admin}\n`);
  });
});

Deno.test("a base port gives each node ten ports", async () => {
  await withDir(async (dir) => {
    const place = await openDemoPlace(services, dir, 9_000);
    deepEqual(place.members[1], {
      name: "n2",
      dataDir: `${dir}/n2`,
      listen: "127.0.0.1:9010",
      peer: "127.0.0.1:9011",
      admin: "127.0.0.1:9012",
    });
    equal(adminOf(place), "127.0.0.1:9002,127.0.0.1:9012,127.0.0.1:9022");
  });
});

Deno.test("a demo on other ports than those asked for is refused", async () => {
  await withDir(async (dir) => {
    const made = await openDemoPlace(services, dir, 9_000);
    deepEqual(await openDemoPlace(services, dir, 9_000), made);
    await rejects(openDemoPlace(services, dir, 9_100), UsageError);
    deepEqual(await openDemoPlace(services, dir, null), made);
  });
});

Deno.test("a directory with something else in it stays as it is", async () => {
  await withDir(async (dir) => {
    await Deno.writeTextFile(`${dir}/thesis`, "years of work");
    await rejects(openDemoPlace(services, dir, null), UsageError);
    deepEqual([...Deno.readDirSync(dir)].map(({ name }) => name), ["thesis"]);
  });
});

Deno.test("a file that is no demo's is refused", async () => {
  const texts = [
    "",
    "{",
    "7",
    "{}",
    '{"canary":"c","tokens":{},"addresses":[]}',
    '{"canary":"c","tokens":{"access":"a","admin":"b","peer":"c"},"addresses":[1,2,3]}',
  ];
  for (const text of texts) {
    await withDir(async (dir) => {
      await Deno.writeTextFile(`${dir}/demo.json`, text);
      await rejects(openDemoPlace(services, dir, null), InputInvalidError);
    });
  }
});
