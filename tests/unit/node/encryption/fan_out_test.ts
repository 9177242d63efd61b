/*
 * Goal: a leader takes a member for capable only when it proves, now, that it
 * opens a challenge of this question, and says that all is as it must be.
 * Method: real keys and answers; one member of three does something else.
 */
import assert from "node:assert/strict";
import { fullNodeId } from "../../../../src/base/identity.ts";
import { KekUnknownError } from "../../../../src/keys/errors.ts";
import { KekUnavailableError } from "../../../../src/keys/kek_errors.ts";
import { decodeStatement } from "../../../../src/node/encryption/capability_statement.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
} from "../../../../src/node/encryption_port.ts";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import { SimDisk } from "../../../sim/io/disk.ts";
import { commandPaths, programOfTests } from "../../cli/command_tree.ts";
import { TestKek } from "../../keys/test_kek.ts";
import { custodyOf, FanOutBench, TIMEOUT_MS } from "./fan_out_bench.ts";

useTurnCrypto();

const COMMANDS = new Set(commandPaths(programOfTests()));

function commandsExist(remedy: string): void {
  for (const [, path] of remedy.matchAll(/`sealkv ([a-z]+(?: [a-z-]+)?)/g)) {
    const [first] = path!.split(" ");
    assert.ok(COMMANDS.has(path!) || COMMANDS.has(first!), path);
  }
}

type Act = (
  bench: FanOutBench,
  ask: CapabilityAsk,
) => Promise<CapabilityAnswer | null>;

/** What n2 does, what the leader finds, and what is to be done. */
const ROWS: [name: string, act: Act, code: string, remedy: RegExp][] = [
  [
    "that says nothing",
    () => Promise.resolve(null),
    "unreachable",
    /Start "n2", or reconnect it/,
  ],
  [
    "that answers as another member",
    (bench, ask) => bench.told(2, ask, { node: "n3" }),
    "wrong-node",
    /Start "n2" on its own data dir/,
  ],
  [
    "whose node id is another's",
    (bench, ask) => bench.told(2, ask, { fullNodeId: fullNodeId("n3") }),
    "wrong-node",
    /own data dir/,
  ],
  [
    "that forwards its question to another",
    (bench, ask) => bench.honest(3, ask),
    "wrong-node",
    /own data dir/,
  ],
  [
    "that forwards its question in the other's name",
    async (bench, ask) => {
      const target = fullNodeId("n3");
      const { proof } = await bench.honest(3, { ...ask, target });
      assert.equal(proof.length, 0, "a challenge is its target's");
      const { statement } = await bench.told(2, ask, {});
      return { statement, proof: new Uint8Array(32) };
    },
    "kek-unproven",
    /Restart "n2" with a --kek/,
  ],
  [
    "of another cluster",
    (bench, ask) =>
      bench.told(2, ask, { clusterId: new Uint8Array(16).fill(2) }),
    "wrong-cluster",
    /with the data dir of this cluster/,
  ],
  [
    "that speaks of an earlier term",
    (bench, ask) => bench.told(2, ask, { term: ask.term - 1 }),
    "wrong-cluster",
    /this cluster/,
  ],
  [
    "of an old version",
    (bench, ask) => bench.told(2, ask, { protocolVersion: 2 }),
    "old-version",
    /Run the same sealkv release on "n2"/,
  ],
  [
    "of a later version",
    (bench, ask) => bench.told(2, ask, { protocolVersion: 4 }),
    "",
    /^$/,
  ],
  [
    "without the flag",
    async (bench, ask) => {
      const keks = [await TestKek.of(7)];
      const custody = await custodyOf("n2", keks, { isEnabled: false });
      return await bench.honest(2, ask, custody);
    },
    "flag-missing",
    /Restart "n2" with `sealkv serve --encryption-enabled --kek URI`/,
  ],
  [
    "whose disk is full",
    async (bench, ask) => {
      const disk = new SimDisk({ seed: 2 });
      const custody = await custodyOf("n2", [await TestKek.of(7)], { disk });
      disk.capacityBytes = 0;
      return await bench.honest(2, ask, custody);
    },
    "filesystem-unfit",
    /Move the data dir of "n2" to a local filesystem/,
  ],
  [
    "with another KEK",
    async (bench, ask) =>
      await bench.honest(2, ask, await custodyOf("n2", [await TestKek.of(8)])),
    "kek-unproven",
    /with a --kek that opens wraps of this leader's KEKs; `sealkv encryption status`/,
  ],
  [
    "with another KEK of the same name",
    async (bench, ask) => {
      const { id } = await TestKek.of(7);
      const kek = await TestKek.of(8, id);
      return await bench.honest(2, ask, await custodyOf("n2", [kek]));
    },
    "kek-unproven",
    /--kek/,
  ],
  [
    "whose KEK does not answer",
    async (bench, ask) => {
      bench.kek(2).kek.isDown = true;
      return await bench.honest(2, ask);
    },
    "kek-unproven",
    /--kek/,
  ],
  [
    "that proves nothing",
    async (bench, ask) => {
      const { statement } = await bench.honest(2, ask);
      return { statement, proof: new Uint8Array(0) };
    },
    "kek-unproven",
    /--kek/,
  ],
  [
    "whose proof is another bit",
    async (bench, ask) => {
      const { statement, proof } = await bench.honest(2, ask);
      proof[31]! ^= 1;
      return { statement, proof };
    },
    "kek-unproven",
    /--kek/,
  ],
  [
    "whose statement is changed on its way",
    async (bench, ask) => {
      const { proof } = await bench.told(2, ask, { build: "1.2.3" });
      const { statement } = await bench.told(2, ask, { build: "1.2.4" });
      return { statement, proof };
    },
    "kek-unproven",
    /--kek/,
  ],
  [
    "that answers with noise, proven",
    (bench, ask) => bench.proven(2, ask, new Uint8Array(40).fill(255)),
    "malformed-answer",
    /Run the same sealkv release on "n2"/,
  ],
  [
    "that answers with nothing, proven",
    (bench, ask) => bench.proven(2, ask, new Uint8Array(0)),
    "malformed-answer",
    /same sealkv release/,
  ],
];

for (const [name, act, code, remedy] of ROWS) {
  Deno.test(`CapabilityFanOut finds a member ${name}: ${code || "proven"}`, async () => {
    const bench = await FanOutBench.of();
    bench.behaviours.set(2, (ask) => act(bench, ask));
    const verdicts = await bench.ask();
    assert.deepEqual(verdicts.map((one) => one.member), ["n1", "n2", "n3"]);
    assert.deepEqual(verdicts.map((one) => one.code), ["", code, ""]);
    const [own, found] = verdicts;
    assert.match(found!.remedy, remedy);
    commandsExist(found!.remedy);
    assert.equal(found!.message.includes('"n2"'), code !== "");
    assert.deepEqual([own!.message, own!.remedy], ["", ""]);
    assert.equal(bench.clock.nextAtMs(), null, "no timer is left");
  });
}

Deno.test("CapabilityFanOut asks all at once, in one time limit", async () => {
  const bench = await FanOutBench.of();
  bench.behaviours.set(2, () => Promise.resolve(null));
  bench.cut.add(3);
  const before = bench.clock.monotonicMs();
  assert.equal(await bench.codes(), ",unreachable,unreachable");
  assert.equal(bench.clock.monotonicMs() - before, TIMEOUT_MS);
});

Deno.test("CapabilityFanOut tries a member again that there is no way to", async () => {
  const bench = await FanOutBench.of();
  bench.cut.add(2);
  const verdicts = bench.start();
  await bench.clock.run(TIMEOUT_MS / 2);
  assert.equal(bench.asked.length, 1);
  bench.cut.clear();
  const codes = (await bench.clock.until(verdicts)).map(({ code }) => code);
  assert.deepEqual(codes, ["", "", ""]);
  assert.equal(bench.asked.length, 2, "once each");
});

Deno.test("CapabilityFanOut asks again when what was said is lost", async () => {
  const bench = await FanOutBench.of();
  let heard = 0;
  bench.behaviours.set(2, async (ask) => {
    heard += 1;
    return heard === 3 ? await bench.honest(2, ask) : null;
  });
  const startMs = bench.clock.monotonicMs();
  assert.equal(await bench.codes(), ",,");
  const tookMs = bench.clock.monotonicMs() - startMs;
  assert.ok(tookMs >= 1_000 && tookMs < 1_100, `${tookMs} ms`);
  const requests = bench.asked.map(({ request }) => request);
  assert.equal(requests.length, 4);
  assert.equal(new Set(requests).size, 2, "the same question, to each");
});

Deno.test("CapabilityFanOut drops an answer that comes too late", async () => {
  const bench = await FanOutBench.of();
  const { promise, resolve } = Promise.withResolvers<CapabilityAnswer>();
  let first: CapabilityAsk | null = null;
  bench.behaviours.set(2, (ask) => {
    first = ask;
    return promise;
  });
  assert.equal(await bench.codes(), ",unreachable,");
  bench.behaviours.set(2, () => Promise.resolve(null));
  const verdicts = bench.start();
  resolve(await bench.honest(2, first!));
  const codes = (await bench.clock.until(verdicts)).map(({ code }) => code);
  assert.deepEqual(codes, ["", "unreachable", ""]);
});

Deno.test("CapabilityFanOut takes an answer just in time, and none just after", async () => {
  for (const [ms, code] of [[-2, ""], [0, "unreachable"]] as const) {
    const bench = await FanOutBench.of();
    bench.behaviours.set(2, async (ask) => {
      const { promise, resolve } = Promise.withResolvers<void>();
      bench.clock.after(TIMEOUT_MS + ms - 1, resolve);
      await promise;
      return await bench.honest(2, ask);
    });
    assert.equal(await bench.codes(), `,${code},`, `${ms}`);
  }
});

Deno.test("CapabilityFanOut drops an answer of another member than it asked", async () => {
  const bench = await FanOutBench.of();
  bench.behaviours.set(2, async (ask) => {
    const answer = await bench.honest(2, ask);
    const kind = "capability-answer" as const;
    bench.post(3, { kind, request: ask.request, ...answer });
    return null;
  });
  assert.equal(await bench.codes(), ",unreachable,");
});

Deno.test("CapabilityFanOut takes no answer to an earlier question", async () => {
  const bench = await FanOutBench.of();
  const answers: CapabilityAnswer[] = [];
  bench.behaviours.set(2, async (ask) => {
    answers.push(await bench.honest(2, ask));
    return answers[0]!;
  });
  assert.equal(await bench.codes(), ",,");
  assert.equal(await bench.codes(), ",kek-unproven,", "of the same term");
  assert.equal(await bench.codes({ term: 8 }), ",wrong-cluster,");
});

Deno.test("CapabilityFanOut forgets who was capable", async () => {
  const bench = await FanOutBench.of();
  assert.equal(await bench.codes(), ",,");
  bench.behaviours.set(2, () => Promise.resolve(null));
  bench.behaviours.set(3, (ask) => bench.told(3, ask, { isEnabled: false }));
  assert.equal(await bench.codes(), ",unreachable,flag-missing");
});

Deno.test("CapabilityFanOut makes a challenge of its own for each question", async () => {
  const bench = await FanOutBench.of();
  await bench.codes();
  await bench.codes();
  const { secrets } = bench.kek(1).kek;
  const wrapped = new Set(secrets.map((secret) => secret.join()));
  assert.equal(
    wrapped.size,
    6,
    "three members twice, opened by the leader too",
  );
  assert.ok(secrets.every((secret) => secret.length === 32));
  assert.equal(new Set(bench.asked.map((ask) => ask.request)).size, 4);
});

Deno.test("CapabilityFanOut binds a challenge to cluster, term and member", async () => {
  const bench = await FanOutBench.of();
  await bench.codes();
  for (const ask of bench.asked) {
    const { challenges, clusterId, term, target } = ask;
    const custody = bench.custody(target === fullNodeId("n2") ? 2 : 3);
    const open = (other: Partial<CapabilityAsk>) =>
      custody.openChallenge(challenges, {
        kind: "challenge",
        ...{ clusterId, term, target, ...other },
      });
    assert.ok(await open({}) !== null);
    assert.equal(await open({ term: term + 1 }), null);
    assert.equal(await open({ target: target + 1n }), null);
    assert.equal(await open({ clusterId: new Uint8Array(16) }), null);
  }
});

Deno.test("CapabilityFanOut wraps challenges under the KEKs that are asked for alone", async () => {
  const bench = await FanOutBench.of([7, 8]);
  const [old, next] = bench.custody(1).kekIds;
  const onlyOld = await custodyOf("n2", [await TestKek.of(7)]);
  const onlyNext = await custodyOf("n3", [await TestKek.of(8)]);
  bench.behaviours.set(2, (ask) => bench.honest(2, ask, onlyOld));
  bench.behaviours.set(3, (ask) => bench.honest(3, ask, onlyNext));
  assert.equal(await bench.codes(), ",,", "one that opens is enough");
  assert.equal(await bench.codes({ keks: [next!] }), ",kek-unproven,");
  const [, , third] = await bench.ask({ keks: [old!] });
  assert.equal(third!.code, "kek-unproven");
  assert.ok(third!.message.includes(old!) && third!.remedy.includes(old!));
  const named = bench.asked.map(({ challenges }) =>
    challenges.map(({ kek }) => kek)
  );
  assert.deepEqual(named, [
    ...[[old, next], [old, next]],
    ...[[next], [next]],
    ...[[old], [old]],
  ]);
});

Deno.test("CapabilityFanOut blames no member for a KEK of the leader that is slow", async () => {
  const bench = await FanOutBench.of();
  const never = new Promise<void>(() => {});
  bench.kek(1).beforeWrap = () => never;
  const verdicts = await bench.ask();
  for (const { code, message, remedy } of verdicts) {
    assert.equal(code, "leader-kek-silent");
    assert.match(message, /no KEK of this leader .* within 2500 ms/);
    commandsExist(remedy);
  }
  assert.equal(bench.asked.length, 0);
  bench.kek(1).beforeWrap = () => {};
  bench.kek(1).beforeUnwrap = () => never;
  assert.equal(await bench.codes(), "leader-kek-silent,,", "it opens none");
  bench.kek(1).beforeUnwrap = () => {};
  bench.kek(2).beforeUnwrap = () => never;
  assert.equal(await bench.codes(), ",unreachable,", "a member's own");
});

Deno.test("CapabilityFanOut gives up when no KEK of the leader answers", async () => {
  const bench = await FanOutBench.of();
  bench.kek(1).kek.isDown = true;
  await assert.rejects(bench.ask(), KekUnavailableError);
  assert.equal(bench.clock.nextAtMs(), null);
  bench.kek(1).kek.isDown = false;
  await assert.rejects(bench.ask({ keks: ["file:00"] }), KekUnknownError);
});

Deno.test("a statement of a proven member can be read", async () => {
  const bench = await FanOutBench.of();
  await bench.codes();
  const { statement } = await bench.honest(2, bench.asked[0]!);
  assert.equal(decodeStatement(statement)!.term, 7);
});
