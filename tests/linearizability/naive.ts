import type { Model, Operation } from "./wgl.ts";

/** Tries every order of a handful of operations: what the checker must equal. */
export function isLinearizable<S, I, O>(
  { initial, step }: Model<S, I, O>,
  operations: readonly Operation<I, O>[],
): boolean {
  return explains(initial, operations);

  function explains(
    state: S,
    left: readonly Operation<I, O>[],
  ): boolean {
    const known = left.filter(({ output }) => output !== null);
    if (known.length === 0) return true;
    const firstReturn = Math.min(...known.map(({ returnedAt }) => returnedAt));
    return left.some((operation) => {
      if (operation.calledAt > firstReturn) return false;
      const after = step(state, operation.input, operation.output);
      if (after === null) return false;
      return explains(after, left.filter((other) => other !== operation));
    });
  }
}
