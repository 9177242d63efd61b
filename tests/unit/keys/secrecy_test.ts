/*
 * Goal: nothing that can be printed shows a key.
 * Method: keys of known bytes; print every object and every error in every
 * way, and look for the bytes in every writing.
 */
import assert from "node:assert/strict";
import { toBase64 } from "../../../src/base/base64.ts";
import { type Bytes, toHex } from "../../../src/base/bytes.ts";
import { NodeError } from "../../../src/base/error.ts";
import type { Random } from "../../../src/io/random.ts";
import { openCustody } from "../../../src/keys/custody.ts";
import { KekRing } from "../../../src/keys/kek_ring.ts";
import type { WrapContext } from "../../../src/keys/port.ts";
import { readSidecar, sidecarPath } from "../../../src/keys/sidecar_file.ts";
import { Sessions } from "../../../src/keys/sessions.ts";
import { SimRandom } from "../../sim/io/random.ts";
import { DIR, founded, freshDisk, noRow, openOn } from "./custody_harness.ts";
import { CLUSTER_ID } from "./sample_keys.ts";
import { kekBytes, TestKek } from "./test_kek.ts";

const KEK_BYTE = 0xb7;
const DEK = Uint8Array.from({ length: 32 }, (_, i) => 0x91 + i * 3);
const KEK = await TestKek.of(KEK_BYTE);
const OTHER = await TestKek.of(1);

/** Draws data keys of known bytes, and ids and nonces that differ. */
function knownRandom(): Random {
  const random = new SimRandom(3);
  return {
    bytes: (length) => length === 32 ? DEK.slice() : random.bytes(length),
    below: (until) => random.below(until),
  };
}

/** Bytes as printers, encoders and people write them, in pieces of 6. */
function writingsOf(secret: Bytes): string[] {
  const writings: string[] = [];
  for (let at = 0; at + 6 <= secret.length; at += 1) {
    const piece = secret.subarray(at, at + 6);
    writings.push(
      toHex(piece),
      toHex(piece).toUpperCase(),
      piece.join(","),
      piece.join(", "),
      piece.join(" "),
      String.fromCharCode(...piece),
    );
  }
  for (let shift = 0; shift < 3; shift += 1) {
    writings.push(toBase64(secret.subarray(shift, shift + 9)));
  }
  return writings;
}

const SECRETS = [...writingsOf(DEK), ...writingsOf(kekBytes(KEK_BYTE))];

function printed(value: unknown): string {
  const options = { depth: 99, showHidden: true, iterableLimit: 9999 };
  const plain = (_: string, item: unknown) => {
    if (typeof item === "bigint") return String(item);
    if (item instanceof Map) return [...item];
    return item instanceof Uint8Array ? [...item] : item;
  };
  const own = typeof value === "object" && value !== null
    ? Object.getOwnPropertyNames(value).map((name) =>
      Deno.inspect(Reflect.get(value, name), options)
    )
    : [];
  return [
    Deno.inspect(value, options),
    Deno.inspect({ nested: [value] }, options),
    JSON.stringify(value, plain) ?? "",
    String(value),
    value instanceof Error ? `${value.message} ${value.stack}` : "",
    ...own,
  ].join("\n");
}

function checkSilent(what: string, value: unknown): void {
  const text = printed(value);
  for (const secret of SECRETS) {
    assert.ok(!text.includes(secret), `${what} shows a key`);
  }
}

Deno.test("the search finds bytes that are shown", () => {
  const shown = [DEK, [...DEK], toHex(DEK), toBase64(DEK), { a: { DEK } }];
  for (const value of shown) {
    assert.throws(() => checkSilent("this", value));
  }
  assert.throws(() => checkSilent("this", kekBytes(KEK_BYTE)));
});

async function knownCustody() {
  const disk = await freshDisk();
  const random = knownRandom();
  const parts = { disk, dir: DIR, node: "n1", random, isEnabled: true };
  const custody = await openCustody({ ...parts, keks: [KEK], sidecar: null });
  const draw = (purpose: "storage" | "raft" | "state") =>
    custody.drawKey({
      clusterId: CLUSTER_ID,
      purpose,
      taken: () => false,
      createdMs: 1,
    });
  const list = [await draw("storage"), await draw("raft"), await draw("state")];
  const shared = {
    stateIndex: 10,
    keys: new Map(list.map((key) => [key.id, key])),
    active: { storage: list[0]!.id, raft: list[1]!.id },
    stateKey: list[2]!.id,
    storageCutoverIndex: 0,
    raftCutoverIndex: 0,
    cleartextLockIndex: 0,
  };
  await custody.absorb(CLUSTER_ID, shared, noRow);
  await custody.raiseEpochs();
  return { disk, custody, shared, random };
}

Deno.test("objects that hold keys show none", async () => {
  const { disk, custody, shared, random } = await knownCustody();
  const rows = { insert: () => Promise.resolve(true) };
  // Its salt would be the known bytes otherwise.
  const sessions = new Sessions({ custody, rows, random: new SimRandom(9) });
  const session = await sessions.open(shared.active.storage, "storage");
  const found = await readSidecar(disk, DIR);
  const shown: [string, unknown][] = [
    ["the custody", custody],
    ["the KEK", KEK],
    ["the ring", new KekRing([KEK], random)],
    ["sessions", sessions],
    ["a session", session],
    ["the sidecar", found],
    ["shared keys", shared],
    ["a data key", custody.dek(shared.active.raft, "raft")],
    ["epochs", custody.epochs()],
    ["gaps", await custody.gaps()],
  ];
  for (const [what, value] of shown) checkSilent(what, value);
});

Deno.test("the sidecar on disk shows no key", async () => {
  const { disk } = await knownCustody();
  const bytes = disk.durableBytes(sidecarPath(DIR));
  assert.ok(bytes !== null);
  checkSilent("the file", new TextDecoder().decode(bytes));
});

Deno.test("errors show no key", async () => {
  const { disk, custody, shared } = await knownCustody();
  const storage = shared.keys.get(shared.active.storage)!;
  const raft = shared.keys.get(shared.active.raft)!;
  const changed = (key: typeof storage) => ({
    ...shared,
    stateIndex: 11,
    keys: new Map(shared.keys).set(key.id, key),
  });
  const context: WrapContext = {
    kind: "challenge",
    clusterId: CLUSTER_ID,
    term: 1,
    target: 1n,
  };
  const down = await TestKek.of(KEK_BYTE);
  down.isDown = true;
  const { custody: other } = await founded([OTHER]);
  const works: (() => Promise<unknown>)[] = [
    () =>
      custody.absorb(
        CLUSTER_ID,
        changed({ ...storage, wraps: raft.wraps }),
        noRow,
      ),
    () =>
      custody.absorb(
        CLUSTER_ID,
        changed({ ...storage, purpose: "raft" }),
        noRow,
      ),
    () => other.absorb(CLUSTER_ID, { ...shared, stateIndex: 99 }, noRow),
    () => custody.rewrap(CLUSTER_ID, storage, [OTHER.id]),
    () => custody.rewrap(CLUSTER_ID, { ...storage, commitment: DEK }, []),
    () => custody.wrapChallenge(DEK, context, [OTHER.id]),
    () => custody.nextEpoch(storage.id, 0xffff),
    () => custody.nextEpoch(5),
    () => openOn(disk, [OTHER]),
    () => openOn(disk, [down]),
    () => openOn(disk, [KEK], { node: "n2" }),
    async () => custody.dek(5, "raft"),
  ];
  for (const work of works) {
    await assert.rejects(work(), (error) => {
      assert.ok(error instanceof NodeError, String(error));
      for (let at: unknown = error; at instanceof Error; at = at.cause) {
        checkSilent(at.name, at);
        assert.ok(!(at instanceof NodeError) || at.remedy.length > 10);
      }
      return true;
    });
  }
});
