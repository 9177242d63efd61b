import assert from "node:assert/strict";
import { toBase64 } from "../../../src/base/base64.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import type { WrappedKey } from "../../../src/base/data_key.ts";
import { signHmac } from "../../../src/crypto/hmac.ts";
import { deriveMacKey, sidecarMacInfo } from "../../../src/crypto/mac.ts";
import { openDataKey } from "../../../src/keys/data_key.ts";
import {
  CommitmentMismatchError,
  KekMismatchError,
  SidecarMalformedError,
  SidecarTamperedError,
} from "../../../src/keys/errors.ts";
import {
  KekUnavailableError,
  WrapRejectedError,
} from "../../../src/keys/kek_errors.ts";
import { openSidecar } from "../../../src/keys/open_sidecar.ts";
import type { Kek } from "../../../src/keys/port.ts";
import {
  formatSidecar,
  parseSidecar,
  type SidecarContent,
  sidecarText,
} from "../../../src/keys/sidecar.ts";
import { bootstrapped, keyFor, rotatedTo } from "./custody_harness.ts";
import { CLUSTER_ID } from "./sample_keys.ts";
import { TestKek } from "./test_kek.ts";

const KEK = await TestKek.of(1);
const OTHER = await TestKek.of(2);
const PATH = "d/keys.json";

/** Two storage keys, so that another one could be active. */
async function contentOf(keks: readonly Kek[]): Promise<SidecarContent> {
  const first = await bootstrapped(keks);
  const shared = rotatedTo(first, await keyFor("storage", keks, 200), 20);
  return {
    clusterId: CLUSTER_ID,
    node: "n1",
    shared: { ...shared, storageCutoverIndex: 15, cleartextLockIndex: 18 },
    epochs: new Map([...shared.keys.keys()].map((id, i) => [id, i + 1])),
  };
}

/** The sidecar of a node that has `keks`. */
async function signed(
  content: SidecarContent,
  keks: readonly Kek[],
): Promise<string> {
  const { clusterId, shared } = content;
  const stateKey = shared.keys.get(shared.stateKey)!;
  const dek = await openDataKey({ clusterId, keks, known: [] }, stateKey);
  const key = await deriveMacKey(dek, sidecarMacInfo(clusterId, "n1"));
  const mac = await signHmac(key, utf8(sidecarText(content)));
  return formatSidecar(content, mac);
}

async function open(text: string, keks: readonly Kek[] = [KEK], node = "n1") {
  const found = parseSidecar(PATH, text);
  return await openSidecar({ path: PATH, node, keks }, found);
}

const CONTENT = await contentOf([KEK]);
const TEXT = await signed(CONTENT, [KEK]);

// deno-lint-ignore no-explicit-any
type Loose = any;

function changed(change: (root: Loose) => void): string {
  const root = JSON.parse(TEXT);
  change(root);
  return JSON.stringify(root);
}

function idOf(root: Loose, purpose: string): string {
  return Object.keys(root.keys).find((id) =>
    root.keys[id].purpose === purpose
  )!;
}

Deno.test("openSidecar() opens what a node wrote", async () => {
  const keystore = await open(TEXT);
  for (const { id, purpose } of CONTENT.shared.keys.values()) {
    keystore.get(id, purpose);
  }
  await open(JSON.stringify(JSON.parse(TEXT)));
  await open(TEXT, [OTHER, KEK]);
});

/** Every place of a leaf. */
function leaves(value: Loose, at: string[] = []): string[][] {
  return typeof value === "object"
    ? Object.entries(value).flatMap(([name, item]) =>
      leaves(item, [...at, name])
    )
    : [at];
}

/** Values near `value`: some have its form. */
function neighbours(value: string | number, at: readonly string[]): Loose[] {
  if (typeof value === "number") {
    const ids = Object.keys(JSON.parse(TEXT).keys).map(Number);
    return [value + 1, value - 1, 0, 1, 65535, String(value), ...ids];
  }
  const others = [value.slice(1), `${value}0`, "", "0", "1", "n2", 7];
  if (at.at(-1) === "purpose") others.push("storage", "raft", "state");
  if (at.at(-1) === "created") others.push("2026-04-29T10:00:00Z");
  for (let i = 0; i < value.length; i += 2) {
    for (const character of "1A") {
      others.push(value.slice(0, i) + character + value.slice(i + 1));
    }
  }
  return others;
}

Deno.test("every changed field is malformed or tampered", async () => {
  const paths = leaves(JSON.parse(TEXT));
  assert.equal(paths.length, 11 + 4 * 6);
  const counts = { malformed: 0, tampered: 0 };
  for (const at of paths) {
    const name = at.at(-1)!;
    const holderOf = (root: Loose) =>
      at.slice(0, -1).reduce((value, part) => value[part], root);
    const value = holderOf(JSON.parse(TEXT))[name];
    for (const other of neighbours(value, at)) {
      if (other === value) continue;
      const text = changed((root) => holderOf(root)[name] = other);
      await assert.rejects(open(text), (error) => {
        const isMalformed = error instanceof SidecarMalformedError;
        const isTampered = error instanceof SidecarTamperedError;
        assert.ok(isMalformed || isTampered, `${at} ${other}: ${error}`);
        if (isMalformed) counts.malformed += 1;
        if (isTampered) counts.tampered += 1;
        return true;
      });
    }
  }
  assert.ok(counts.malformed > 200, String(counts.malformed));
  assert.ok(counts.tampered > 500, String(counts.tampered));
});

const TAMPERED: [what: string, change: (root: Loose) => void][] = [
  ["an epoch that went back", (root) => {
    for (const key of Object.values<Loose>(root.keys)) key.local_epoch = 0;
  }],
  ["another active key", (root) => {
    const { storage } = root.active;
    const ids = Object.keys(root.keys).map(Number);
    root.active.storage = ids.find((id) =>
      id !== storage && root.keys[id].purpose === "storage"
    );
  }],
  ["a key that is gone", (root) => {
    const ids = Object.keys(root.keys);
    const idle = ids.find((id) =>
      root.keys[id].purpose === "storage" && Number(id) !== root.active.storage
    );
    delete root.keys[idle!];
  }],
  ["no cutover", (root) => root.storage_cutover_index = "0"],
  ["no lock", (root) => root.cleartext_lock_index = "0"],
  ["another MAC", (root) => root.mac = toBase64(new Uint8Array(32))],
  ["two keys' wraps swapped", (root) => {
    const [a, b] = [idOf(root, "storage"), idOf(root, "raft")];
    const { wraps } = root.keys[a];
    root.keys[a].wraps = root.keys[b].wraps;
    root.keys[b].wraps = wraps;
  }],
  ["the state key's wraps swapped", (root) => {
    const [a, b] = [idOf(root, "state"), idOf(root, "raft")];
    const { wraps } = root.keys[a];
    root.keys[a].wraps = root.keys[b].wraps;
    root.keys[b].wraps = wraps;
  }],
  ["two commitments swapped", (root) => {
    const [a, b] = [idOf(root, "storage"), idOf(root, "raft")];
    const { commitment } = root.keys[a];
    root.keys[a].commitment = root.keys[b].commitment;
    root.keys[b].commitment = commitment;
  }],
  ["the state key's commitment replaced", (root) => {
    root.keys[idOf(root, "state")].commitment = toBase64(new Uint8Array(32));
  }],
  ["a wrap under another KEK's name", (root) => {
    root.keys[idOf(root, "raft")].wraps[0].kek = OTHER.id;
  }],
  ["the state key's wrap under another KEK's name", (root) => {
    root.keys[idOf(root, "state")].wraps[0].kek = OTHER.id;
  }],
  ["one wrap more", (root) => {
    const { wraps } = root.keys[idOf(root, "raft")];
    wraps.push({ ...wraps[0], kek: OTHER.id });
  }],
  ["another cluster", (root) => {
    root.cluster_id = "00000000-0000-0000-0000-000000000000";
  }],
];

for (const [what, change] of TAMPERED) {
  Deno.test(`a sidecar with ${what} is tampered with`, async () => {
    await assert.rejects(open(changed(change)), SidecarTamperedError);
    await assert.rejects(
      open(changed(change), [KEK, OTHER]),
      SidecarTamperedError,
    );
  });
}

Deno.test("a data key of somebody else's KEK does not get in", async () => {
  const { keys } = CONTENT.shared;
  for (const { id, purpose } of keys.values()) {
    const planted = await keyFor(purpose, [OTHER], 300);
    const text = changed((root) => {
      root.keys[id].wraps = planted.wraps.map(({ kek, wrapped }) => ({
        kek,
        wrapped: toBase64(wrapped),
      }));
    });
    const isState = purpose === "state";
    const kind = isState ? KekMismatchError : SidecarTamperedError;
    await assert.rejects(open(text), kind);
    const both = open(text, [KEK, OTHER]);
    await assert.rejects(both, SidecarTamperedError);
  }
});

Deno.test("another node's sidecar is tampered with", async () => {
  await assert.rejects(open(TEXT, [KEK], "n2"), SidecarTamperedError);
});

Deno.test("an older copy opens: guards look at its index and epochs", async () => {
  const epochs = new Map([...CONTENT.epochs].map(([id]) => [id, 50_000]));
  const newer = await signed({ ...CONTENT, epochs }, [KEK]);
  await open(newer);
  await open(TEXT);
});

Deno.test("a KEK that opens nothing is a mismatch", async () => {
  for (const keks of [[OTHER], []]) {
    await assert.rejects(open(TEXT, keks), KekMismatchError);
  }
});

/** The sidecar with its raft key as `change` makes it, and a MAC that holds. */
async function withRaftKey(change: (key: WrappedKey) => WrappedKey) {
  const keys = new Map(CONTENT.shared.keys);
  const raft = keys.get(CONTENT.shared.active.raft)!;
  keys.set(raft.id, change(raft));
  return await signed({ ...CONTENT, shared: { ...CONTENT.shared, keys } }, [
    KEK,
  ]);
}

Deno.test("a MAC that holds tells what is wrong with a key itself", async () => {
  const foreign = await keyFor("raft", [OTHER], 301);
  const noKek = await withRaftKey((key) => ({ ...key, wraps: foreign.wraps }));
  await assert.rejects(open(noKek), KekMismatchError);
  const damaged = await withRaftKey((key) => ({
    ...key,
    wraps: [{ kek: KEK.id, wrapped: new Uint8Array(60) }],
  }));
  await assert.rejects(open(damaged), WrapRejectedError);
  const commitment = new Uint8Array(32);
  const other = await withRaftKey((key) => ({ ...key, commitment }));
  await assert.rejects(open(other), (error) => {
    assert.ok(error instanceof SidecarTamperedError);
    assert.ok(error.cause instanceof CommitmentMismatchError);
    return true;
  });
});

Deno.test("a provider that does not answer is no finding", async () => {
  const kek = await TestKek.of(1);
  kek.isDown = true;
  await assert.rejects(open(TEXT, [kek]), KekUnavailableError);
  await assert.rejects(
    open(changed((root) => root.mac = toBase64(new Uint8Array(32))), [kek]),
    KekUnavailableError,
  );
  await open(TEXT, [kek, await TestKek.of(1, "env:0123456789abcdef")]);
});
