import type {
  Entry,
  HardState,
  LogIndex,
  SnapshotMetadata,
  Term,
} from "../raft/types.ts";
import type { Floor, SnapshotMark } from "./record.ts";
import type { SegmentHeader } from "./segment_header.ts";
import { TermRuns } from "./term_runs.ts";

/**
 * What the frames of a log add up to, without the entries' data.
 *
 * The `accept` methods return the rule that would be broken, or `null` after
 * they have taken the record in. The writer runs them before it writes and
 * asserts; recovery runs them on what it reads and refuses.
 *
 * Invariant: floor <= mark <= commit <= last.
 */
export class LogState {
  #hardState: HardState;
  #mark: SnapshotMetadata;
  #floor: Floor;
  #terms: TermRuns;

  private constructor(
    hardState: HardState,
    mark: SnapshotMetadata,
    floor: Floor,
    terms: TermRuns,
  ) {
    this.#hardState = hardState;
    this.#mark = mark;
    this.#floor = floor;
    this.#terms = terms;
  }

  /** The state at the start of a segment; entries before it are unknown. */
  static at(header: SegmentHeader): LogState {
    const { hardState, mark, floor, nextIndex, lastTerm } = header;
    const terms = new TermRuns(nextIndex - 1, lastTerm);
    return new LogState(hardState, mark.metadata, floor, terms);
  }

  clone(): LogState {
    const terms = this.#terms.clone();
    return new LogState(this.#hardState, this.#mark, this.#floor, terms);
  }

  get hardState(): HardState {
    return this.#hardState;
  }

  get mark(): SnapshotMetadata {
    return this.#mark;
  }

  get floor(): Floor {
    return this.#floor;
  }

  get lastIndex(): LogIndex {
    return this.#terms.last;
  }

  get lastTerm(): Term {
    return this.#terms.at(this.#terms.last) ?? 0;
  }

  /** Lowest index whose entry, or the one after it, was read. */
  get knownFrom(): LogIndex {
    return this.#terms.base;
  }

  /** Term of `index`; `null` when it is not in [knownFrom, lastIndex]. */
  termAt(index: LogIndex): Term | null {
    return this.#terms.at(index);
  }

  acceptEntry(entry: Entry): string | null {
    const { index, term } = entry;
    const last = this.#terms.last;
    if (index > last + 1) return `entry ${index} follows entry ${last}`;
    if (index <= this.#hardState.commit) {
      return `entry ${index} replaces a committed one`;
    }
    const before = this.#terms.at(index - 1);
    if (before !== null && term < before) {
      return `entry ${index} of term ${term} follows one of term ${before}`;
    }
    this.#terms.append(index, term);
    return null;
  }

  acceptHardState(next: HardState): string | null {
    const prior = this.#hardState;
    if (next.term < prior.term) return `the term goes back to ${next.term}`;
    if (next.term === prior.term && prior.vote !== 0) {
      if (next.vote !== prior.vote) {
        return `the vote of term ${next.term} changes`;
      }
    }
    if (next.commit < prior.commit) return `commit goes back to ${next.commit}`;
    if (next.commit > this.#terms.last) {
      return `commit ${next.commit} is above entry ${this.#terms.last}`;
    }
    this.#hardState = next;
    return null;
  }

  acceptMark({ install, metadata }: SnapshotMark): string | null {
    const { index, term } = metadata;
    if (index < this.#mark.index) return `the mark goes back to ${index}`;
    if (install) {
      if (index < this.#hardState.commit) {
        return `the checkpoint at ${index} is below commit`;
      }
      this.#terms = new TermRuns(index, term);
      this.#floor = { index, term };
    } else {
      const broken = this.#misplaced(metadata, "mark");
      if (broken !== null) return broken;
    }
    this.#mark = metadata;
    if (index > this.#hardState.commit) {
      this.#hardState = { ...this.#hardState, commit: index };
    }
    return null;
  }

  acceptFloor(floor: Floor): string | null {
    if (floor.index < this.#floor.index) {
      return `the floor goes back to ${floor.index}`;
    }
    if (floor.index > this.#mark.index) {
      return `the floor ${floor.index} is above the mark ${this.#mark.index}`;
    }
    const broken = this.#misplaced(floor, "floor");
    if (broken !== null) return broken;
    this.#floor = floor;
    if (floor.index >= this.#terms.base) {
      this.#terms.compact(floor.index, floor.term);
    }
    return null;
  }

  /** Checks what holds between frames; run after each. */
  acceptFrameEnd(): string | null {
    const { term } = this.#hardState;
    return term < this.lastTerm
      ? `the last entry's term ${this.lastTerm} is above term ${term}`
      : null;
  }

  #misplaced(at: Floor, what: string): string | null {
    if (at.index > this.#terms.last) {
      return `the ${what} ${at.index} is above entry ${this.#terms.last}`;
    }
    const known = this.#terms.at(at.index);
    return known !== null && known !== at.term
      ? `the ${what} names term ${at.term} for entry ${at.index} of ${known}`
      : null;
  }
}
