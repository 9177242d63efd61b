import assert from "node:assert/strict";
import { WalDamagedError } from "../../../../src/wal/errors.ts";
import { walPaths } from "../../../../src/wal/paths.ts";
import {
  FRAME_HEADER_BYTES,
  frameBytes,
  sealFrame,
} from "../../../../src/wal/frame.ts";
import { RecordWriter } from "../../../../src/wal/record.ts";
import { scanLog } from "../../../../src/wal/recovery/scan.ts";
import {
  type ChainLink,
  segmentHeaderFrame,
  segmentName,
} from "../../../../src/wal/segment.ts";
import { listSegments } from "../../../../src/wal/segment_files.ts";
import type { SegmentHeader } from "../../../../src/wal/segment_header.ts";
import { SimDisk } from "../../../sim/io/disk.ts";
import { entryAt, metadataAt } from "../../../sim/wal_model.ts";
import { foundedHeader } from "../states.ts";

const PATHS = walPaths("raft");
const START: ChainLink = { frameSeq: 0, frameCrc: 0 };

type Write = (writer: RecordWriter) => void;
interface Fields {
  readonly walId?: number;
  readonly frameSeq?: number;
  readonly durableSeq?: number;
  readonly previousCrc?: number;
}

/** Builds segments by hand, also wrong ones. */
class Builder {
  readonly disk = new SimDisk({ seed: 1 });
  #link = START;
  #bytes: number[] = [];
  #name = "";

  segment(changes: Partial<SegmentHeader> = {}, name?: string): this {
    const header = { ...foundedHeader(1, 1), ...changes };
    const { frame, link } = segmentHeaderFrame(header, 7, this.#link);
    this.#link = link;
    this.#name = name ?? segmentName(header.sequence, header.nextIndex);
    this.#bytes = [...frame];
    return this;
  }

  frame(write: Write, fields: Fields = {}): this {
    const scratch = new RecordWriter(new Uint8Array(4000));
    write(scratch);
    const payloadBytes = scratch.at;
    const frame = new Uint8Array(frameBytes(payloadBytes));
    write(new RecordWriter(frame, FRAME_HEADER_BYTES));
    const frameSeq = this.#link.frameSeq + 1;
    const frameCrc = sealFrame(frame, {
      payloadBytes,
      frameSeq,
      durableSeq: frameSeq - 1,
      walId: 7,
      previousCrc: this.#link.frameCrc,
      ...fields,
    });
    this.#link = { frameSeq, frameCrc };
    this.#bytes.push(...frame);
    return this;
  }

  /** Takes back the last words written, as a torn sector would. */
  tear(length: number): this {
    this.#bytes.fill(0, this.#bytes.length - length);
    return this;
  }

  async save(): Promise<this> {
    await this.disk.makeDir(PATHS.segments);
    const path = `${PATHS.segments}/${this.#name}`;
    const file = await this.disk.open(path, "create");
    await file.writeAt(0, new Uint8Array([...this.#bytes, ...Array(64)]));
    await file.close();
    return this;
  }

  async scan() {
    return scanLog(await listSegments(this.disk, PATHS), {
      disk: this.disk,
      dir: PATHS.segments,
      nodeName: "n1",
      anchor: null,
    });
  }
}

const entry = (index: number, term: number): Write => (writer) =>
  writer.entry(entryAt(index, term));

Deno.test("scanLog() adds segments up", async () => {
  const log = new Builder();
  await log.segment().frame(entry(2, 1)).frame(entry(3, 1)).save();
  await log.segment({ sequence: 2, nextIndex: 4 }).frame(entry(3, 1)).save();
  const { view, link, torn, walId } = await log.scan();
  assert.equal(view.state.lastIndex, 3);
  assert.equal(link.frameSeq, 5);
  assert.equal(walId, 7);
  assert.equal(torn, null);
});

Deno.test("scanLog() starts at any segment whose floor allows it", async () => {
  const purged = {
    sequence: 5,
    nextIndex: 20,
    hardState: { term: 1, vote: 0, commit: 19 },
    mark: { install: false, metadata: metadataAt(19, 1) },
  };
  const whole = new Builder();
  await whole.segment(purged)
    .frame((writer) => writer.floor({ index: 19, term: 1 })).save();
  assert.equal((await whole.scan()).view.storage.firstIndex(), 20);
  const holed = new Builder();
  await holed.segment(purged)
    .frame((writer) => writer.floor({ index: 18, term: 1 })).save();
  await assert.rejects(holed.scan(), { code: "WAL_SEGMENT_MISSING" });
});

Deno.test("scanLog() refuses a frame that does not fit the chain", async () => {
  const wrong: [fields: Fields, finding: RegExp][] = [
    [{ walId: 8 }, /another log/],
    [{ frameSeq: 3 }, /holds frame 3/],
    [{ frameSeq: 1 }, /holds frame 1/],
    [{ previousCrc: 5 }, /does not continue/],
    [{ durableSeq: 2 }, /before it was written/],
  ];
  for (const [fields, finding] of wrong) {
    const log = await new Builder().segment().frame(entry(2, 1), fields).save();
    await assert.rejects(log.scan(), (error: unknown) => {
      assert.ok(error instanceof Error && "code" in error);
      assert.equal(error.code, "WAL_DAMAGED");
      assert.match(error.message, finding);
      return true;
    });
  }
});

Deno.test("scanLog() refuses frames that break the rules of the log", async () => {
  const wrong: [write: Write, rule: RegExp][] = [
    [entry(4, 1), /entry 4 follows entry 1/],
    [entry(1, 1), /replaces a committed one/],
    [entry(2, 2), /above term 1/],
    [
      (writer) => writer.hardState({ term: 1, vote: 0, commit: 9 }),
      /commit 9 is above/,
    ],
    [
      (writer) => writer.hardState({ term: 0, vote: 0, commit: 1 }),
      /term goes back/,
    ],
  ];
  for (const [write, rule] of wrong) {
    const log = await new Builder().segment().frame(write).save();
    await assert.rejects(log.scan(), (error: unknown) => {
      assert.ok(error instanceof Error && "code" in error);
      assert.equal(error.code, "WAL_INCONSISTENT");
      assert.match(error.message, rule);
      return true;
    });
  }
});

Deno.test("scanLog() takes no frame for torn but in the last segment", async () => {
  const log = new Builder();
  await log.segment().frame(entry(2, 1)).frame(entry(3, 1)).tear(16).save();
  const alone = await log.scan();
  assert.equal(alone.view.state.lastIndex, 2);
  assert.equal(alone.torn?.offset, alone.offset);
  await log.segment({ sequence: 2, nextIndex: 4 }).save();
  await assert.rejects(log.scan(), (error: unknown) => {
    assert.ok(error instanceof WalDamagedError);
    assert.deepEqual(error.place, {
      segment: segmentName(1, 2),
      offset: alone.offset,
      expectedSeq: 3,
    });
    return true;
  });
});

Deno.test("scanLog() refuses a segment header out of place", async () => {
  const body = (writer: RecordWriter) =>
    writer.segmentHeader(new Uint8Array(90));
  const log = await new Builder().segment().frame(body).save();
  await assert.rejects(log.scan(), { code: "WAL_DAMAGED" });
  const name = segmentName(1, 9);
  const renamed = await new Builder().segment({}, name).save();
  await assert.rejects(renamed.scan(), /another segment/);
});

Deno.test("scanLog() refuses a gap between segments", async () => {
  const log = new Builder();
  await log.segment().save();
  await log.segment({ sequence: 3 }).save();
  await assert.rejects(log.scan(), { code: "WAL_SEGMENT_MISSING" });
});

Deno.test("scanLog() refuses a header that forgets what was before", async () => {
  const log = new Builder();
  await log.segment().frame(entry(2, 1)).save();
  await log.segment({ sequence: 2, nextIndex: 2 }).save();
  await assert.rejects(log.scan(), { code: "WAL_INCONSISTENT" });
});

Deno.test("scanLog() refuses two cluster ids, another node or format", async () => {
  const ids = new Builder();
  await ids.segment({ clusterId: new Uint8Array(16).fill(1) }).save();
  await ids.segment({
    sequence: 2,
    clusterId: new Uint8Array(16).fill(2),
  }).save();
  await assert.rejects(ids.scan(), { code: "WAL_FOREIGN" });
  const node = await new Builder().segment({ nodeName: "n2" }).save();
  await assert.rejects(node.scan(), { code: "WAL_FOREIGN" });
  const format = await new Builder().segment({ format: 2 }).save();
  await assert.rejects(format.scan(), { code: "WAL_FORMAT_UNSUPPORTED" });
});

Deno.test("scanLog() keeps zero-id segments valid", async () => {
  const log = new Builder();
  const id = new Uint8Array(16).fill(4);
  await log.segment().save();
  await log.segment({ sequence: 2, clusterId: id }).save();
  assert.deepEqual((await log.scan()).clusterId, id);
});
