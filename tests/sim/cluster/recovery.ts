import { fail } from "../raft/checkers.ts";
import type { Host } from "./host.ts";
import { atomicWrite, MARK_PREFIX } from "./values.ts";
import type { EncryptionRequest } from "../../../src/node/encryption_port.ts";
import { areKeysEqual, checkSidecar } from "./encryption/key_peace.ts";
import { climb } from "./rollout/climb.ts";
import type { World } from "./world.ts";

/** When all faults have ended, the cluster serves within that, virtual ms. */
const SERVES_WITHIN_MS = 12_000;
const LOOK_EVERY_MS = 100;
const CHANGE_TRIES_MAX = 40;

/**
 * Ends all faults, starts what is down, and waits until the cluster serves: a
 * leader that all know, a write through every member, all at one index.
 *
 * @throws {SimFailure} When that takes too long.
 */
export async function serveAgain(world: World): Promise<void> {
  const { asking, hosts } = world;
  endFaults(world);
  const until = world.now + SERVES_WITHIN_MS;
  const waiting = new Set(hosts);
  let count = 0;
  let marked = 0;
  while (world.now < until) {
    for (const host of hosts) {
      if (isBroken(world, host)) await world.operator.rebuild(host);
    }
    for (const host of waiting) {
      count += 1;
      const index = await world.mark(host, marker(host, count));
      if (index === null) continue;
      marked = Math.max(marked, index);
      waiting.delete(host);
    }
    if (waiting.size === 0 && areEqual(hosts, marked)) {
      world.note(`all serve again at ${marked}`);
      await handOver(world, until);
      await changeKeys(world);
      if (world.canaries !== null) await climb(world);
      return;
    }
    await asking.pass(LOOK_EVERY_MS);
    for (const host of hosts) host.start();
  }
  fail("Liveness", hosts.map(describe).join("; "));
}

/** In peace the leadership goes where the operator wants it. */
async function handOver(world: World, until: number): Promise<void> {
  const { hosts, asking } = world;
  if (hosts.length === 1) return;
  while (world.now < until) {
    const heir = hosts.find((host) => host !== world.leader());
    if (heir === undefined) break;
    if (await world.operator.transfer(heir)) return;
    await asking.pass(LOOK_EVERY_MS);
  }
  fail("Liveness", "the leadership is not handed over");
}

/** In peace the first keys are there, and others take their place. */
async function changeKeys(world: World): Promise<void> {
  const { keyOperator, asking, hosts } = world;
  if (keyOperator === null) return;
  const requests: readonly EncryptionRequest[] = [
    { kind: "bootstrap" },
    { kind: "rotate-dek", purpose: "storage" },
    { kind: "rewrap-deks", keks: [] },
    { kind: "rotate-dek", purpose: "raft" },
  ];
  for (const request of requests) {
    for (let tries = 1; !await keyOperator.change(request); tries += 1) {
      if (tries === CHANGE_TRIES_MAX) fail("KeyLiveness", request.kind);
      await asking.pass(LOOK_EVERY_MS);
    }
  }
  for (let tries = 1; !await areKeysEqual(hosts); tries += 1) {
    if (tries === CHANGE_TRIES_MAX) {
      fail("KeyLiveness", hosts.map(describe).join("; "));
    }
    await asking.pass(LOOK_EVERY_MS);
  }
  for (const host of hosts) await checkSidecar(host);
  world.note(`keys are in order`);
}

/** Its disk is not the one the cluster knows, or it was taken out. */
function isBroken({ truth }: World, host: Host): boolean {
  if (host.isForeign) return true;
  const mayBeBroken = host.damagedReads || host.isPutBack;
  if (mayBeBroken && host.node === null) return true;
  const members = truth.members();
  return members.length > 0 && !members.includes(host.name);
}

function endFaults({ network, hosts }: World): void {
  network.healAll();
  for (const host of hosts) {
    host.resume();
    host.skew.setRate(1);
    host.device.slowness = 1;
    host.device.failingCommits = 0;
    host.disk.capacityBytes = Infinity;
    host.disk.damageRead = null;
    host.disk.failSyncAt = Infinity;
    if (host.life !== null) host.life.armedAt = Infinity;
    host.start();
  }
}

function marker({ name }: Host, count: number) {
  const value = `mark.${name}.${count}`;
  return atomicWrite([], [{
    kind: "set",
    key: `${MARK_PREFIX}${name}`,
    value,
  }]);
}

function areEqual(hosts: readonly Host[], marked: number): boolean {
  const standings = hosts.map((host) => host.node?.status());
  const [first] = standings;
  if (first === undefined || first.leader === "") return false;
  return standings.every((standing) =>
    standing !== undefined && standing.leader === first.leader &&
    standing.applied === standing.commit && standing.applied >= marked &&
    standing.applied === first.applied
  );
}

function describe({ name, state, node, haltedBy }: Host): string {
  const status = node?.status();
  const at = status === undefined
    ? haltedBy?.message ?? ""
    : `leader "${status.leader}" of ${status.term}, applied ` +
      `${status.applied} of ${status.commit}`;
  return `${name} ${state} ${at}`;
}
