import { fullNodeId } from "../../base/identity.ts";
import { NodeIdCollisionError } from "./errors.ts";
import { nonceRival } from "./nonce_rival.ts";

/** What a change comes to, in words. */
export interface Outline {
  /** One line each, for people. */
  readonly steps: readonly string[];
  /** False when all is as asked already. */
  readonly isNeeded: boolean;
  /** Of the entry that did it before; 0 for none. */
  readonly index: number;
}

export function done(what: string, index: number): Outline {
  return { steps: [what], isNeeded: false, index };
}

export function needed(steps: readonly string[]): Outline {
  return { steps, isNeeded: true, index: 0 };
}

type Named = readonly { readonly name: string }[];

export function namesOf(members: Named): string {
  return members.map(({ name }) => `"${name}"`).join(", ");
}

/** The first step of whatever every member has to take part in. */
export function askStep(members: Named): string {
  return `ask ${namesOf(members)} to prove that they can use encryption`;
}

export function drawStep(kekIds: readonly string[]): string {
  return `draw a storage, a raft and a state key, wrapped under ${
    kekIds.join(", ")
  }`;
}

/** @throws {NodeIdCollisionError} Two members would seal under the same nonces. */
export function mustNotCollide(members: Named): void {
  const ids = members.map(({ name }) => fullNodeId(name));
  for (const { name } of members) {
    const rival = nonceRival(name, ids);
    if (rival !== null) throw new NodeIdCollisionError(name, rival);
  }
}
