import { assert } from "../base/assert.ts";
import { equalBytes } from "../base/bytes.ts";
import type { SessionRow } from "./session_row.ts";
import type { Store } from "./store.ts";

/**
 * The sessions of this process, which go on when its store is replaced: what is
 * sealed from then on is sealed under them too.
 */
export class CurrentSessions {
  readonly #rows: SessionRow[] = [];
  /** End of the last call in line. */
  #line: Promise<unknown> = Promise.resolve();

  /** Inserts `row` in the store that is current when its turn comes. */
  insert(current: () => Store, row: SessionRow): Promise<boolean> {
    return this.#inLine(async () => {
      const isInserted = await current().insertSession(row);
      if (isInserted) this.#rows.push(row);
      return isInserted;
    });
  }

  /** Brings them to `next`, and makes it current before any other insertion. */
  carry(next: Store, makeCurrent: () => void): Promise<void> {
    return this.#inLine(async () => {
      for (const row of this.#rows) {
        if (await next.insertSession(row)) continue;
        const found = await next.findSession(row);
        assert(
          found !== null && equalBytes(found.salt, row.salt),
          "a session has one salt",
        );
      }
      makeCurrent();
    });
  }

  #inLine<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#line.then(work);
    this.#line = result.catch(() => {});
    return result;
  }
}
