import fc from "fast-check";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import type {
  RolloutChoices,
  RolloutSnapshot,
} from "../../../src/rollout/snapshot.ts";
import {
  encryptionAt,
  eventOf,
  JOB,
  memberOf,
  NAMES,
  NOW_MS,
  type Rung,
  snapshotAt,
  taskOf,
  vitalsOf,
} from "./snapshots.ts";

const rung = fc.constantFrom<Rung>(
  ...["plain", "capable", "stored", "rewriting", "rewritten"] as const,
  ...["locked", "sealed", "scrubbed", "rotated"] as const,
);
const action = fc.constantFrom(
  ...["enable-storage-envelope", "start-rewrite", "seal-cleartext", "scrub"],
  ...["enable-raft-envelope", "rotate-dek", "retire-dek", "of a new version"],
);
const task = fc.record({
  member: fc.constantFrom(...NAMES),
  state: fc.constantFrom(
    ...["waiting", "running", "paused", "done", "failed"] as const,
    ...["silent", "unknown"] as const,
  ),
  done: fc.bigInt(0n, 9n),
  total: fc.bigInt(0n, 9n),
  failure: fc.constantFrom("", "disk full"),
}).map(({ member, ...given }) => taskOf(member, given));
const event = fc.record({
  action,
  result: fc.constantFrom(
    ...["done", "unchanged", "refused", "unknown"] as const,
  ),
  index: fc.bigInt(1n, 400n),
  detail: fc.constantFrom("", "n1", "n1,n2,n3", "NODE_CUTOVER_ABORTED"),
}).map((given) => eventOf(given));
const tasks = fc.array(task, { maxLength: 3 });
const job = fc.option(
  fc.boolean().map((isPaused) => ({ ...JOB, isPaused })),
);

/** Each member on a rung of its own, with parts that are missing. */
export const snapshots: fc.Arbitrary<RolloutSnapshot> = fc.record({
  base: rung,
  leader: fc.constantFrom("", "n1", "n2"),
  cluster: fc.constantFrom("", "prod", "it's"),
  rows: fc.array(
    fc.record({
      up: fc.boolean(),
      isVoter: fc.boolean(),
      lag: fc.bigInt(0n, 2_000n),
    }),
    { maxLength: 3 },
  ),
  members: fc.array(fc.option(rung), { maxLength: 3 }),
  codes: fc.option(
    fc.array(fc.constantFrom("", "unreachable", "old-version"), {
      maxLength: 3,
    }),
  ),
  rollout: fc.option(fc.record({
    rewrite: job,
    dwellUntilMs: fc.constantFrom(0n, BigInt(NOW_MS + 1), 2n ** 63n),
  })),
  rewrite: fc.option(fc.record({ job, members: tasks })),
  underWay: fc.option(fc.record({ action, members: tasks })),
  events: fc.array(event, { maxLength: 4 }),
  isVital: fc.boolean(),
}).map((given) => {
  const { base, leader, cluster, rows, members, codes, isVital } = given;
  const { rollout, rewrite, underWay, events } = given;
  const { status } = snapshotAt(base);
  return snapshotAt(base, {
    status: {
      ...status,
      leader,
      cluster,
      members: rows.map((row, place) => memberOf(NAMES[place]!, row)),
    },
    members: members.map((on, place) => {
      const member = NAMES[place]!;
      if (on !== null) {
        return { member, encryption: encryptionAt(member, on), failure: null };
      }
      return {
        member,
        encryption: null,
        failure: new AdminUnreachableError([member]),
      };
    }),
    capabilities: codes?.map((code, place) => (
      { member: NAMES[place]!, code, message: "found", remedy: "mend" }
    )) ?? null,
    vitals: isVital ? NAMES.map(vitalsOf) : [],
    ...{ rollout, rewrite, underWay, events },
  });
});
export const choices: fc.Arbitrary<RolloutChoices> = fc.record({
  accept: fc.subarray(["short-dwell", "unrewritten"] as const),
  bytesPerSecond: fc.constantFrom(0, 1_024, 8_388_608, 12_345),
  dwellUntilMs: fc.constantFrom(0, NOW_MS + 1_000),
});
