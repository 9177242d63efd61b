import type { EncryptionRequest } from "../../../../src/node/encryption_port.ts";
import { fail } from "../../raft/checkers.ts";
import type { World } from "../world.ts";
import { nextStep } from "./ladder.ts";

/** Each step is done within that in peace, virtual ms. */
const STEP_MS_MAX = 12_000;
const AGAIN_MS = 100;

/**
 * Takes the cluster up all of the ladder, from wherever it stands: in peace
 * every rollout ends in phase 2, and no client's write is refused meanwhile.
 *
 * @throws {SimFailure}
 */
export async function climb(world: World): Promise<void> {
  const { unserved } = world;
  const before = standing(world);
  while (world.truth.fsm.encryption.raftCutoverIndex === 0) {
    const step = nextStep(world.truth.fsm);
    await take(world, step);
    if (step.kind === "start-rewrite") await rewritten(world);
  }
  await lock(world);
  await take(world, { kind: "scrub", members: [] });
  await replaceKey(world);
  await agree(world);
  if (before === standing(world) && world.unserved > unserved) {
    const count = world.unserved - unserved;
    fail("RolloutUnserved", `${count} writes in peace, under ${before}`);
  }
  world.note("all is sealed");
}

/** The lock may have been passed by. */
async function lock(world: World): Promise<void> {
  if (world.truth.fsm.encryption.cleartextLockIndex > 0) return;
  await rewritten(world);
  await take(world, { kind: "seal-cleartext" });
}

/** A new storage key takes the place of all before, which are forgotten. */
async function replaceKey(world: World): Promise<void> {
  await take(world, { kind: "rotate-dek", purpose: "storage" });
  await rewritten(world);
  const { active, keys } = world.truth.fsm.encryption;
  for (const { id, purpose } of keys.values()) {
    if (purpose !== "storage" || id === active.storage) continue;
    await take(world, { kind: "retire-dek", keyId: id });
  }
}

/** Every member has re-sealed what it had to. */
async function rewritten(world: World): Promise<void> {
  const { rewrite } = world.truth.fsm.rollout;
  await take(
    world,
    rewrite === null
      ? { kind: "start-rewrite", bytesPerSecond: 0 }
      : { kind: "resume-rewrite", bytesPerSecond: 0 },
  );
  await within(world, "rewrite", async () => {
    const host = world.leader();
    if (host === null) return false;
    const answer = await world.asking.ask(
      host,
      async (node) => await node.encryption?.rewriteProgress() ?? [],
    );
    return answer.kind === "answered" &&
      answer.value.length === world.truth.members().length &&
      answer.value.every(({ state }) => state === "done");
  });
}

/** All members say that they are in phase 2. */
async function agree(world: World): Promise<void> {
  await within(world, "phase 2 everywhere", () => {
    const phases = world.hosts.map(({ node }) => node?.status().phase);
    return Promise.resolve(phases.every((phase) => phase === 2));
  });
}

function take(world: World, request: EncryptionRequest): Promise<void> {
  const { keyOperator } = world;
  return within(
    world,
    request.kind,
    () => keyOperator?.change(request) ?? Promise.resolve(true),
  );
}

async function within(
  world: World,
  what: string,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const until = world.now + STEP_MS_MAX;
  while (!await isDone()) {
    if (world.now > until) fail("RolloutLiveness", what);
    await world.asking.pass(AGAIN_MS);
  }
}

/** Who leads, and since when. */
function standing(world: World): string {
  const leader = world.leader();
  return `${leader?.name} in term ${leader?.node?.status().term}`;
}
