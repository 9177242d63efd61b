import { assert } from "../base/assert.ts";
import { toBase64 } from "../base/base64.ts";
import type { Bytes } from "../base/bytes.ts";
import {
  COMMITMENT_BYTES,
  EPOCH_MAX,
  KEK_ID_BYTES_MAX,
  KEY_ID_MAX,
  KEY_PURPOSES,
  type KeyId,
  type KeyPurpose,
  KEYS_MAX,
  type KeyWrap,
  SEALING_PURPOSES,
  WRAPPED_BYTES_MAX,
  type WrappedKey,
  WRAPS_MAX,
} from "../base/data_key.ts";
import {
  CLUSTER_ID_BYTES,
  isNodeName,
  NODE_NAME_RULE,
} from "../base/identity.ts";
import { parseUuid, uuidText } from "../base/uuid.ts";
import { EpochOutOfRangeError, SidecarMalformedError } from "./errors.ts";
import {
  canonicalJson,
  JsonFault,
  type JsonObject,
  type JsonValue,
  parseJson,
  prettyJson,
} from "./json.ts";
import type { SharedKeys } from "./port.ts";
import { formatTime, SidecarFields } from "./sidecar_fields.ts";

const VERSION = 1;
const MAC_BYTES = 32;
const KEY_ID_RANGE = { min: 1, max: KEY_ID_MAX };

/**
 * Longest sidecar that is read: KEYS_MAX keys of WRAPS_MAX wraps, each at most
 * twice a KEK's id (characters that JSON escapes), 4/3 of a wrap and some 100
 * bytes of names and spaces, come to 2.6 MB.
 */
export const SIDECAR_BYTES_MAX = 2 ** 22;

/** What a sidecar says. */
export interface SidecarContent {
  /** 16 bytes. */
  readonly clusterId: Bytes;
  readonly node: string;
  readonly shared: SharedKeys;
  /** This node's epoch of every key of `shared`. */
  readonly epochs: ReadonlyMap<KeyId, number>;
}

/** A sidecar as it was read, its MAC not checked yet. */
export interface SidecarFound extends SidecarContent {
  /** HMAC-SHA-256 of `text`. */
  readonly mac: Bytes;
  /** As `sidecarText` gives it. */
  readonly text: string;
}

/** The RFC 8785 form of all fields but the MAC, which is made over it. */
export function sidecarText(content: SidecarContent): string {
  return canonicalJson(fieldsOf(content));
}

/** The file: JSON for people to read. */
export function formatSidecar(content: SidecarContent, mac: Bytes): string {
  assert(mac.length === MAC_BYTES, "a MAC has 32 bytes");
  return prettyJson(new Map([...fieldsOf(content), ["mac", toBase64(mac)]]));
}

function fieldsOf({ clusterId, node, shared, epochs }: SidecarContent) {
  assert(clusterId.length === CLUSTER_ID_BYTES, "a cluster id has 16 bytes");
  const keys = [...shared.keys.values()].map((key): [string, JsonValue] => [
    String(key.id),
    keyFields(key, epochs.get(key.id)),
  ]);
  return new Map<string, JsonValue>([
    ["version", VERSION],
    ["cluster_id", uuidText(clusterId)],
    ["node", node],
    ["applied_index", String(shared.stateIndex)],
    ["storage_cutover_index", String(shared.storageCutoverIndex)],
    ["raft_cutover_index", String(shared.raftCutoverIndex)],
    ["cleartext_lock_index", String(shared.cleartextLockIndex)],
    [
      "active",
      new Map(SEALING_PURPOSES.map((use) => [use, shared.active[use]])),
    ],
    ["state_key", shared.stateKey],
    ["keys", new Map(keys)],
  ]);
}

function keyFields(key: WrappedKey, epoch: number | undefined): JsonObject {
  assert(epoch !== undefined, "every key has an epoch");
  return new Map<string, JsonValue>([
    ["purpose", key.purpose],
    ["created", formatTime(key.createdMs)],
    ["commitment", toBase64(key.commitment)],
    ["local_epoch", epoch],
    ["wraps", key.wraps.map(wrapFields)],
  ]);
}

function wrapFields({ kek, wrapped }: KeyWrap): JsonObject {
  return new Map([["kek", kek], ["wrapped", toBase64(wrapped)]]);
}

const FIELDS = [
  "version",
  "cluster_id",
  "node",
  "applied_index",
  "storage_cutover_index",
  "raft_cutover_index",
  "cleartext_lock_index",
  "active",
  "state_key",
  "keys",
  "mac",
];
const KEY_FIELDS = ["purpose", "created", "commitment", "local_epoch", "wraps"];
const WRAP_FIELDS = ["kek", "wrapped"];

/**
 * Reads what `formatSidecar` wrote, whatever its spaces and the order of its
 * fields; does not check the MAC. `path` is for messages.
 *
 * @throws {SidecarMalformedError}
 */
export function parseSidecar(path: string, text: string): SidecarFound {
  const root = { path, place: "" };
  const fields = new SidecarFields(root, jsonOf(path, text), FIELDS);
  fields.integer("version", { min: VERSION, max: VERSION });
  const keys = fields.entries("keys", KEYS_MAX).map(([name, value]) => {
    if (!isKeyName(name)) {
      fields.refuse("keys", "it must name keys by decimal ids");
    }
    const entry = fields.entry("keys", [name, value], KEY_FIELDS);
    return parseKey(Number(name), entry);
  }).sort((a, b) => a.key.id - b.key.id);
  const content = {
    clusterId: fields.text("cluster_id", "a lower-case UUID", parseUuid),
    node: fields.text("node", NODE_NAME_RULE, parseNode),
    shared: parseShared(fields, keys.map(({ key }) => key)),
    epochs: new Map(keys.map(({ key, epoch }) => [key.id, epoch])),
  };
  const mac = fields.bytes("mac", { min: MAC_BYTES, max: MAC_BYTES });
  return { ...content, mac, text: sidecarText(content) };
}

function jsonOf(path: string, text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    if (!(cause instanceof JsonFault)) throw cause;
    const rule = `it must be JSON without surprises: at ${cause.at}`;
    throw new SidecarMalformedError(path, "", `${rule}, ${cause.rule}`);
  }
}

function parseShared(
  fields: SidecarFields,
  list: readonly WrappedKey[],
): SharedKeys {
  const keys = new Map(list.map((key) => [key.id, key]));
  const named = (
    source: SidecarFields,
    field: string,
    purpose: KeyPurpose,
  ): KeyId => {
    const id = source.integer(field, KEY_ID_RANGE);
    if (keys.get(id)?.purpose === purpose) return id;
    return source.refuse(field, `it must name a key of purpose "${purpose}"`);
  };
  const active = fields.object("active", SEALING_PURPOSES);
  if (list.filter(({ purpose }) => purpose === "state").length !== 1) {
    fields.refuse("keys", 'it must hold one key of purpose "state"');
  }
  return {
    stateIndex: fields.index("applied_index"),
    keys,
    active: {
      storage: named(active, "storage", "storage"),
      raft: named(active, "raft", "raft"),
    },
    stateKey: named(fields, "state_key", "state"),
    storageCutoverIndex: fields.index("storage_cutover_index"),
    raftCutoverIndex: fields.index("raft_cutover_index"),
    cleartextLockIndex: fields.index("cleartext_lock_index"),
  };
}

function parseKey(id: KeyId, fields: SidecarFields) {
  const size = { min: COMMITMENT_BYTES, max: COMMITMENT_BYTES };
  const key: WrappedKey = {
    id,
    purpose: fields.choice("purpose", KEY_PURPOSES),
    commitment: fields.bytes("commitment", size),
    createdMs: fields.time("created"),
    wraps: parseWraps(fields),
  };
  return { key, epoch: parseEpoch(id, fields) };
}

function parseEpoch(id: KeyId, fields: SidecarFields): number {
  const epoch = fields.integer("local_epoch", {
    min: Number.MIN_SAFE_INTEGER,
    max: Number.MAX_SAFE_INTEGER,
  });
  if (epoch >= 0 && epoch <= EPOCH_MAX) return epoch;
  const cause = new EpochOutOfRangeError(id, epoch);
  return fields.refuse("local_epoch", "it is out of range", { cause });
}

function parseWraps(fields: SidecarFields): readonly KeyWrap[] {
  const items = fields.items("wraps", WRAPS_MAX, WRAP_FIELDS);
  const wraps = items.map((item): KeyWrap => ({
    kek: item.text("kek", "1 to 512 visible ASCII characters", parseKekId),
    wrapped: item.bytes("wrapped", { min: 1, max: WRAPPED_BYTES_MAX }),
  }));
  if (new Set(wraps.map(({ kek }) => kek)).size < wraps.length) {
    fields.refuse("wraps", "it must name each KEK once");
  }
  return wraps;
}

function isKeyName(name: string): boolean {
  return /^[1-9][0-9]{0,9}$/.test(name) && Number(name) <= KEY_ID_MAX;
}

function parseNode(text: string): string | null {
  return isNodeName(text) ? text : null;
}

function parseKekId(text: string): string | null {
  const isId = /^[\x21-\x7e]+$/.test(text) && text.length <= KEK_ID_BYTES_MAX;
  return isId ? text : null;
}
