import { present } from "../../base/assert.ts";
import type { Custody } from "../../keys/custody.ts";
import { gatherFacts, type GatherPorts } from "./gather.ts";
import { firstRefusal } from "./guards.ts";
import type { KeySettings } from "./open_keys.ts";

/** A start that guards judge. */
export interface GuardedStart {
  readonly dataDir: string;
  readonly node: string;
  /** Members that a new cluster is to begin with; none unless given. */
  readonly founders?: readonly string[];
  readonly keys: KeySettings;
}

/**
 * Lets the startup guards judge a data dir that is held, before anything in it
 * is opened for use; returns its keys, whose epochs are yet to be raised.
 *
 * @throws {NodeError} The first refusal; nothing was changed.
 */
export async function guardStart(
  ports: GatherPorts,
  start: GuardedStart,
): Promise<Custody> {
  const options = { ...start, isThorough: false };
  const { facts, custody } = await gatherFacts(ports, options);
  const refusal = firstRefusal(facts);
  if (refusal !== null) throw refusal;
  return present(custody, "keys that no guard speaks against");
}
