import {
  type DatabaseNumber,
  DEFAULT_DATABASE,
  type RecordKey,
} from "../fsm/types.ts";

interface Watcher {
  readonly onChange: () => void;
}

/**
 * Who wants to hear of changes to which keys.
 *
 * A database is watched by name, because it may get its number only with its
 * first write.
 */
export class Watchers {
  readonly #byKey = new Map<string, Set<Watcher>>();
  #registry: ReadonlyMap<string, DatabaseNumber> | null = null;
  #names = new Map<DatabaseNumber, string>();

  get size(): number {
    return this.#byKey.size;
  }

  /** Registers `onChange` for each of `keys` until cancelled. */
  add(
    database: string,
    keys: readonly Uint8Array[],
    onChange: () => void,
  ): { cancel(): void } {
    const watcher: Watcher = { onChange };
    const names = keys.map((key) => watchName(database, key));
    for (const name of names) {
      const set = this.#byKey.get(name);
      if (set === undefined) this.#byKey.set(name, new Set([watcher]));
      else set.add(watcher);
    }
    return { cancel: () => this.#remove(names, watcher) };
  }

  /** Tells each watcher of `changed` once. */
  notify(
    changed: readonly RecordKey[],
    databases: ReadonlyMap<string, DatabaseNumber>,
  ): void {
    const names = this.#namesOf(databases);
    const touched = new Set<Watcher>();
    for (const { database, key } of changed) {
      const name = names.get(database) ?? "";
      const set = this.#byKey.get(watchName(name, key));
      if (set === undefined) continue;
      for (const watcher of set) touched.add(watcher);
    }
    for (const watcher of touched) watcher.onChange();
  }

  /** Tells every watcher once: anything may have changed. */
  notifyAll(): void {
    const all = new Set<Watcher>();
    for (const set of this.#byKey.values()) {
      for (const watcher of set) all.add(watcher);
    }
    for (const watcher of all) watcher.onChange();
  }

  /** Number → name, kept as long as the registry stays the same object. */
  #namesOf(
    databases: ReadonlyMap<string, DatabaseNumber>,
  ): ReadonlyMap<DatabaseNumber, string> {
    if (this.#registry !== databases) {
      this.#registry = databases;
      this.#names = new Map([[DEFAULT_DATABASE, ""]]);
      for (const [name, number] of databases) this.#names.set(number, name);
    }
    return this.#names;
  }

  #remove(names: readonly string[], watcher: Watcher): void {
    for (const name of names) {
      const set = this.#byKey.get(name);
      set?.delete(watcher);
      if (set?.size === 0) this.#byKey.delete(name);
    }
  }
}

const latin1 = new TextDecoder("latin1");

/** A database name has no "/", so the two halves cannot run together. */
function watchName(database: string, key: Uint8Array): string {
  return `${database}/${latin1.decode(key)}`;
}
