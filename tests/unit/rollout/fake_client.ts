import type {
  AdminClient,
  ChangeOptions,
  EncryptionOutcome,
} from "../../../src/admin/client.ts";
import { AdminNoLeaderError } from "../../../src/admin/errors.ts";
import type { Clock } from "../../../src/io/clock.ts";
import type { RolloutSnapshot } from "../../../src/rollout/snapshot.ts";
import { NOW_MS } from "./snapshots.ts";

export const PLAN_HASH = "0123456789abcdef";

/** A client of a cluster that is as `snapshot` says, and what it is asked. */
export interface FakeCluster {
  readonly client: AdminClient;
  /** Names of calls, in order; dry runs with their accepted risks. */
  readonly calls: string[];
  /** Calls that fail as they do without a leader. */
  readonly failing: Set<string>;
}

export function fakeCluster(snapshot: () => RolloutSnapshot): FakeCluster {
  const calls: string[] = [];
  const failing = new Set<string>();
  const asked = (name: string) => {
    calls.push(name);
    if (failing.has(name)) throw new AdminNoLeaderError(1);
  };
  const read =
    <T>(name: string, of: (snapshot: RolloutSnapshot) => T) => async () => {
      asked(name);
      return of(snapshot());
    };
  const dry = (name: string, options: ChangeOptions): EncryptionOutcome => {
    asked([name, ...options.accept ?? []].join(" "));
    if (options.dryRun !== true) throw new Error(`${name} is no dry run`);
    const plan = { hash: PLAN_HASH, steps: [name] };
    return { plan, changed: false, index: 0n, unreachable: [] };
  };
  const client: Partial<AdminClient> = {
    getStatus: read("status", ({ status }) => status),
    encryptionOfMembers: read("encryption", ({ members }) => members),
    capabilities: read("capabilities", ({ capabilities }) => {
      if (capabilities === null) throw new AdminNoLeaderError(1);
      return capabilities;
    }),
    rollout: read("rollout", ({ rollout }) => {
      if (rollout === null) throw new AdminNoLeaderError(1);
      return rollout;
    }),
    changeUnderWay: read("under way", ({ underWay }) => underWay),
    events: read("events", ({ events }) => events),
    vitalsOfMembers: read("vitals", ({ vitals }) => vitals),
    async *watchRewrite(signal = new AbortController().signal) {
      asked("rewrite");
      const { rewrite } = snapshot();
      if (rewrite !== null) yield rewrite;
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        signal.addEventListener("abort", () => resolve());
      });
    },
    enableStorageEnvelope: async (options = {}) => dry("storage", options),
    startRewrite: async (rate, options = {}) =>
      dry(`start-rewrite ${rate}`, options),
    resumeRewrite: async (rate, options = {}) =>
      dry(`resume-rewrite ${rate}`, options),
    sealCleartext: async (options = {}) => dry("seal", options),
    enableRaftEnvelope: async (options = {}) => dry("raft", options),
    scrub: async (_, options = {}) => dry("scrub", options),
    rotateDek: async (purpose, options = {}) =>
      dry(`rotate ${purpose}`, options),
    retireDek: async (keyId, options = {}) => dry(`retire ${keyId}`, options),
    updateRollout: async (untilMs, options = {}) =>
      dry(`dwell ${untilMs}`, options),
  };
  return { client: client as AdminClient, calls, failing };
}

/** Stands still; what waits for it is called as soon as all else is done. */
export function stillClock(): Clock {
  return {
    wallMs: () => NOW_MS,
    monotonicMs: () => 0,
    soon: (task) => queueMicrotask(task),
    after(_, task) {
      const id = setTimeout(task);
      return { cancel: () => clearTimeout(id) };
    },
  };
}
