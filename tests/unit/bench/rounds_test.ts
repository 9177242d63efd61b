import assert from "node:assert/strict";
import { type Contender, measureRounds } from "../../../src/bench/rounds.ts";

interface Script {
  readonly system: string;
  readonly question: string;
  readonly isOurs: boolean;
  /** Requests a second of each round. */
  readonly perSecond: number[];
}

function contender(
  { perSecond, ...rest }: Script,
  order: string[],
): Contender {
  let round = 0;
  return {
    ...rest,
    run: ({ clients }) => {
      order.push(`${rest.system} ${clients}`);
      const rate = perSecond[round % perSecond.length]!;
      round += 1;
      const ms = 1_000 / rate;
      const figures = {
        ...{ count: 1, perSecond: rate, p50Ms: ms },
        ...{ p99Ms: ms, p999Ms: ms, maxMs: ms },
      };
      return Promise.resolve({ figures, answered: 10, clientCpuMs: 500 });
    },
    counters: null,
  };
}

const LOAD = { warmUpMs: 0, measureMs: 1_000 };

Deno.test("measureRounds() asks one after the other, round after round", async () => {
  const order: string[] = [];
  await measureRounds({
    ...LOAD,
    contenders: [
      contender(
        { system: "a", question: "q", isOurs: true, perSecond: [1] },
        order,
      ),
      contender(
        { system: "b", question: "q", isOurs: false, perSecond: [1] },
        order,
      ),
    ],
    clients: [1, 4],
    rounds: 2,
  });
  assert.deepEqual(order, [
    ...["a 1", "b 1", "a 1", "b 1"],
    ...["a 4", "b 4", "a 4", "b 4"],
  ]);
});

Deno.test("measureRounds() compares round by round, and takes the median then", async () => {
  const { rows, comparisons } = await measureRounds({
    ...LOAD,
    contenders: [
      contender({
        system: "a",
        question: "q",
        isOurs: true,
        perSecond: [100, 400, 900],
      }, []),
      contender({
        system: "b",
        question: "q",
        isOurs: false,
        perSecond: [100, 100, 300],
      }, []),
    ],
    clients: [1],
    rounds: 3,
  });
  assert.deepEqual(rows.map(({ figures }) => figures.perSecond), [400, 100]);
  assert.deepEqual(rows.map(({ clientCores }) => clientCores), [0.5, 0.5]);
  assert.deepEqual(comparisons, [{
    ...{ ours: "a", theirs: "b", clients: 1 },
    perSecond: 3,
    perSecondOfRounds: [1, 4, 3],
    p99: 1 / 3,
  }]);
});

Deno.test("measureRounds() compares nothing across questions", async () => {
  const { comparisons } = await measureRounds({
    ...LOAD,
    contenders: [
      contender({
        system: "a",
        question: "strong",
        isOurs: true,
        perSecond: [1],
      }, []),
      contender({
        system: "b",
        question: "eventual",
        isOurs: false,
        perSecond: [1],
      }, []),
    ],
    clients: [1],
    rounds: 1,
  });
  assert.deepEqual(comparisons, []);
});

Deno.test("measureRounds() divides costs by all answers, warm-up included", async () => {
  let syncs = 0;
  const plain = contender({
    system: "a",
    question: "q",
    isOurs: true,
    perSecond: [1],
  }, []);
  const { rows } = await measureRounds({
    ...LOAD,
    contenders: [{
      ...plain,
      counters: () =>
        Promise.resolve({
          ...{ syncs: syncs += 5, logBytes: null },
          ...{ peerBytes: null, cpuMs: null },
        }),
    }],
    clients: [1],
    rounds: 1,
  });
  assert.equal(rows[0]?.costs?.syncs, 0.5);
});
