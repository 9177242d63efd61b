import assert from "node:assert/strict";
import type { ReactNode } from "react";
import { LookContext } from "../../../tui/look.ts";
import { Dashboard } from "../../../tui/dashboard/dashboard.tsx";
import { NO_HISTORY, withLook } from "../../../tui/dashboard/history.ts";
import type { Seen } from "../../../tui/dashboard/seen.ts";
import { renderScreen, type TestScreen } from "../render.ts";
import {
  encryptionOf,
  eventOf,
  memberOf,
  NOW_MS,
  seenOf,
  silentVitals,
  statusOf,
  taskOf,
  vitalsAt,
} from "./seen_cluster.ts";

const SIZES = [
  { columns: 60, rows: 18 },
  { columns: 60, rows: 20 },
  { columns: 80, rows: 24 },
  { columns: 120, rows: 34 },
  { columns: 140, rows: 40 },
  { columns: 300, rows: 22 },
] as const;

const FULL = fullCluster();

/** Everything there is to show, and one member down. */
function fullCluster(): Seen {
  const history = [1, 2, 3, 5, 8, 13].map((second) => [
    vitalsAt("n1", second, { requests: BigInt(second * second * 100) }),
    vitalsAt("n2", second),
    silentVitals("n3"),
  ]).reduce(withLook, NO_HISTORY);
  return seenOf({
    status: statusOf(
      memberOf("n1"),
      memberOf("n2", { role: "leader", replication: "unknown" }),
      memberOf("n3", { up: false, ready: false, lag: 4_210n }),
    ),
    history,
    encryption: [encryptionOf("n1"), encryptionOf("n2")],
    rewrite: {
      job: { id: 5n, bytesPerSecond: 2_097_152n, isPaused: false },
      members: [taskOf("n1"), taskOf("n2", { done: 700n })],
    },
    events: [
      eventOf(90),
      eventOf(95, { action: "rotate-dek", detail: "storage" }),
    ],
  });
}

function dashboard(seen: Seen, onEnd = (_: 0 | 130) => {}) {
  return <Dashboard seen={seen} intervalMs={1_000} onEnd={onEnd} />;
}

function assertFits(screen: TestScreen, size: typeof SIZES[number]): void {
  const lines = screen.frame().split("\n");
  assert.ok(lines.length <= size.rows, screen.frame());
  for (const line of lines) {
    assert.ok([...line].length <= size.columns, line);
  }
}

Deno.test("Dashboard shows all of a cluster on 80x24", async () => {
  const size = { columns: 80, rows: 24 };
  await using screen = await renderScreen(dashboard(FULL), size);
  assert.equal(
    screen.frame(),
    `\
 prod-eu-1   leader n2   term 7   phase 1 (storage envelope on)      1 issue (i)
+- > Members ---------------------------------------------------- 2 of 3 well -+
|   name  role      up   ready     lag  applied  phase   req/s      p99        |
| > n1    follower  yes  yes         0   812344      1   2,100   9.8 ms        |
|   n2    leader    yes  yes         0   812344      1   1,000   9.8 ms        |
|   n3    follower  NO   NO     4210 !   812344      1       -        -        |
+------------------------------------------------------------------------------+
+- Traffic of the cluster ----------------------------------------- last 36 s -+
| requests      3,100/s                                 ==+*@  peak 3,100/s    |
| p50            1.0 ms                                 @@@@@  peak 1.0 ms     |
| p99            9.8 ms                                 @@@@@  peak 9.8 ms     |
+------------------------------------------------------------------------------+
+- Keys -------------------------------------------------------------- 4 keys -+
| rewrite [#############.........]  60 %  0 of 2 done, 2 s left, max 2.0 MiB/s |
|          key  purpose  state       age  sealed  writers  wrapped under       |
|    271828182  storage  active  116 min   6,200        3  file:a91f3c55       |
|   3735928559  storage  old        12 d       0        3  file:a91f3c55       |
|    314159265  raft     active     12 d       0        3  file:a91f3c55       |
+------------------------------------------------------------------------------+
+- Events --------------------------------------------------- 2, newest first -+
|     4 min  rotate-dek               done    ana@laptop  storage              |
|     4 min  enable-storage-envelope  done    ana@laptop                       |
+------------------------------------------------------------------------------+
 Tab pane   Enter details   i issues   Up/Dn move   ? help   q leave`,
  );
});

Deno.test("Dashboard shows one pane at a time on 60x20", async () => {
  const size = { columns: 60, rows: 20 };
  await using screen = await renderScreen(dashboard(FULL), size);
  assert.match(screen.frame(), /\[Members\] {3}Traffic {4}Keys {4}Events/);
  assert.match(screen.frame(), /> n1 {4}follower/);
  await screen.press("\t");
  assert.match(screen.frame(), /\[Traffic\]/);
  await screen.press("\x1b[B");
  assert.match(screen.frame(), /Traffic of n1, Up\/Dn another/);
  await screen.press("\t\t");
  assert.match(screen.frame(), /\[Events\]/);
  assert.match(screen.frame(), /> +4 min {2}rotate-dek/);
});

Deno.test("Dashboard fits every terminal, whatever it shows", async () => {
  const many = seenOf({
    status: statusOf(
      ...Array.from({ length: 9 }, (_, at) => memberOf(`n${at + 1}`)),
    ),
    events: Array.from({ length: 50 }, (_, at) => eventOf(at + 1)),
  });
  for (const seen of [FULL, seenOf(), many]) {
    await using screen = await renderScreen(dashboard(seen), SIZES[0]);
    for (const size of SIZES) {
      await screen.resize(size);
      assertFits(screen, size);
    }
    await screen.resize(SIZES[0]);
    for (const keys of ["i", "?", "?", "\t", "\t", "\r"]) {
      await screen.press(keys);
      assertFits(screen, SIZES[0]);
    }
  }
});

Deno.test("Dashboard shows details, and those of the next row", async () => {
  await using screen = await renderScreen(dashboard(FULL));
  await screen.press("\r");
  assert.match(screen.frame(), /> Member n1/);
  assert.match(screen.frame(), /disk free {5}70.0 GiB of 100 GiB, 70 %/);
  await screen.press("\x1b[C");
  await screen.press("\x1b[C");
  assert.match(screen.frame(), /> Member n3/);
  assert.match(screen.frame(), /issue {9}it is down/);
  await screen.press("\x1b");
  assert.match(screen.frame(), /> n3 {4}follower/);
  await screen.press("\t\t");
  await screen.press("\r");
  assert.match(screen.frame(), /> Key 271828182/);
  await screen.press("\x1b");
  await screen.press("\t\r");
  assert.match(screen.frame(), /> Event 95/);
});

Deno.test("Dashboard keeps what is chosen while rows come and go", async () => {
  await using screen = await renderScreen(dashboard(FULL));
  await screen.press("\t\t\t");
  await screen.press("\x1b[B");
  assert.match(screen.frame(), /> +4 min {2}enable-storage-envelope/);
  const events = [...FULL.events, eventOf(99, { action: "scrub" })];
  await screen.rerender(dashboard({ ...FULL, events }));
  assert.match(screen.frame(), /> +4 min {2}enable-storage-envelope/);
  assert.match(screen.frame(), / 4 min {2}scrub/);
});

Deno.test("Dashboard says what is wrong, and since when nobody answers", async () => {
  const silence = "http://10.0.0.1:4514: it is silent";
  const seen = { ...FULL, silence, atMs: NOW_MS - 9_000 };
  await using screen = await renderScreen(dashboard(seen));
  assert.match(screen.frame(), /NO ANSWER for 9 s \(i\)/);
  await screen.press("i");
  assert.match(screen.frame(), /\[!\] cluster {2}nobody answers: http/);
  assert.match(screen.frame(), /\[!\] n3 {7}it is down/);
});

Deno.test("Dashboard scrolls no further than there is something", async () => {
  const size = { columns: 60, rows: 18 };
  await using screen = await renderScreen(dashboard(FULL), size);
  await screen.press("\r");
  assert.match(screen.frame(), /\d below/);
  await screen.press("G");
  assert.match(screen.frame(), /\d above/);
  assert.doesNotMatch(screen.frame(), /below/);
  await screen.resize({ columns: 120, rows: 34 });
  assert.match(screen.frame(), /role/);
  assert.doesNotMatch(screen.frame(), /above/);
});

Deno.test("Dashboard ends by q with 0 and by Ctrl-C with 130", async () => {
  for (const [key, expected] of [["q", 0], ["\x03", 130]] as const) {
    const codes: number[] = [];
    const element = dashboard(FULL, (code) => codes.push(code));
    await using screen = await renderScreen(element);
    await screen.press(key);
    assert.deepEqual(codes, [expected]);
  }
});

Deno.test("Dashboard draws lines and blocks where they are known", async () => {
  await using screen = await renderScreen(dashboard(FULL), { isUnicode: true });
  assert.match(screen.frame(), /┌─ > Members/);
  assert.match(screen.frame(), /requests +3,100\/s +▄▄▅▆█/);
});

Deno.test("Dashboard says by colour what its words say, where there are some", async () => {
  const colored = <Colored>{dashboard(FULL)}</Colored>;
  await using screen = await renderScreen(colored);
  assert.ok(screen.raw().includes("\x1b[1m\x1b[31mNO"));
  await using plain = await renderScreen(dashboard(FULL));
  assert.ok(!plain.raw().includes("\x1b["));
  assert.equal(screen.frame(), plain.frame());
});

function Colored({ children }: { readonly children: ReactNode }) {
  const look = { isUnicode: false, isColored: true };
  return <LookContext.Provider value={look}>{children}</LookContext.Provider>;
}
