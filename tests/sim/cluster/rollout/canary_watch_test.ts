// Goal: the checker for values in cleartext does look, and only where it must.
//
// Method: it is told of writes, and shown disks, that break one promise each.
import assert from "node:assert/strict";
import { NO_ENCRYPTION } from "../../../../src/fsm/types.ts";
import { EMPTY_STATE, type StoreState } from "../../../../src/store/meta.ts";
import { encodeRecord } from "../../../../src/store/record.ts";
import { rowKey } from "../../../../src/store/row_key.ts";
import { CleartextSealer } from "../../../../src/store/sealer.ts";
import { utf8 } from "../../../../src/base/bytes.ts";
import { SimDisk } from "../../io/disk.ts";
import { SimFailure } from "../../raft/checkers.ts";
import { KvFiles } from "../host_kv.ts";
import { textValue } from "../values.ts";
import { canaryBytes } from "./canary.ts";
import {
  type CanaryHost,
  CanaryWatch,
  type CanaryWorld,
} from "./canary_watch.ts";

const STORAGE = 100;
const RAFT = 200;
/** Entries of attempts; c1.9 is in no entry. */
const ENTRIES: Readonly<Record<string, number>> = {
  "c1.1": 50,
  "c1.2": 150,
  "c1.3": 250,
};

function stateWith(storage: number, raft: number): StoreState {
  const encryption = {
    ...NO_ENCRYPTION,
    storageCutoverIndex: storage,
    raftCutoverIndex: raft,
  };
  return { ...EMPTY_STATE, fsm: { ...EMPTY_STATE.fsm, encryption } };
}

function watched({ storage = STORAGE, raft = RAFT, applied = true } = {}) {
  const state = stateWith(storage, raft);
  const world: CanaryWorld & { now: number } = {
    forgets: false,
    now: 0,
    truth: {
      fsm: state.fsm,
      attempts: (id) => {
        const index = ENTRIES[id];
        return index === undefined ? [] : [{ index }];
      },
    },
  };
  const disk = new SimDisk({ seed: 1 });
  const host: CanaryHost = {
    name: "n1",
    lifeName: "n1/1",
    applied: applied ? state : null,
    disk,
    kvFiles: new KvFiles(disk),
  };
  return { world, host, disk, state, watch: new CanaryWatch(world) };
}

function finds(act: () => void, check = "Canary"): void {
  assert.throws(act, (error) => {
    assert.ok(error instanceof SimFailure);
    assert.equal(error.check, check);
    return true;
  });
}

const STORE = "/data/store.sqlite";
const LOG = "/data/raft/segment";
const PART = "/data/checkpoints/incoming.part";

Deno.test("new values reach no store and no checkpoint from the cutover on", () => {
  const { host, watch } = watched();
  for (const path of [STORE, PART]) {
    watch.wrote(host, path, canaryBytes("c1.1"));
    finds(() => watch.wrote(host, path, canaryBytes("c1.2")));
  }
  const before = watched({ storage: 0, raft: 0 });
  before.watch.wrote(before.host, STORE, canaryBytes("c1.2"));
});

Deno.test("values reach no log from the raft cutover on", () => {
  const { host, watch } = watched();
  watch.wrote(host, LOG, canaryBytes("c1.2"));
  finds(() => watch.wrote(host, LOG, canaryBytes("c1.3")));
  finds(() => watch.wrote(host, LOG, canaryBytes("c1.9")));
  // Left behind by all others, it may take writes that never come to be.
  const late = watched({ applied: false });
  late.watch.wrote(late.host, LOG, canaryBytes("c1.9"));
});

Deno.test("values reach no other file", () => {
  const { host, watch } = watched({ storage: 0, raft: 0 });
  finds(() => watch.wrote(host, "/data/NODE", canaryBytes("c1.1")));
});

async function recordRow(index: number) {
  const versionstamp = new Uint8Array(10);
  new DataView(versionstamp.buffer).setUint32(4, index);
  const place = { database: 1, key: utf8("a") };
  const record = { value: textValue("5"), versionstamp, expireAtMs: 0 };
  const sealer = new CleartextSealer();
  const { row } = await encodeRecord(sealer, place, record);
  return { key: rowKey(place), value: row };
}

Deno.test("a record's header tells, where members forget too", async () => {
  const { host, watch, world } = watched();
  const forgetful = new CanaryWatch({ ...world, forgets: true });
  const [old, young] = [await recordRow(50), await recordRow(150)];
  watch.wroteRow(host, STORE, old);
  finds(() => watch.wroteRow(host, STORE, young));
  finds(() => forgetful.wroteRow(host, STORE, young));
});

Deno.test("a store that was built sealed has none, nor has a clean disk", async () => {
  const { host, watch, state } = watched();
  await host.disk.makeDir("/data");
  const rows = await host.kvFiles.open(STORE);
  await host.disk.syncDir("/data").catch(() => {});
  const { key, value } = await recordRow(50);
  rows.rows.push({ key, value, order: new Uint8Array(0) });
  watch.look(host);
  finds(() => watch.lookEverywhere([host]));
  host.disk.restart("all");
  watch.look(host);
  watch.installed(host, state);
  finds(() => watch.look(host));
  watch.forget(host);
  watch.look(host);
});

Deno.test("bytes of a file are found whether they are synced or not", async () => {
  const { host, watch, disk } = watched();
  await disk.makeDir("/data/raft");
  watch.lookEverywhere([host]);
  const file = await disk.open(LOG, "create");
  await file.writeAt(0, canaryBytes("c1.1"));
  finds(() => watch.lookEverywhere([host]));
});

Deno.test("a checkpoint below the cutover is not offered", () => {
  const { host, watch, world, state } = watched();
  const line = (index: number) => `info checkpoint_offered {"index":${index}}`;
  watch.heard(host, line(99));
  watch.applied(host, state);
  watch.heard(host, line(99));
  world.now = 5_000;
  watch.heard(host, line(100));
  finds(() => watch.heard(host, line(99)), "CheckpointBelowCutover");
});
