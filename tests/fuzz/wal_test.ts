import assert from "node:assert/strict";
import fc from "fast-check";
import { NodeError } from "../../src/base/error.ts";
import { decodeAnchor } from "../../src/wal/anchor.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameBytes,
  openFrameHeader,
  sealFrame,
} from "../../src/wal/frame.ts";
import { FrameReader } from "../../src/wal/frame_reader.ts";
import { decodeRecords, RecordWriter } from "../../src/wal/record.ts";
import { parseSegmentName } from "../../src/wal/segment.ts";
import {
  decodeSegmentHeader,
  encodeSegmentHeader,
} from "../../src/wal/segment_header.ts";
import { Wal } from "../../src/wal/wal.ts";
import { SimDisk } from "../sim/io/disk.ts";
import {
  metadataAt,
  runStep,
  SCRIPT,
  simWalOptions,
} from "../sim/wal_model.ts";

const RUNS = { numRuns: 2000 };
const bytes = fc.uint8Array({ maxLength: 400 });
const safe = fc.maxSafeNat();
const PLAIN = { noNullPrototype: true } as const;
const members = fc.array(safe, { maxLength: 5 });
const metadata = fc.record({
  index: safe,
  term: safe,
  confState: fc.record({
    voters: members,
    votersOutgoing: members,
    learners: members,
    learnersNext: members,
    autoLeave: fc.boolean(),
  }, PLAIN),
}, PLAIN);

Deno.test("openFrameHeader() survives any bytes", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const header = openFrameHeader(input);
      if (header === null) return;
      assert.ok(header.payloadBytes <= FRAME_PAYLOAD_BYTES_MAX);
    }),
    RUNS,
  );
});

Deno.test("openFrameHeader() bounds a length that the CRC vouches for", () => {
  const frame = new Uint8Array(FRAME_HEADER_BYTES);
  const numbers = { frameSeq: 1, durableSeq: 0, walId: 1, previousCrc: 0 };
  sealFrame(frame, { ...numbers, payloadBytes: 0 });
  const lying = frame.slice();
  lying[4] = 0x7f;
  assert.equal(openFrameHeader(lying), null);
});

Deno.test("decodeRecords() survives any bytes in proportion to them", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const records = decodeRecords(input);
      assert.ok(records === null || records.length <= input.length / 5);
    }),
    RUNS,
  );
});

Deno.test("decodeRecords() survives records that are nearly right", () => {
  const type = fc.integer({ min: 0, max: 8 });
  const record = fc.tuple(type, fc.uint8Array({ maxLength: 60 }));
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), (list) => {
      const payload = new Uint8Array(
        list.reduce((sum, [_, body]) => sum + 5 + body.length, 0),
      );
      let at = 0;
      for (const [kind, body] of list) {
        payload[at] = kind;
        payload[at + 4] = body.length;
        payload.set(body, at + 5);
        at += 5 + body.length;
      }
      const records = decodeRecords(payload);
      assert.ok(records === null || records.length === list.length);
    }),
    RUNS,
  );
});

Deno.test("decodeRecords() and RecordWriter are each other's inverse", () => {
  fc.assert(
    fc.property(metadata, fc.boolean(), bytes, (given, install, data) => {
      const mark = { install, metadata: given };
      const entry = { type: 1, term: given.term, index: 5, data } as const;
      const hardState = { term: given.term, vote: 1, commit: given.index };
      const writer = new RecordWriter(new Uint8Array(1000));
      writer.snapshotMark(mark);
      writer.entry(entry);
      writer.hardState(hardState);
      const whole = new Uint8Array(writer.at);
      const again = new RecordWriter(whole);
      again.snapshotMark(mark);
      again.entry(entry);
      again.hardState(hardState);
      assert.deepEqual(decodeRecords(whole), [
        { kind: "snapshot-mark", mark },
        { kind: "entry", entry },
        { kind: "hard-state", hardState },
      ]);
    }),
  );
});

Deno.test("decodeSegmentHeader() survives any bytes and reads its own", () => {
  fc.assert(
    fc.property(bytes, (input) => {
      decodeSegmentHeader(input);
      input[0] = 0;
      input[1] = 1;
      decodeSegmentHeader(input);
    }),
    RUNS,
  );
  const nodeName = fc.stringMatching(/^[a-z0-9.-]{1,63}$/);
  fc.assert(fc.property(metadata, nodeName, safe, (given, name, sequence) => {
    const header = {
      format: 1,
      clusterId: new Uint8Array(16).fill(sequence),
      nodeName: name,
      sequence,
      nextIndex: given.index,
      lastTerm: given.term,
      hardState: { term: given.term, vote: 2, commit: sequence },
      floor: { index: sequence, term: given.term },
      mark: { install: false, metadata: given },
    };
    assert.deepEqual(
      decodeSegmentHeader(encodeSegmentHeader(header)),
      header,
    );
  }));
});

Deno.test("decodeAnchor() and parseSegmentName() survive anything", () => {
  fc.assert(fc.property(bytes, (input) => void decodeAnchor(input)), RUNS);
  fc.assert(fc.property(fc.string(), (name) => {
    assert.equal(parseSegmentName(name), null);
  }));
});

Deno.test("FrameReader.next() survives any file", async () => {
  await fc.assert(
    fc.asyncProperty(bytes, fc.nat(300), async (noise, length) => {
      const disk = new SimDisk({ seed: 1 });
      const file = await disk.open("s", "create");
      const frame = new Uint8Array(frameBytes(length));
      sealFrame(frame, {
        payloadBytes: length,
        frameSeq: 1,
        durableSeq: 0,
        walId: 1,
        previousCrc: 0,
      });
      await file.writeAt(0, frame);
      await file.writeAt(frame.length, noise);
      const reader = new FrameReader(file, frame.length + noise.length);
      assert.equal((await reader.next()).kind, "frame");
      assert.notEqual((await reader.next()).kind, "frame");
    }),
  );
});

Deno.test("Wal.open() answers overwritten files with a typed error", async () => {
  const image = new SimDisk({ seed: 1 });
  const founding = { metadata: metadataAt(1, 1) };
  const wal = await Wal.create(simWalOptions(image), founding);
  for (const step of SCRIPT.slice(0, 10)) await runStep(wal, step);
  image.restart("none");
  const paths = image.durablePaths();
  await fc.assert(
    fc.asyncProperty(
      fc.nat(paths.length - 1),
      fc.nat(3000),
      bytes,
      async (which, offset, noise) => {
        const disk = image.clone(1);
        const file = await disk.open(paths[which] as string, "existing");
        await file.writeAt(offset, noise);
        await file.close();
        try {
          await (await Wal.open(simWalOptions(disk))).close();
        } catch (error) {
          assert.ok(error instanceof NodeError, String(error));
        }
      },
    ),
    { numRuns: 400 },
  );
});
