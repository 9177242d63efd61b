import assert from "node:assert/strict";
import { kekFileId } from "../../../src/app/kek_file_id.ts";
import { generateKek } from "../../../src/app/generate_kek.ts";
import { InsecureKekFileError } from "../../../src/keys/kek_errors.ts";
import { runIn } from "./fake_services.ts";

const ID = "file:3f2a91d0c4b7e865";

Deno.test("kek id prints the id of the file, and nothing else", async () => {
  const asked: string[] = [];
  const world = {
    async kekFileId(path: string) {
      asked.push(path);
      return ID;
    },
  };
  const { code, out, err } = await runIn(world, "kek", "id", "prod.kek");
  assert.deepEqual([code, out, err], [0, `${ID}\n`, ""]);
  assert.deepEqual(asked, ["prod.kek"]);
  const json = await runIn(world, "kek", "id", "prod.kek", "--json");
  assert.deepEqual(JSON.parse(json.out), { id: ID, path: "prod.kek" });
});

Deno.test("kek id refuses what a node would refuse", async () => {
  const world = {
    kekFileId: () => Promise.reject(new InsecureKekFileError("a.kek", 0o644)),
  };
  const { code, out, err } = await runIn(world, "kek", "id", "a.kek");
  assert.deepEqual([code, out], [78, ""]);
  assert.match(err, /^error\[KEYS_KEK_INSECURE\]: .*\nremedy: chmod 600 a.kek/);
});

Deno.test("kekFileId() is the id that a KEK was made with", async () => {
  const dir = await Deno.makeTempDir({ prefix: "sealkv_kek_" });
  try {
    const { id } = await generateKek(`${dir}/a`);
    await Deno.copyFile(`${dir}/a`, `${dir}/copy`);
    assert.equal(await kekFileId(`${dir}/copy`), id);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
