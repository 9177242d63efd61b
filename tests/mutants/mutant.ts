/** A change of one place of the core that some test has to notice. */
export interface Mutant {
  readonly name: string;
  /** Below `src/raft/`. */
  readonly file: string;
  /** Occurs exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** Why no test can notice it; absent when one must. */
  readonly equivalent?: string;
}

/** Mutants as files list them. */
export function listed(
  mutants: readonly (Omit<Mutant, "find"> & { readonly search: string })[],
): readonly Mutant[] {
  return mutants.map(({ search, ...mutant }) => ({ ...mutant, find: search }));
}
