import type {
  AdminClient,
  ChangeOptions,
  ClusterChangeUnderWay,
  ClusterEvent,
  ClusterRewriteProgress,
  ClusterScan,
  ClusterStatus,
  EncryptionOutcome,
  MemberEncryption,
} from "../../../src/admin/client.ts";
import { AdminOutcomeUnknownError } from "../../../src/admin/errors.ts";
import type { RolloutSnapshot } from "../../../src/rollout/snapshot.ts";
import { eventOf, isFrom, type Rung, snapshotAt, taskOf } from "./snapshots.ts";

export interface AskedCall {
  readonly kind: string;
  readonly of: unknown;
  readonly options: ChangeOptions;
}

/** What becomes of a call besides an outcome. */
export type Fate =
  | Error
  /** It was done, and no answer comes. */
  | "done-unanswered"
  /** No answer ever comes, and nothing is done. */
  | "hangs";

const CLIMBS: Readonly<Record<string, Rung>> = {
  "enable-storage-envelope": "stored",
  "start-rewrite": "rewritten",
  "resume-rewrite": "rewritten",
  "seal-cleartext": "locked",
  "enable-raft-envelope": "sealed",
  "scrub": "scrubbed",
  "rotate-dek": "rotated",
};
const INDEX = 950n;

/** A cluster of three that does at once what it is asked to. */
export class ClimbingCluster {
  rung: Rung;
  /** Changes, rehearsals left out. */
  readonly asked: AskedCall[] = [];
  /** By kind; used up one by one. */
  readonly fates: Record<string, Fate[]> = {};
  readonly events: ClusterEvent[] = [];
  /** Looks at the rewrite; after them it is as the rung says. */
  rewrites: (ClusterRewriteProgress | Error)[] = [];
  /** Looks at a change; after them there is none. */
  underWay: (ClusterChangeUnderWay | (() => void))[] = [];
  /** What counts of records fail with, one by one. */
  lostCounts: Error[] = [];
  /** After a change the next status but one is of a later leader. */
  isLeaderLost = false;
  /** Of the look at members with this number, counted from 1. */
  silentLooks: Readonly<Record<number, string>> = {};
  given: Partial<RolloutSnapshot> = {};
  retired: number[] = [];
  cleartext = 0n;
  #looks = 0;
  #statuses = 0;

  constructor(rung: Rung) {
    this.rung = rung;
  }

  get snapshot(): RolloutSnapshot {
    return snapshotAt(this.rung, this.given);
  }

  get kinds(): readonly string[] {
    return this.asked.map(({ kind }) => kind);
  }

  client(): AdminClient {
    const ask = (kind: string) => (options: ChangeOptions = {}) =>
      this.#change({ kind, of: undefined, options });
    const askOf =
      (kind: string) => (of: unknown, options: ChangeOptions = {}) =>
        this.#change({ kind, of, options });
    const calls: Partial<AdminClient> = {
      getStatus: async () => this.#status(),
      encryptionOfMembers: async () => this.#members(),
      encryptionState: async () => this.#members()[0]!.encryption!,
      capabilities: async () => this.snapshot.capabilities ?? [],
      rollout: async () => this.snapshot.rollout!,
      events: async () => [...this.snapshot.events, ...this.events],
      vitalsOfMembers: async () => this.snapshot.vitals,
      changeUnderWay: async () => this.#underWay(),
      watchRewrite: (signal) => this.#watchRewrite(signal),
      verifyRecords: () => this.#verify(),
      enableStorageEnvelope: ask("enable-storage-envelope"),
      enableRaftEnvelope: ask("enable-raft-envelope"),
      sealCleartext: ask("seal-cleartext"),
      pauseRewrite: ask("pause-rewrite"),
      startRewrite: askOf("start-rewrite"),
      resumeRewrite: askOf("resume-rewrite"),
      scrub: askOf("scrub"),
      updateRollout: askOf("update-rollout"),
      rotateDek: askOf("rotate-dek"),
      retireDek: askOf("retire-dek"),
    };
    return calls as AdminClient;
  }

  #status(): ClusterStatus {
    const { status } = this.snapshot;
    if (!this.isLeaderLost || this.asked.length === 0) return status;
    this.#statuses += 1;
    const term = status.term + BigInt(Math.min(1, this.#statuses - 1));
    return { ...status, term };
  }

  #members(): readonly MemberEncryption[] {
    this.#looks += 1;
    const silent = this.silentLooks[this.#looks];
    return this.snapshot.members.map((one) =>
      one.encryption === null ? one : one.member === silent
        ? {
          member: one.member,
          encryption: null,
          failure: new AdminOutcomeUnknownError("n3"),
        }
        : {
          ...one,
          encryption: { ...one.encryption, retired: this.retired },
        }
    );
  }

  async #change(call: AskedCall): Promise<EncryptionOutcome> {
    const plan = { hash: "0123456789abcdef", steps: ["a step"] };
    if (call.options.dryRun === true) {
      return { plan, changed: false, index: 0n, unreachable: [] };
    }
    this.asked.push(call);
    const fate = this.fates[call.kind]?.shift();
    if (fate instanceof Error) throw fate;
    if (fate === "hangs") return await hang(call.options.signal);
    this.#climb(call);
    if (fate === "done-unanswered") throw new AdminOutcomeUnknownError("n2");
    return { plan, changed: true, index: INDEX, unreachable: [] };
  }

  #climb({ kind, of }: AskedCall): void {
    if (kind === "retire-dek") this.retired = [...this.retired, Number(of)];
    if (kind === "update-rollout") {
      const { rewrite } = this.snapshot.rollout!;
      const dwellUntilMs = BigInt(Number(of));
      this.given = { ...this.given, rollout: { rewrite, dwellUntilMs } };
    }
    const rung = CLIMBS[kind];
    if (rung !== undefined && !isFrom(this.rung, rung)) this.rung = rung;
    if (kind === "scrub") {
      this.events.push(eventOf({ index: INDEX, action: "scrub" }));
    }
  }

  #underWay(): ClusterChangeUnderWay | null {
    const next = this.underWay.shift();
    if (typeof next !== "function") return next ?? null;
    next();
    return null;
  }

  async *#watchRewrite(
    signal = new AbortController().signal,
  ): AsyncGenerator<ClusterRewriteProgress, void> {
    while (!signal.aborted) {
      const next = this.rewrites.shift();
      if (next instanceof Error) throw next;
      if (next === undefined) {
        yield this.snapshot.rewrite!;
        return;
      }
      yield next;
    }
  }

  async *#verify(): AsyncGenerator<readonly ClusterScan[], void> {
    const lost = this.lostCounts.shift();
    if (lost !== undefined) throw lost;
    const names = this.snapshot.members.map(({ member }) => member);
    yield names.map((name) => ({
      ...taskOf(name),
      counts: { cleartext: this.cleartext, sealed: [] },
    }));
  }
}

function hang(signal: AbortSignal | undefined): Promise<never> {
  return new Promise((_, reject) => {
    signal?.addEventListener(
      "abort",
      () => reject(new AdminOutcomeUnknownError("n2")),
    );
  });
}
