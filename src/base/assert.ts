/** This program is wrong: never caused by bytes from network or disk. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/**
 * States what the author knows to be true here.
 *
 * @throws {InvariantError} When it is not.
 */
export function assert(holds: boolean, claim: string): asserts holds {
  if (!holds) throw new InvariantError(`Invariant broken: ${claim}`);
}

/**
 * Marks the end of an exhaustive `switch`: does not compile when a case is
 * missing.
 *
 * @throws {InvariantError} Always.
 */
export function unreachable(value: never): never {
  throw new InvariantError(`Invariant broken: unexpected ${String(value)}`);
}

/** Returns `value`, which the author knows to be present. */
export function present<T>(value: T | null | undefined, what: string): T {
  assert(value !== null && value !== undefined, `${what} is present`);
  return value;
}
