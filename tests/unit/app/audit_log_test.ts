/*
 * Goal: what was answered as audited is in the log, in one chain, whatever
 * crashes, damage and full disks do; and nothing of that holds up a node.
 * Method: the log on a disk that crashes in every operation, keeping every
 * kind of leftovers; then damage by hand.
 */
import assert from "node:assert/strict";
import type { AuditRecord } from "../../../src/admin/audit.ts";
import {
  CHAIN_START,
  followChain,
  lineHash,
} from "../../../src/app/audit_chain.ts";
import { AuditLog } from "../../../src/app/audit_log.ts";
import { utf8 } from "../../../src/base/bytes.ts";
import { CRASH_KINDS, SimDisk } from "../../sim/io/disk.ts";
import { SimClock } from "../../sim/io/clock.ts";
import { recordingLog } from "../admin/fake_node.ts";

const PATH = "/d/audit.log";

function recordOf(call: string): AuditRecord {
  return {
    actor: "ana@laptop",
    remote: "10.0.0.9",
    call,
    request: { purpose: "KEY_PURPOSE_STORAGE" },
    plan: "0123456789abcdef",
    accept: [],
    result: "done",
    isChanged: true,
    code: "",
    index: 2n ** 63n,
  };
}

async function emptyDisk(): Promise<SimDisk> {
  const disk = new SimDisk({ seed: 7 });
  await disk.makeDir("/d");
  await disk.syncDir("/");
  return disk;
}

function logOn(disk: SimDisk, onLine?: (line: string) => void) {
  const log = recordingLog();
  const audit = new AuditLog({
    disk,
    path: PATH,
    node: "n1",
    clock: new SimClock(),
    log,
    ...(onLine === undefined ? {} : { onLine }),
  });
  return { audit, events: log.events };
}

async function textOf(disk: SimDisk): Promise<string> {
  if (!await disk.exists(PATH)) return "";
  const file = await disk.open(PATH, "existing");
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  return decoder.decode(await file.readAt(0, await file.size()));
}

async function linesOf(disk: SimDisk): Promise<string[]> {
  const text = await textOf(disk);
  assert.ok(text === "" || text.endsWith("\n"), "lines are whole");
  return text.split("\n").slice(0, -1);
}

async function callsOf(disk: SimDisk): Promise<string[]> {
  const lines = await linesOf(disk);
  return lines.flatMap((line) => JSON.parse(line).call ?? []);
}

async function replaceText(disk: SimDisk, text: string): Promise<void> {
  await disk.remove(PATH);
  const file = await disk.open(PATH, "create");
  await file.writeAndSync(0, utf8(text));
  await disk.syncDir("/d");
}

Deno.test("AuditLog makes no file before there is something to keep", async () => {
  const disk = await emptyDisk();
  const { audit, events } = logOn(disk);
  await audit.open();
  await audit.close();
  assert.equal(await disk.exists(PATH), false);
  assert.deepEqual(events, []);
});

Deno.test("AuditLog writes one line a record, each naming the one before", async () => {
  const disk = await emptyDisk();
  const { audit } = logOn(disk);
  await audit.open();
  await Promise.all([audit.write(recordOf("a")), audit.write(recordOf("b"))]);
  await audit.close();
  const [first, a, b, ...rest] = (await linesOf(disk))
    .map((line) => JSON.parse(line));
  assert.deepEqual(rest, []);
  assert.equal(first.event, "chain_begun");
  assert.deepEqual([first.node, first.follows], ["n1", CHAIN_START]);
  assert.equal(first.previous, CHAIN_START);
  assert.deepEqual([a.call, b.call], ["a", "b"]);
  const { previous, at, ...fields } = a;
  assert.equal(previous, lineHash((await linesOf(disk))[0]!));
  assert.match(at, /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(fields, {
    actor: "ana@laptop",
    remote: "10.0.0.9",
    call: "a",
    request: { purpose: "KEY_PURPOSE_STORAGE" },
    plan: "0123456789abcdef",
    accept: [],
    result: "done",
    changed: true,
    code: "",
    index: "9223372036854775808",
  });
});

Deno.test("AuditLog goes on with the chain after a restart", async () => {
  const disk = await emptyDisk();
  for (const call of ["a", "b", "c"]) {
    const { audit, events } = logOn(disk);
    await audit.open();
    await audit.write(recordOf(call));
    await audit.close();
    assert.deepEqual(events, []);
  }
  const lines = await linesOf(disk);
  assert.equal(lines.length, 4);
  assert.equal(followChain(lines, { isWhole: true }).isBroken, false);
});

Deno.test("AuditLog shows the lines of before once, and new ones", async () => {
  const disk = await emptyDisk();
  const seen: string[] = [];
  for (const call of ["a", "b"]) {
    const { audit } = logOn(disk, (line) => seen.push(line));
    seen.length = 0;
    await audit.open();
    await audit.write(recordOf(call));
    // As after a failure: the log is opened again.
    await audit.close();
    await audit.write(recordOf(`${call} again`));
    await audit.close();
  }
  const calls = seen.flatMap((line) => JSON.parse(line).call ?? []);
  assert.deepEqual(calls, ["a", "a again", "b", "b again"]);
});

for (const kind of CRASH_KINDS) {
  Deno.test(`AuditLog keeps what it answered, crash keeps "${kind}"`, async () => {
    let crashes = 0;
    for (let seed = 1; seed <= 20; seed += 1) {
      for (let crashAt = 1;; crashAt += 1) {
        const disk = (await emptyDisk()).clone(seed);
        const kept: string[] = [];
        disk.crashAt = crashAt;
        const first = logOn(disk).audit;
        await first.open();
        for (const call of ["a", "b", "c"]) {
          await first.write(recordOf(call));
          // The machine is down: what failed was not answered.
          if (disk.operations < crashAt) kept.push(call);
        }
        if (disk.operations < crashAt) break;
        crashes += 1;
        disk.restart(kind);
        const { audit, events } = logOn(disk);
        await audit.open();
        await audit.write(recordOf("later"));
        await audit.close();
        const calls = await callsOf(disk);
        assert.deepEqual(calls.slice(0, kept.length), kept);
        assert.equal(calls.at(-1), "later");
        const lines = await linesOf(disk);
        assert.equal(followChain(lines, { isWhole: true }).isBroken, false);
        assert.ok(!events.includes("warn audit_chain_broken"), `${seed}`);
      }
    }
    assert.ok(crashes >= 100, `${crashes} crashes`);
  });
}

Deno.test("AuditLog sets a torn line aside inside the chain", async () => {
  const disk = await emptyDisk();
  const before = logOn(disk);
  await before.audit.write(recordOf("a"));
  await before.audit.close();
  const torn = '{"previous":"ab\u0000\n'.slice(0, -1);
  await replaceText(disk, await textOf(disk) + torn);
  const { audit, events } = logOn(disk);
  await audit.open();
  await audit.write(recordOf("b"));
  const lines = await linesOf(disk);
  assert.deepEqual(events, ["warn audit_line_set_aside"]);
  assert.deepEqual(
    [JSON.parse(lines[2]!).event, JSON.parse(lines[2]!).text],
    ["line_set_aside", torn],
  );
  assert.deepEqual(await callsOf(disk), ["a", "b"]);
  assert.equal(followChain(lines, { isWhole: true }).isBroken, false);
});

const DAMAGE: [name: string, damage: (lines: string[]) => string[]][] = [
  ["a line that is gone", ([x, a, , c]) => [x!, a!, c!]],
  ["lines in another order", ([x, a, b, c]) => [x!, b!, a!, c!]],
  ["a changed field", ([x, a, b, c]) => [
    x!,
    a!.replace("ana@laptop", "eve@laptop"),
    b!,
    c!,
  ]],
  ["a first line that is gone", ([, a, b, c]) => [a!, b!, c!]],
  ["a mark before the text", ([x, ...rest]) => [`\uFEFF${x}`, ...rest]],
  ["a line of another program", ([x, a, b, c]) => [x!, a!, "hello", b!, c!]],
];
for (const [name, damage] of DAMAGE) {
  Deno.test(`AuditLog begins a new chain after ${name}`, async () => {
    const disk = await emptyDisk();
    const before = logOn(disk);
    for (const call of ["a", "b", "c"]) {
      await before.audit.write(recordOf(call));
    }
    await before.audit.close();
    const damaged = damage(await linesOf(disk));
    await replaceText(disk, damaged.map((line) => `${line}\n`).join(""));
    const { audit, events } = logOn(disk);
    await audit.open();
    await audit.write(recordOf("d"));
    await audit.close();
    assert.deepEqual(events, ["warn audit_chain_broken"]);
    const lines = await linesOf(disk);
    assert.deepEqual(lines.slice(0, damaged.length), damaged);
    const [begun] = lines.slice(damaged.length).map((line) => JSON.parse(line));
    assert.equal(begun.event, "chain_begun");
    assert.equal(begun.follows, lineHash(damaged.at(-1)!));
    const again = logOn(disk);
    await again.audit.open();
    assert.deepEqual(again.events, [], "it is told once");
  });
}

Deno.test("AuditLog takes the place of a line break that is all there is", async () => {
  const disk = await emptyDisk();
  await replaceText(disk, "\n");
  const { audit, events } = logOn(disk);
  await audit.open();
  await audit.write(recordOf("a"));
  assert.deepEqual(events, ["warn audit_line_set_aside"]);
  const lines = await linesOf(disk);
  assert.deepEqual(lines.map((line) => JSON.parse(line).event), [
    "line_set_aside",
    "chain_begun",
    undefined,
  ]);
  assert.equal(followChain(lines, { isWhole: true }).isBroken, false);
});

Deno.test("AuditLog looks at the end only of a long log", async () => {
  const disk = await emptyDisk();
  const lines = [
    JSON.stringify({ previous: CHAIN_START, event: "chain_begun" }),
  ];
  const filler = "x".repeat(2_000);
  for (let i = 0; i < 1_000; i += 1) {
    const previous = lineHash(lines.at(-1)!);
    lines.push(JSON.stringify({ previous, filler }));
  }
  // Damage that is out of sight.
  lines[1] = lines[1]!.replace("xxx", "yyy");
  await replaceText(disk, lines.map((line) => `${line}\n`).join(""));
  const { audit, events } = logOn(disk);
  await audit.open();
  await audit.write(recordOf("a"));
  assert.deepEqual(events, []);
  const last = (await linesOf(disk)).at(-1)!;
  assert.equal(JSON.parse(last).previous, lineHash(lines.at(-1)!));
});

for (const end of ["", "\n"]) {
  Deno.test(`AuditLog goes on after junk of 2 MiB that ends with ${JSON.stringify(end)}`, async () => {
    const disk = await emptyDisk();
    await replaceText(disk, "j".repeat(2 ** 21) + end);
    const { audit, events } = logOn(disk);
    await audit.open();
    await audit.write(recordOf("a"));
    await audit.close();
    assert.deepEqual(events, ["warn audit_chain_broken"]);
    const lines = await linesOf(disk);
    assert.equal(lines.length, 3);
    assert.equal(JSON.parse(lines[2]!).call, "a");
  });
}

Deno.test("AuditLog reports what it cannot write, and goes on later", async () => {
  const disk = await emptyDisk();
  const { audit, events } = logOn(disk);
  await audit.write(recordOf("a"));
  disk.capacityBytes = 0;
  await audit.write(recordOf("b"));
  disk.capacityBytes = Infinity;
  disk.failSyncAt = disk.syncs + 1;
  await audit.write(recordOf("c"));
  await audit.write(recordOf("d"));
  await audit.close();
  assert.deepEqual(events.filter((event) => event.startsWith("error")), [
    "error audit_failed",
    "error audit_failed",
  ]);
  const calls = await callsOf(disk);
  assert.deepEqual([calls[0], calls.at(-1)], ["a", "d"]);
  assert.equal(
    followChain(await linesOf(disk), { isWhole: true }).isBroken,
    false,
  );
});
