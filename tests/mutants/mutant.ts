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
  /** Of the same file, changed with it: one rule may be kept in two places. */
  readonly also?: readonly Edit[];
}

interface Edit {
  readonly search: string;
  readonly replace: string;
}

/** `text` with the mutant in it. */
export function mutated(
  text: string,
  { find, replace, also = [] }: Mutant,
): string {
  return [{ search: find, replace }, ...also].reduce(
    (before, edit) => before.replace(edit.search, () => edit.replace),
    text,
  );
}

/** Texts that have to be in the file of `mutant`, once each. */
export function placesOf({ find, also = [] }: Mutant): readonly string[] {
  return [find, ...also.map(({ search }) => search)];
}

/** Mutants as files list them. */
export function listed(
  mutants: readonly (Omit<Mutant, "find"> & { readonly search: string })[],
): readonly Mutant[] {
  return mutants.map(({ search, ...mutant }) => ({ ...mutant, find: search }));
}
