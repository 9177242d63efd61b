import { toHex } from "../../../../src/base/bytes.ts";
import type { WriteReply } from "../../../../src/fsm/types.ts";
import { fail } from "../../raft/checkers.ts";
import type { Truth } from "../truth.ts";

/** An attempt of a client that is over. Times in virtual ms. */
export interface EndedAttempt {
  readonly id: string;
  readonly calledAt: number;
  readonly returnedAt: number;
  /** "refused": its node said that nothing happened. */
  readonly outcome: WriteReply | "refused" | "unknown";
}

/**
 * Every answered write is in the log, once, with that very answer; what was
 * refused never is; versionstamps follow real time.
 */
export class AnswerChecker {
  readonly #truth: Truth;
  readonly #refused = new Set<string>();
  readonly #answered: {
    calledAt: number;
    returnedAt: number;
    stamp: string;
    id: string;
  }[] = [];

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  get answeredCount(): number {
    return this.#answered.length;
  }

  see({ id, outcome, calledAt, returnedAt }: EndedAttempt): void {
    if (outcome === "refused") {
      this.#refused.add(id);
      const [logged] = this.#truth.attempts(id);
      if (logged !== undefined) {
        fail("RefusedCommitted", `${id} is in ${logged.index}`);
      }
      return;
    }
    if (outcome === "unknown") return;
    const [logged, second] = this.#truth.attempts(id);
    if (logged === undefined) {
      fail("AnsweredUncommitted", `${id} was told: ${describe(outcome)}`);
    }
    if (second !== undefined) {
      fail("AppliedTwice", `${id} is in ${logged.index} and ${second.index}`);
    }
    const [told, due] = [describe(outcome), describe(logged.reply)];
    if (told !== due) {
      fail("WrongAnswer", `${id} was told ${told} instead of ${due}`);
    }
    if (outcome.kind !== "committed") return;
    const stamp = toHex(outcome.versionstamp);
    this.#answered.push({ calledAt, returnedAt, stamp, id });
  }

  /** Looks at the whole run. */
  end(): void {
    for (const [id, logged] of this.#truth.allAttempts()) {
      if (logged.length > 1) {
        const places = logged.map(({ index }) => index).join();
        fail("AppliedTwice", `${id} is in ${places}`);
      }
      if (this.#refused.has(id)) {
        fail("RefusedCommitted", `${id} is in ${logged[0]?.index}`);
      }
    }
    this.#checkRealTime();
  }

  /** What had been answered before a call has a smaller versionstamp. */
  #checkRealTime(): void {
    const byCall = this.#answered.toSorted((a, b) => a.calledAt - b.calledAt);
    const byReturn = this.#answered.toSorted((a, b) =>
      a.returnedAt - b.returnedAt
    );
    let largest = { stamp: "", id: "" };
    let next = 0;
    for (const answer of byCall) {
      for (
        let before = byReturn[next];
        before !== undefined && before.returnedAt < answer.calledAt;
        before = byReturn[next]
      ) {
        if (before.stamp > largest.stamp) largest = before;
        next += 1;
      }
      if (answer.stamp < largest.stamp) {
        fail("StampOrder", `${answer.id} came after ${largest.id}`);
      }
    }
  }
}

function describe(reply: WriteReply): string {
  switch (reply.kind) {
    case "committed":
      return `committed ${toHex(reply.versionstamp)}`;
    case "check-failed":
      return `check failed ${reply.failedChecks.join()}`;
    case "rejected":
      return `rejected: ${reply.reason}`;
  }
}
