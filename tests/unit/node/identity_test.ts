import assert from "node:assert/strict";
import { utf8 } from "../../../src/base/bytes.ts";
import { IdentityDamagedError } from "../../../src/node/errors.ts";
import {
  drawIdentity,
  formatIdentity,
  type Identity,
  NO_DIGEST,
  parseIdentity,
  readIdentity,
  writeIdentity,
} from "../../../src/node/identity.ts";
import { CRASH_KINDS, SimDisk } from "../../sim/io/disk.ts";
import { SimRandom } from "../../sim/io/random.ts";

const PATH = "/data/NODE";
const DISK = "07".repeat(16);
const DIGEST = "1f".repeat(32);

function identity(given: Partial<Identity> = {}): Identity {
  return {
    name: "n1",
    id: 1,
    diskId: new Uint8Array(16).fill(7),
    foundingDigest: new Uint8Array(32).fill(0x1f),
    ...given,
  };
}

const TEXT =
  `{"format":1,"name":"n1","id":"1","disk":"${DISK}","founding":"${DIGEST}"}\n`;

async function dataDisk(): Promise<SimDisk> {
  const disk = new SimDisk({ seed: 1 });
  await disk.makeDir("/data");
  await disk.syncDir("/");
  return disk;
}

Deno.test("formatIdentity() writes one line of JSON", () => {
  assert.equal(formatIdentity(identity()), TEXT);
});

Deno.test("parseIdentity() reads what formatIdentity() wrote", () => {
  const all = [
    identity(),
    identity({ name: "a" }),
    identity({ name: `${"a".repeat(31)}-.${"9".repeat(30)}` }),
    identity({ id: Number.MAX_SAFE_INTEGER }),
    identity({ foundingDigest: NO_DIGEST }),
  ];
  for (const one of all) {
    assert.deepEqual(parseIdentity(formatIdentity(one)), one);
  }
});

const MALFORMED: [name: string, text: string][] = [
  ["empty", ""],
  ["no line break", TEXT.trimEnd()],
  ["cut", TEXT.slice(0, 40)],
  ["more behind", `${TEXT}x`],
  ["twice", TEXT + TEXT],
  ["more before", ` ${TEXT}`],
  ["another format", TEXT.replace(":1,", ":2,")],
  ["no name", TEXT.replace('"n1"', '""')],
  ["a name in capitals", TEXT.replace('"n1"', '"N1"')],
  ["a name too long", TEXT.replace("n1", "n".repeat(64))],
  ["id 0", TEXT.replace('"id":"1"', '"id":"0"')],
  ["an id with zeros before it", TEXT.replace('"id":"1"', '"id":"01"')],
  ["a negative id", TEXT.replace('"id":"1"', '"id":"-1"')],
  ["no id", TEXT.replace('"id":"1"', '"id":""')],
  ["id 2^53", TEXT.replace('"id":"1"', '"id":"9007199254740992"')],
  ["an id of 17 digits", TEXT.replace('"id":"1"', '"id":"00000000000000001"')],
  ["an id that is a number", TEXT.replace('"id":"1"', '"id":1')],
  ["a short disk id", TEXT.replace(DISK, DISK.slice(2))],
  ["an odd disk id", TEXT.replace(DISK, DISK.slice(1))],
  ["a long disk id", TEXT.replace(DISK, `${DISK}00`)],
  ["a short digest", TEXT.replace(DIGEST, DIGEST.slice(2))],
  ["a long digest", TEXT.replace(DIGEST, `${DIGEST}00`)],
  ["hex in capitals", TEXT.replace(DIGEST, DIGEST.toUpperCase())],
  ["fields in another order", TEXT.replace('"format":1,', "")],
  ["spaces", TEXT.replaceAll(":", ": ")],
];

for (const [name, text] of MALFORMED) {
  Deno.test(`readIdentity() refuses a file with ${name}`, async () => {
    assert.equal(parseIdentity(text), null);
    const disk = await dataDisk();
    const file = await disk.open(PATH, "create");
    await file.writeAndSync(0, utf8(text));
    await assert.rejects(readIdentity(disk, PATH), IdentityDamagedError);
  });
}

Deno.test("readIdentity() refuses more than an identity, without reading it", async () => {
  const disk = await dataDisk();
  const file = await disk.open(PATH, "create");
  await file.writeAndSync(0, new Uint8Array(100_000));
  let asked = 0;
  disk.damageRead = (_, __, bytes) => void (asked += bytes.length);
  await assert.rejects(readIdentity(disk, PATH), IdentityDamagedError);
  assert.ok(asked <= 4_096, `${asked} bytes`);
});

Deno.test("readIdentity() knows no one where there is no file", async () => {
  assert.equal(await readIdentity(await dataDisk(), PATH), null);
});

Deno.test("writeIdentity() is there after a crash when it returned", async () => {
  for (const kind of CRASH_KINDS) {
    const disk = await dataDisk();
    await writeIdentity(disk, PATH, identity());
    disk.restart(kind);
    assert.deepEqual(await readIdentity(disk, PATH), identity(), kind);
  }
});

Deno.test("writeIdentity() is whole or not there wherever it dies", async () => {
  let cut = 0;
  for (const kind of CRASH_KINDS) {
    for (let operation = 1;; operation += 1) {
      const disk = await dataDisk();
      disk.crashAt = disk.operations + operation;
      const isDone = await writeIdentity(disk, PATH, identity())
        .then(() => true, () => false);
      disk.restart(kind);
      const found = await readIdentity(disk, PATH);
      if (found !== null) assert.deepEqual(found, identity());
      if (isDone) break;
      cut += 1;
      // What the crash left behind is in nobody's way.
      await writeIdentity(disk, PATH, identity({ name: "n2" }));
      disk.restart("none");
      const again = await readIdentity(disk, PATH);
      assert.deepEqual(again, identity({ name: "n2" }));
    }
  }
  assert.ok(cut >= 4 * CRASH_KINDS.length, `${cut} crashes`);
});

Deno.test("drawIdentity() draws another disk each time", () => {
  const random = new SimRandom(1);
  const { diskId: _, ...given } = identity();
  const [a, b] = [drawIdentity(random, given), drawIdentity(random, given)];
  assert.equal(a.diskId.length, 16);
  assert.notDeepEqual(a.diskId, b.diskId);
  assert.deepEqual({ ...a, diskId: b.diskId }, b);
});
