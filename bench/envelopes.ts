// deno-lint-ignore-file no-console -- a bench prints.
/*
 * What does it cost to seal and open one storage envelope, one at a time and
 * with 64 under way: by WebCrypto, as the product does, and by node:crypto,
 * whose calls do not wait? And one raft envelope? Prints a table, then JSON.
 *
 *     deno run -A bench/envelopes.ts
 */
import { createCipheriv, createDecipheriv } from "node:crypto";
import { cpuUsage } from "node:process";
import { type Bytes, concatBytes, equalBytes } from "../src/base/bytes.ts";
import { machineName } from "../src/cli/bench_machine.ts";
import { importAesKey } from "../src/crypto/aes_gcm.ts";
import { writePrefix } from "../src/crypto/envelope_header.ts";
import { NonceSequence } from "../src/crypto/nonce.ts";
import {
  openRaftEnvelope,
  sealRaftEnvelope,
} from "../src/crypto/raft_envelope.ts";
import {
  openStorageEnvelope,
  sealStorageEnvelope,
  STORAGE_ENVELOPE_OVERHEAD_BYTES,
} from "../src/crypto/storage_envelope.ts";

const SIZES = [64, 256, 1_024, 4_096, 16_384, 65_536];
const IN_FLIGHT = [1, 64];
const ROUNDS = 12;
const ROUND_MS = 150;

const HEADER_BYTES = 18;
const PREFIX_BYTES = 6;
const TAG_BYTES = 16;
const KEY_ID = 0x12345678;
const raw = crypto.getRandomValues(new Uint8Array(32));
const clusterId = new Uint8Array(16).fill(1);
const header = new Uint8Array(21).fill(2);
const storeKey = new Uint8Array(24).fill(3);
const nonces = new NonceSequence(0xd4c0, 1);
const key = await importAesKey(raw);

interface Envelopes {
  readonly name: string;
  readonly seal: (plaintext: Bytes) => Bytes | Promise<Bytes>;
  readonly open: (envelope: Bytes) => Bytes | Promise<Bytes>;
}

const webCrypto: Envelopes = {
  name: "WebCrypto",
  seal: (plaintext) =>
    sealStorageEnvelope(
      { key, keyId: KEY_ID, nonces, clusterId },
      header,
      storeKey,
      plaintext,
    ),
  open: (envelope) =>
    openStorageEnvelope({ key, clusterId }, header, storeKey, envelope),
};

const raftSalt = new Uint8Array(16).fill(5);
/** What a proposal is sealed in: a batch, so mostly of the larger sizes. */
const raftEnvelope: Envelopes = {
  name: "raft",
  seal: (payload) =>
    sealRaftEnvelope(
      { key, keyId: KEY_ID, nonces, clusterId, salt: raftSalt },
      payload,
    ),
  open: (envelope) => openRaftEnvelope({ key, clusterId }, envelope),
};

function aadOf(envelope: Bytes): Bytes {
  const prefix = envelope.subarray(0, PREFIX_BYTES);
  return concatBytes(prefix, clusterId, header, storeKey);
}

const nodeCrypto: Envelopes = {
  name: "node:crypto",
  seal: (plaintext) => {
    const envelope = new Uint8Array(
      plaintext.length + STORAGE_ENVELOPE_OVERHEAD_BYTES,
    );
    const nonce = nonces.next();
    writePrefix(envelope, KEY_ID);
    envelope.set(nonce, PREFIX_BYTES);
    const cipher = createCipheriv("aes-256-gcm", raw, nonce);
    cipher.setAAD(aadOf(envelope));
    envelope.set(cipher.update(plaintext), HEADER_BYTES);
    cipher.final();
    envelope.set(cipher.getAuthTag(), envelope.length - TAG_BYTES);
    return envelope;
  },
  open: (envelope) => {
    const tagAt = envelope.length - TAG_BYTES;
    const nonce = envelope.subarray(PREFIX_BYTES, HEADER_BYTES);
    const cipher = createDecipheriv("aes-256-gcm", raw, nonce);
    cipher.setAAD(aadOf(envelope));
    cipher.setAuthTag(envelope.subarray(tagAt));
    const plaintext = cipher.update(envelope.subarray(HEADER_BYTES, tagAt));
    cipher.final();
    return new Uint8Array(plaintext);
  },
};

const SYSTEMS = [webCrypto, nodeCrypto, raftEnvelope];

interface Row {
  readonly question: string;
  readonly system: string;
  readonly bytes: number;
  readonly inFlight: number;
  /** Of the round that was disturbed least. */
  readonly microseconds: number;
  readonly processorMicroseconds: number;
}

type Call = () => Bytes | Promise<Bytes>;

async function measureRound(call: Call, inFlight: number) {
  let calls = 0;
  const before = cpuUsage();
  const from = performance.now();
  const until = from + ROUND_MS;
  const caller = async () => {
    while (performance.now() < until) {
      for (let i = 0; i < 16; i += 1) {
        const made = call();
        if (made instanceof Promise) await made;
      }
      calls += 16;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, caller));
  const microseconds = (performance.now() - from) * 1e3 / calls;
  const { user, system } = cpuUsage(before);
  return { microseconds, processor: (user + system) / calls };
}

async function rowsOf(bytes: number, inFlight: number): Promise<Row[]> {
  const plaintext = new Uint8Array(bytes).fill(4);
  const asked = await Promise.all(
    SYSTEMS.map(async (system) => {
      const sealer = system === raftEnvelope ? raftEnvelope : webCrypto;
      const envelope = await sealer.seal(plaintext);
      const opened = await system.open(envelope);
      if (!equalBytes(opened, plaintext)) throw new Error(system.name);
      return [
        { question: "seal", system, call: () => system.seal(plaintext) },
        { question: "open", system, call: () => system.open(envelope) },
      ];
    }),
  );
  const contenders = asked.flat().map((each) => ({
    ...each,
    rounds: [] as { microseconds: number; processor: number }[],
  }));
  for (const { call } of contenders) await measureRound(call, inFlight);
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { call, rounds } of contenders) {
      rounds.push(await measureRound(call, inFlight));
    }
  }
  return contenders.map(({ question, system, rounds }) => ({
    question,
    system: system.name,
    bytes,
    inFlight,
    microseconds: Math.min(...rounds.map((round) => round.microseconds)),
    processorMicroseconds: Math.min(...rounds.map((round) => round.processor)),
  }));
}

const machine = await machineName(Deno.cwd());
console.log(`envelopes on ${machine}\n`);
console.log("question  system        bytes  in flight  µs/call  processor µs");
const rows: Row[] = [];
for (const inFlight of IN_FLIGHT) {
  for (const bytes of SIZES) {
    for (const row of await rowsOf(bytes, inFlight)) {
      rows.push(row);
      console.log([
        row.question.padEnd(9),
        row.system.padEnd(12),
        String(bytes).padStart(6),
        String(inFlight).padStart(10),
        row.microseconds.toFixed(1).padStart(8),
        row.processorMicroseconds.toFixed(1).padStart(13),
      ].join(" "));
    }
  }
}
console.log(`\n${JSON.stringify({ bench: "envelopes", machine, rows })}`);
