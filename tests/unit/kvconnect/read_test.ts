import assert from "node:assert/strict";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  SnapshotReadOutputSchema,
  SnapshotReadSchema,
} from "../../../src/kvconnect/gen/datapath_pb.ts";
import { Fixture } from "./fixture.ts";

interface TestRange {
  readonly start?: Uint8Array;
  readonly end?: Uint8Array;
  readonly limit?: number;
  readonly reverse?: boolean;
}

const ALL = { start: new Uint8Array([0]), end: new Uint8Array([255]) };

async function send(
  fixture: Fixture,
  ranges: TestRange[],
  headers: Record<string, string> = {},
): Promise<Response> {
  const message = create(SnapshotReadSchema, { ranges });
  const body = toBinary(SnapshotReadSchema, message);
  return await fixture.call("snapshot_read", body, { headers });
}

async function outputOf(response: Response) {
  assert.equal(response.status, 200);
  return fromBinary(
    SnapshotReadOutputSchema,
    new Uint8Array(await response.arrayBuffer()),
  );
}

/** Sets keys `[from, until)` of two bytes to `bytes` zeros each. */
async function fill(
  fixture: Fixture,
  [from, until]: [number, number],
  bytes: number,
): Promise<void> {
  for (let i = from; i < until; i += 1) {
    await fixture.node.write({
      database: "",
      checks: [],
      changes: [{
        kind: "set",
        key: new Uint8Array([1 + (i >> 8), i & 255]),
        value: { data: new Uint8Array(bytes), encoding: 3 },
        expireAtMs: 0,
      }],
    });
  }
}

Deno.test("snapshot_read answers ranges in their order, strongly", async () => {
  const fixture = new Fixture();
  await fill(fixture, [0, 5], 10);
  const output = await outputOf(
    await send(fixture, [
      { ...ALL, limit: 2 },
      { ...ALL, limit: 2, reverse: true },
      { start: ALL.end, end: ALL.start, limit: 5 },
      { start: ALL.start, end: ALL.start, limit: 5 },
    ]),
  );
  assert.equal(output.status, 1);
  assert.equal(output.readIsStronglyConsistent, true);
  assert.equal(output.readDisabled, false);
  assert.deepEqual(
    output.ranges.map(({ values }) => values.map(({ key }) => key[1])),
    [[0, 1], [4, 3], [], []],
  );
  const [entry] = output.ranges[0]!.values;
  assert.equal(entry?.encoding, 3);
  assert.equal(entry?.value.length, 10);
  assert.equal(entry?.versionstamp.length, 10);
  assert.equal(fixture.node.reads[0]?.strong, true);
});

Deno.test("snapshot_read of no range is a reply without ranges", async () => {
  const output = await outputOf(await send(new Fixture(), []));
  assert.deepEqual([output.status, output.ranges], [1, []]);
});

function bound(length: number): Uint8Array {
  return new Uint8Array(length).fill(1);
}

const FITS: [name: string, ranges: TestRange[]][] = [
  ["bounds of 2049 bytes", [{
    start: bound(2_049),
    end: bound(2_049),
    limit: 1,
  }]],
  ["empty bounds", [{ limit: 1 }]],
  ["10 ranges of 1000 entries", Array(10).fill({ ...ALL, limit: 100 })],
  ["1000 entries", [{ ...ALL, limit: 1_000 }]],
];

for (const [name, ranges] of FITS) {
  Deno.test(`snapshot_read takes ${name}`, async () => {
    const output = await outputOf(await send(new Fixture(), ranges));
    assert.equal(output.ranges.length, ranges.length);
  });
}

const REFUSED: [name: string, ranges: TestRange[], text: RegExp][] = [
  ["a start of 2050 bytes", [{ start: bound(2_050), limit: 1 }], /max 2049/],
  ["an end of 2050 bytes", [{ end: bound(2_050), limit: 1 }], /max 2049/],
  ["11 ranges", Array(11).fill({ ...ALL, limit: 1 }), /ranges \(max 10\)/],
  ["1001 entries", [{ ...ALL, limit: 1_001 }], /entries \(max 1000\)/],
  ["1001 entries together", [
    { ...ALL, limit: 1_000 },
    { ...ALL, limit: 1 },
  ], /entries \(max 1000\)/],
  ["limit 0", [ALL], /^Invalid limit of a range: 0/],
  ["limit -1", [{ ...ALL, limit: -1 }], /^Invalid limit of a range: -1/],
  ["limits that cancel out", [
    { ...ALL, limit: 2_000 },
    { ...ALL, limit: -1_000 },
  ], /^Invalid limit/],
];

for (const [name, ranges, text] of REFUSED) {
  Deno.test(`snapshot_read refuses ${name}`, async () => {
    const fixture = new Fixture();
    const response = await send(fixture, ranges);
    assert.equal(response.status, 400);
    assert.match(await response.text(), text);
    assert.equal(fixture.node.reads.length, 0);
  });
}

Deno.test("snapshot_read takes bounds of 2071 bytes when asked to", async () => {
  const fixture = new Fixture();
  const headers = { "x-sealkv-long-bounds": "1" };
  const fits = [{ start: bound(2_071), limit: 1 }];
  assert.equal((await send(fixture, fits, headers)).status, 200);
  const over = [{ start: bound(2_072), limit: 1 }];
  assert.equal((await send(fixture, over, headers)).status, 400);
});

Deno.test("snapshot_read streams large replies whole", async () => {
  const fixture = new Fixture();
  await fill(fixture, [0, 300], 65_536);
  for (const limit of [3, 4, 5, 10, 11, 300]) {
    const response = await send(fixture, [{ ...ALL, limit }]);
    const output = await outputOf(response);
    assert.equal(output.ranges[0]?.values.length, limit);
    assert.equal(output.status, 1);
  }
  assert.equal(fixture.clock.timers, 0);
});

Deno.test("snapshot_read holds further large reads until one is taken", async () => {
  const fixture = new Fixture();
  await fill(fixture, [0, 10], 65_536);
  const large = [{ ...ALL, limit: 1_000 }];
  const held = [];
  for (let i = 0; i < 4; i += 1) held.push(await send(fixture, large));
  assert.equal(fixture.node.reads.length, 4);
  const fifth = send(fixture, large);
  // Small reads go past.
  await outputOf(await send(fixture, [{ ...ALL, limit: 10 }]));
  assert.equal(fixture.node.reads.length, 5);
  await held[0]!.body?.cancel();
  await outputOf(await fifth);
  assert.equal(fixture.node.reads.length, 6);
  for (const response of held.slice(1)) await outputOf(response);
  assert.equal(fixture.clock.timers, 0);
});

Deno.test("snapshot_read cuts a reply that nobody takes", async () => {
  const fixture = new Fixture();
  await fill(fixture, [0, 20], 65_536);
  const large = [{ ...ALL, limit: 1_000 }];
  const held = [];
  for (let i = 0; i < 4; i += 1) held.push(await send(fixture, large));
  const fifth = send(fixture, large);
  fixture.clock.advance(60_000);
  await outputOf(await fifth);
  await assert.rejects(held[0]!.arrayBuffer(), /Reply not taken/);
});

Deno.test("snapshot_read that fails leaves room for the next", async () => {
  const fixture = new Fixture();
  const large = [{ ...ALL, limit: 1_000 }];
  fixture.node.failure = new Error("broken");
  for (let i = 0; i < 9; i += 1) await send(fixture, large);
  fixture.node.failure = null;
  await outputOf(await send(fixture, large));
});
