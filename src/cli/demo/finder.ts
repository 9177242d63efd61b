import type { Clock, Timer } from "../../io/clock.ts";
import type { DemoPlace } from "./place.ts";
import { type SearchResult, TextSearch } from "./search.ts";

/** What a look at the files of one member gave. */
export interface MemberFinding extends SearchResult {
  readonly member: string;
}

const EVERY_MS = 3_000;

/** Looks for the canary in the files of all members, again and again. */
export class DemoFinder {
  readonly #clock: Clock;
  readonly #place: DemoPlace;
  readonly #search: TextSearch;
  #last: Promise<unknown> = Promise.resolve();
  #timer: Timer | null = null;
  #isStopped = false;
  #findings: readonly MemberFinding[] | null = null;

  constructor(clock: Clock, place: DemoPlace) {
    this.#clock = clock;
    this.#place = place;
    this.#search = new TextSearch(place.canary);
  }

  /** As of the last look; `null` before one. */
  get findings(): readonly MemberFinding[] | null {
    return this.#findings;
  }

  /** Looks every few seconds from now on, and only where files have changed. */
  start(): void {
    this.#timer = this.#clock.after(EVERY_MS, () => {
      void this.look(false).then(() => {
        if (!this.#isStopped) this.start();
      });
    });
  }

  /** Looks now, once an earlier look is over; `isWhole`: at every byte. */
  look(isWhole: boolean): Promise<readonly MemberFinding[]> {
    const look = this.#last.then(() => this.#look(isWhole));
    this.#last = look.catch(() => {});
    return look;
  }

  /** Resolves when no file is open any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#timer?.cancel();
    await this.#last;
  }

  async #look(isWhole: boolean): Promise<readonly MemberFinding[]> {
    const findings: MemberFinding[] = [];
    for (const { name: member, dataDir } of this.#place.members) {
      const result = await this.#search.search(dataDir, isWhole);
      findings.push({ member, ...result });
    }
    this.#findings = findings;
    return findings;
  }
}
