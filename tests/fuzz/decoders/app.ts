import { type Bytes, utf8 } from "../../../src/base/bytes.ts";
import {
  CHAIN_BEGUN,
  CHAIN_START,
  followChain,
  lineHash,
} from "../../../src/app/audit_chain.ts";
import { AuditLog } from "../../../src/app/audit_log.ts";
import { parseConfig } from "../../../src/app/config.ts";
import type { DataHome } from "../../../src/app/data_home.ts";
import {
  ConfigFileInvalidError,
  ConfigInvalidError,
  ListenerCleartextError,
} from "../../../src/app/errors.ts";
import { collectSettings } from "../../../src/app/given.ts";
import type { Disk, DiskFile } from "../../../src/io/disk.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { type Decoder, nothing, only, type Verdict } from "../run/decoder.ts";
import { edited } from "../run/inputs.ts";
import type { Rng } from "../run/rng.ts";
import { textNear, textOf } from "../run/text.ts";

const TAIL_BYTES = 1_048_576;

/** A log of lines that name each other. */
function chainOf(lines: number): string {
  let previous = CHAIN_START;
  let text = "";
  for (let i = 0; i < lines; i += 1) {
    const event = i === 0 ? { event: CHAIN_BEGUN, node: "n1" } : { call: "c" };
    const at = `2026-04-29T10:00:0${i}.000Z`;
    const line = JSON.stringify({ previous, at, ...event });
    previous = lineHash(line);
    text += `${line}\n`;
  }
  return text;
}

const CHAINS = [chainOf(4), chainOf(1), ""];
const CHAIN_BYTES = CHAINS.filter((text) => text !== "").map(utf8);
const nearChain = textNear(CHAINS);

/** A file in memory: a disk that crashes would cost more than what is tested. */
class OneFile implements DiskFile {
  readonly path = "audit.log";
  bytes: Bytes;

  constructor(bytes: Bytes) {
    this.bytes = bytes;
  }

  size(): Promise<number> {
    return Promise.resolve(this.bytes.length);
  }

  readAt(offset: number, length: number): Promise<Bytes> {
    return Promise.resolve(this.bytes.slice(offset, offset + length));
  }

  writeAt(offset: number, bytes: Uint8Array): Promise<void> {
    const length = Math.max(this.bytes.length, offset + bytes.length);
    const whole = new Uint8Array(length);
    whole.set(this.bytes);
    whole.set(bytes, offset);
    this.bytes = whole;
    return Promise.resolve();
  }

  writeAndSync(offset: number, bytes: Uint8Array): Promise<void> {
    return this.writeAt(offset, bytes);
  }

  sync(): Promise<void> {
    return Promise.resolve();
  }

  truncate(length: number): Promise<void> {
    this.bytes = this.bytes.slice(0, length);
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

const CLOCK = new SimClock();

/** A disk with `file` and nothing else. */
function diskWith(file: OneFile): Disk {
  const never = () => Promise.reject(new Error("nothing else is on this disk"));
  return {
    open: () => Promise.resolve(file),
    exists: () => Promise.resolve(true),
    syncDir: () => Promise.resolve(),
    ...{ list: never, makeDir: never, rename: never },
    ...{ remove: never, lock: never },
  };
}

/** Opens a log with this end; after that it is whole lines in one chain. */
async function openLog(bytes: Bytes): Promise<Verdict> {
  const file = new OneFile(bytes.slice());
  const failures: string[] = [];
  let isBroken = false;
  const audit = new AuditLog({
    ...{ disk: diskWith(file), path: file.path, node: "n1", clock: CLOCK },
    log: {
      write: (_, event, fields) => {
        if (event === "audit_failed") failures.push(String(fields?.["reason"]));
        if (event === "audit_chain_broken") isBroken = true;
      },
    },
  });
  await audit.open();
  await audit.close();
  if (failures.length > 0) throw new Error(`audit failed: ${failures}`);
  const text = textOf(file.bytes);
  if (!text.endsWith("\n")) throw new Error("a line is left torn");
  const lines = text.split("\n").slice(0, -1);
  const isSeen = bytes.length <= TAIL_BYTES;
  if (isSeen && followChain(lines, { isWhole: true }).isBroken) {
    throw new Error("the chain is left broken");
  }
  return isBroken ? null : "taken";
}

const CONFIGS = [
  '{"node":"n1","data-dir":"/d","kek":["file:/k","env:SEALKV_K"]}',
  '{"encryption-enabled":true,"kek-file":"/k","kek":"exec:op read x"}',
  '{"listen":"127.0.0.1:1","checkpoint-rate":"50MiB","election-ms":700}',
  '{"initial-cluster":"n1=127.0.0.1:4513,n2=10.0.0.2:4513","insecure":"1"}',
  '{"join":"10.0.0.2:4514","log-keep-entries":5,"trust-tail":false}',
];
const CONFIG_BYTES_MAX = 65_536;
const HOME: DataHome = {
  ...{ accessTokenPath: "/a", adminTokenPath: "/b", peerTokenPath: "/c" },
  dataDir: (node) => `/d/${node}`,
};

async function readConfig(bytes: Bytes): Promise<Verdict> {
  if (bytes.length > CONFIG_BYTES_MAX) return null;
  const given = await collectSettings({
    ...{ flags: {}, configPath: "c.json", env: () => undefined },
    files: {
      read: () => Promise.resolve({ bytes, isOpenToOthers: false }),
      createPrivate: () => Promise.resolve(false),
      append: () => Promise.resolve(),
      readPrivate: () => Promise.resolve(null),
    },
  });
  const { keks } = parseConfig(given, () => HOME);
  if (keks.length > 8 || new Set(keks).size < keks.length) {
    throw new Error(`KEKs ${keks}`);
  }
  return "taken";
}

/** Bytes rather than characters changed, as a disk does it. */
function tornChain(rng: Rng): Bytes {
  return rng.once(2) ? nearChain(rng) : edited(CHAIN_BYTES, rng, 1);
}

export const APP_DECODERS: readonly Decoder[] = [
  {
    name: "app audit chain",
    bytesMax: TAIL_BYTES,
    valid: CHAIN_BYTES,
    near: nearChain,
    heapPerByte: 256,
    decode: (bytes) => {
      const lines = textOf(bytes).split("\n");
      const isWhole = lines.length % 2 === 0;
      const { previous, isBroken } = followChain(lines.slice(0, -1), {
        isWhole,
      });
      if (!/^[0-9a-f]{64}$/.test(previous)) throw new Error("no hash");
      return isBroken ? null : "taken";
    },
    refuses: nothing,
  },
  {
    name: "app audit log's end",
    bytesMax: TAIL_BYTES + TAIL_BYTES,
    valid: CHAIN_BYTES,
    near: tornChain,
    heapPerByte: 256,
    decode: openLog,
    refuses: nothing,
  },
  {
    name: "app configuration file",
    bytesMax: CONFIG_BYTES_MAX,
    valid: CONFIGS.map(utf8),
    near: textNear(CONFIGS),
    heapPerByte: 256,
    decode: readConfig,
    refuses: only(
      ConfigFileInvalidError,
      ConfigInvalidError,
      ListenerCleartextError,
    ),
  },
];
