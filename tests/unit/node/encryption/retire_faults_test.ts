/*
 * Goal: a key is forgotten only where nothing is left under it, also at a
 * member that comes in between with records of before.
 * Method: whole nodes; a member is rebuilt of a checkpoint that is older than
 * the rotation, after the old key was retired.
 */
import assert from "node:assert/strict";
import { useTurnCrypto } from "../../../sim/io/subtle.ts";
import {
  everywhere,
  fill,
  NAMES,
  propose,
  readAll,
  retire,
  rewrite,
  rotate,
  start,
  stateOf,
} from "./member_steps.ts";
import { rebuildMember } from "./rebuild_member.ts";

useTurnCrypto();

Deno.test("a member that begins before the rotation keeps all it has when the key goes", async () => {
  const cluster = await start();
  await propose(cluster, { kind: "enable-storage-envelope" });
  await fill(cluster, 0, 20);
  const leader = await cluster.leader();
  const name = NAMES.find((one) => one !== leader)!;
  await rebuildMember(cluster, name);
  await cluster.ready();
  const old = await rotate(cluster, "storage");
  await rewrite(cluster);
  await retire(cluster, old);
  assert.equal(await cluster.leader(), leader);
  await rebuildMember(cluster, name);
  await cluster.ready();
  await everywhere(cluster, (one) => stateOf(one).retired.has(old));
  assert.equal((await readAll(cluster, name)).length, 20);
  await cluster.stop(name);
  await cluster.open(name);
  await cluster.ready();
  assert.equal((await readAll(cluster, name)).length, 20);
  await cluster.close();
});
