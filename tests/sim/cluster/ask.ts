import { NodeError } from "../../../src/base/error.ts";
import type { SimClock } from "../io/clock.ts";
import type { Dice } from "../raft/dice.ts";
import type { Host } from "./host.ts";
import type { SimNode } from "./sim_node.ts";

/** What a client hears of one request. */
export type Answer<T> =
  | { readonly kind: "answered"; readonly value: T }
  /** Its node said that nothing happened, or was not there to hear of it. */
  | { readonly kind: "refused"; readonly code: string }
  /** The node died, fell silent, or said that it does not know. */
  | { readonly kind: "lost" };

/** How long a client waits for an answer. */
const ANSWER_MS_MAX = 8_000;
const CLIENT_DELAY_MS = 0.4;

/** Errors after which the request may have taken place. */
const UNKNOWN_CODES: readonly string[] = ["NODE_OUTCOME_UNKNOWN"];

/** Carries requests to nodes and answers back. */
export class Asking {
  readonly #time: SimClock;
  readonly #dice: Dice;

  constructor(time: SimClock, dice: Dice) {
    this.#time = time;
    this.#dice = dice;
  }

  pass(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#time.after(ms, resolve));
  }

  /** Has `host` carry out `request`. */
  ask<T>(
    host: Host,
    request: (node: SimNode) => Promise<T>,
    waitMs = ANSWER_MS_MAX,
  ): Promise<Answer<T>> {
    const { promise, resolve } = Promise.withResolvers<Answer<T>>();
    const timeout = this.#time.after(waitMs, () => resolve({ kind: "lost" }));
    const answer = (value: Answer<T>) => {
      this.#time.after(this.#delay(), () => {
        timeout.cancel();
        resolve(value);
      });
    };
    this.#time.after(this.#delay(), () => {
      const { life, node } = host;
      if (life === null || node === null) {
        return answer({ kind: "refused", code: "unreachable" });
      }
      const ended = life.whenEnded(() => answer({ kind: "lost" }));
      life.run(() => {
        attempt(node, request).then((value) => {
          ended.cancel();
          answer(value);
        });
      });
    });
    return promise;
  }

  #delay(): number {
    return this.#dice.exponential(CLIENT_DELAY_MS);
  }
}

async function attempt<T>(
  node: SimNode,
  request: (node: SimNode) => Promise<T>,
): Promise<Answer<T>> {
  try {
    return { kind: "answered", value: await request(node) };
  } catch (error) {
    // What is not typed says nothing about what happened.
    if (!(error instanceof NodeError)) return { kind: "lost" };
    if (UNKNOWN_CODES.includes(error.code)) return { kind: "lost" };
    return { kind: "refused", code: error.code };
  }
}
