import type {
  AdminClient,
  ChangeOptions,
  ChangeOutcome,
  ClusterChangeUnderWay,
  ClusterEvent,
  ClusterRewriteProgress,
  ClusterRollout,
  ClusterScan,
  ClusterStatus,
  EncryptionOutcome,
  MemberEncryption,
  MemberVitals,
  NewMember,
} from "../../../src/admin/client.ts";
import type { RolloutCalls } from "../../../src/admin/rollout_client.ts";
import type { DataDirRebuild, RebuildPlace } from "../../../src/app/rebuild.ts";
import type { NodeConfig } from "../../../src/app/config.ts";
import type { RunningNode } from "../../../src/app/running_node.ts";
import { AdminUnreachableError } from "../../../src/admin/errors.ts";
import { run } from "../../../src/cli/run.ts";
import type { Services } from "../../../src/cli/services.ts";
import type { Output } from "../../../src/cli/terminal.ts";
import type { Timer } from "../../../src/io/clock.ts";
import type { StopSignal } from "../../../src/io/process.ts";
import { memoryFiles } from "../../sim/io/files.ts";

export const ACCESS_TOKEN = "access-token-123";
export const ADMIN_TOKEN = "admin-token-123";

export interface World {
  readonly kv?: Deno.Kv;
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly input?: string | Uint8Array<ArrayBuffer>;
  readonly isTerminal?: boolean;
  /**
   * Answers of the admin client, in order; the last one stays. A watch tells
   * what is left of them, an unreachable cluster as silence.
   */
  readonly statuses?: readonly (ClusterStatus | Error)[];
  /** Called when a watch has told everything; else it waits. */
  readonly onWatchEnd?: (signal: (s: StopSignal) => void) => void;
  /** Answers changes of members; throws to refuse. */
  readonly change?: (change: AskedChange) => ChangeOutcome;
  /** The leader's state, for a sidecar. */
  readonly resyncState?: AdminClient["resyncState"];
  /** What members say about encryption. */
  readonly encryption?: readonly MemberEncryption[] | Error;
  /** Answers changes of encryption; throws to refuse. */
  readonly changeEncryption?: (
    change: AskedEncryptionChange,
  ) => EncryptionOutcome | Promise<EncryptionOutcome>;
  readonly rollout?: ClusterRollout;
  readonly vitals?: readonly MemberVitals[];
  /** Asked each time; throws for a cluster that cannot say. */
  readonly changeUnderWay?: () => ClusterChangeUnderWay | null;
  readonly events?: readonly ClusterEvent[];
  /** Looks at the rewrite, in order; then it stays silent. */
  readonly progress?: readonly (ClusterRewriteProgress | Error)[];
  /** Looks at members that count, in order; then they have ended. */
  readonly scans?: (
    members: readonly string[],
  ) => readonly ((readonly ClusterScan[]) | Error)[];
  /** Counts do not end by themselves. */
  readonly isWatchEndless?: boolean;
  readonly generateKek?: (path: string) => Promise<{ readonly id: string }>;
  readonly openRebuild?: (place: RebuildPlace) => Promise<DataDirRebuild>;
  readonly runDoctor?: Services["runDoctor"];
  readonly resyncSidecar?: Services["resyncSidecar"];
  readonly createBackup?: Services["createBackup"];
  readonly verifyBackup?: Services["verifyBackup"];
  readonly restoreBackup?: Services["restoreBackup"];
  /** What the cluster sends as a backup. */
  readonly backup?: AdminClient["backup"];
  /** Someone types at the terminal. */
  readonly isInteractive?: boolean;
  readonly startNode?: (config: NodeConfig) => Promise<RunningNode>;
  /** Status of the metadata exchange, or none at all. */
  readonly metadataStatus?: number | null;
  /** Hears everything that is printed on standard output. */
  readonly onOutput?: (text: string) => void;
  /** Calls that never answer. */
  readonly isSilent?: boolean;
  /** Called before each timer of the command fires, with its number. */
  readonly onTimer?: (count: number, signal: (s: StopSignal) => void) => void;
}

/** A change as a command asked for it. */
export interface AskedChange {
  readonly kind: "add" | "promote" | "remove" | "transfer-leader";
  readonly member: NewMember | string;
  readonly options: ChangeOptions;
}

/** A change of encryption as a command asked for it. */
export interface AskedEncryptionChange {
  readonly kind: string;
  readonly options: ChangeOptions;
  /** What it is about: purpose, ids, names, a rate or a time. */
  readonly of?: unknown;
}

export interface Outcome {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly outBytes: Uint8Array;
}

const DEFAULT_ENV = {
  SEALKV_ACCESS_TOKEN: ACCESS_TOKEN,
  SEALKV_ADMIN_TOKEN: ADMIN_TOKEN,
  HOME: "/home/ana",
};

/** Runs one command line in a world of its own. */
export async function runIn(
  world: World,
  ...args: readonly string[]
): Promise<Outcome> {
  const out = recordingOutput(world.isTerminal ?? false, world.onOutput);
  const err = recordingOutput(world.isTerminal ?? false);
  const code = await run(args, fakeServices(world, out, err));
  return { code, out: out.text(), err: err.text(), outBytes: out.bytes() };
}

export function fakeServices(
  world: World,
  out: Output = recordingOutput(false),
  err: Output = recordingOutput(false),
): Services {
  const env: Readonly<Record<string, string>> = world.env ?? DEFAULT_ENV;
  const signals = new Set<(signal: StopSignal) => void>();
  const raise = (signal: StopSignal) => {
    for (const handler of signals) handler(signal);
  };
  return {
    terminal: {
      out,
      err,
      input: () => streamOf(world.input ?? ""),
      isInteractive: world.isInteractive ?? false,
      env: (name) => env[name],
    },
    clock: eagerClock(world, raise),
    files: memoryFiles(world.files),
    process: {
      env: (name) => env[name],
      deleteEnv() {},
      onStopSignal(handler) {
        signals.add(handler);
        return { cancel: () => void signals.delete(handler) };
      },
      exec: () => Promise.reject(new Error("not part of this test")),
      residentBytes: () => 0,
    },
    // Screens have tests of their own, in tests/tui.
    screen: {
      isTerminal: false,
      canStop: false,
      hold: () => ({ release() {} }),
      stop() {},
    },
    httpClient: () => ({
      fetch: (request) => metadata(world, request),
      close() {},
    }),
    adminClient: () => fakeAdmin(world, raise),
    actor: () => "ana@laptop",
    generateKek: world.generateKek ??
      (() => Promise.reject(new Error("no KEK"))),
    openRebuild: world.openRebuild ??
      (() => Promise.reject(new Error("no data dir"))),
    runDoctor: world.runDoctor ??
      (() => Promise.reject(new Error("no data dir"))),
    resyncSidecar: world.resyncSidecar ??
      (() => Promise.reject(new Error("no data dir"))),
    createBackup: world.createBackup ??
      (() => Promise.reject(new Error("no file"))),
    verifyBackup: world.verifyBackup ??
      (() => Promise.reject(new Error("no file"))),
    restoreBackup: world.restoreBackup ??
      (() => Promise.reject(new Error("no file"))),
    startNode: world.startNode ?? (() => Promise.reject(new Error("no node"))),
    openKv: () =>
      world.kv === undefined
        ? Promise.reject(new TypeError("no database"))
        : Promise.resolve(keptOpen(world.kv)),
    openInput(path) {
      const text = world.files?.[path];
      return text === undefined
        ? Promise.reject(new Deno.errors.NotFound("No such file"))
        : Promise.resolve(streamOf(text));
    },
  };
}

function metadata(world: World, request: Request): Promise<Response> {
  if (world.isSilent) return new Promise(() => {});
  if (world.metadataStatus === null) {
    return Promise.reject(new TypeError("connection refused"));
  }
  const isKnown =
    request.headers.get("authorization") === `Bearer ${ACCESS_TOKEN}`;
  const status = world.metadataStatus ?? (isKnown ? 200 : 401);
  return Promise.resolve(new Response("{}", { status }));
}

/** Time that passes at once: a timer fires as soon as all else is idle. */
function eagerClock(world: World, raise: (signal: StopSignal) => void) {
  let nowMs = 0;
  let count = 0;
  return {
    wallMs: () => nowMs,
    monotonicMs: () => nowMs,
    soon: (task: () => void) => queueMicrotask(task),
    after(delayMs: number, task: () => void): Timer {
      const isWait = world.onTimer !== undefined || world.isSilent === true;
      if (!isWait) return { cancel() {} };
      const id = setTimeout(() => {
        nowMs += delayMs;
        count += 1;
        world.onTimer?.(count, raise);
        task();
      });
      return { cancel: () => clearTimeout(id) };
    },
  };
}

function fakeAdmin(
  world: World,
  raise: (signal: StopSignal) => void,
): AdminClient {
  const answers = world.statuses ?? [];
  let next = 0;
  const change = async (
    kind: AskedChange["kind"],
    member: NewMember | string,
    options: ChangeOptions = {},
  ) => {
    if (world.change === undefined) throw new Error("no change is expected");
    return world.change({ kind, member, options });
  };
  return {
    async getStatus() {
      const answer = answers[Math.min(next, answers.length - 1)];
      next += 1;
      if (answer === undefined) throw new Error("no answer");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    async *watchStatus(signal = new AbortController().signal) {
      const rest = next >= answers.length
        ? answers.slice(-1)
        : answers.slice(next);
      for (const answer of rest) {
        if (signal.aborted) return;
        if (!(answer instanceof Error)) {
          yield { kind: "status", status: answer };
        } else if (!(answer instanceof AdminUnreachableError)) throw answer;
        else yield { kind: "silence", sinceMs: 1_500, reason: answer.message };
      }
      world.onWatchEnd?.(raise);
      if (signal.aborted) return;
      await new Promise((resolve) => {
        signal.addEventListener("abort", resolve);
      });
    },
    vitalsOfMembers: async () => world.vitals ?? [],
    ...fakeEncryptionCalls(world),
    addMember: (member, options) => change("add", member, options),
    promoteMember: (name, options) => change("promote", name, options),
    removeMember: (name, options) => change("remove", name, options),
    transferLeader: (name, options) => change("transfer-leader", name, options),
    backup: world.backup ?? (() => {
      throw new Error("not part of this test");
    }),
    close() {},
  };
}

function fakeEncryptionCalls(world: World) {
  const never = () => Promise.reject(new Error("not part of this test"));
  const change = (kind: string) => async (options: ChangeOptions = {}) =>
    answered(world, { kind, options });
  return {
    encryptionState: never,
    async encryptionOfMembers() {
      const answer = world.encryption;
      if (answer === undefined) throw new Error("no answer");
      if (answer instanceof Error) throw answer;
      return answer;
    },
    capabilities: never,
    getCapability: never,
    resyncState: world.resyncState ?? never,
    bootstrap: change("bootstrap"),
    rotateDek: async (of: string, options: ChangeOptions = {}) =>
      answered(world, { kind: "rotate-dek", of, options }),
    rewrapDeks: async (of: readonly string[], options: ChangeOptions = {}) =>
      answered(world, { kind: "rewrap-deks", of, options }),
    registerWriter: never,
    retireDek: (of: number, options: ChangeOptions = {}) =>
      answered(world, { kind: "retire-dek", of, options }),
    enableStorageEnvelope: change("enable-storage-envelope"),
    enableRaftEnvelope: change("enable-raft-envelope"),
    sealCleartext: change("seal-cleartext"),
    startRewrite: (of: number, options: ChangeOptions = {}) =>
      answered(world, { kind: "start-rewrite", of, options }),
    pauseRewrite: change("pause-rewrite"),
    resumeRewrite: (of: number | null, options: ChangeOptions = {}) =>
      answered(world, { kind: "resume-rewrite", of, options }),
    scrub: (of: readonly string[], options: ChangeOptions = {}) =>
      answered(world, { kind: "scrub", of, options }),
    updateRollout: (of: number, options: ChangeOptions = {}) =>
      answered(world, { kind: "update-rollout", of, options }),
    ...fakeRollout(world),
  };
}

function fakeRollout(world: World): RolloutCalls {
  return {
    rollout: async () => world.rollout ?? { rewrite: null, dwellUntilMs: 0n },
    events: async () => world.events ?? [],
    changeUnderWay: async () => world.changeUnderWay?.() ?? null,
    watchRewrite: (signal) => told(world.progress ?? [], signal),
    verifyRecords: (members, signal) =>
      told(
        world.scans?.(members) ?? [],
        signal,
        world.isWatchEndless !== true,
      ),
  };
}

/** Everything that is to be told; then waits, unless the end is the end. */
async function* told<T>(
  items: readonly (T | Error)[],
  signal = new AbortController().signal,
  isEnding = false,
): AsyncGenerator<T, void> {
  for (const item of items) {
    if (signal.aborted) return;
    if (item instanceof Error) throw item;
    yield item;
  }
  if (isEnding || signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve));
}

async function answered(
  { changeEncryption }: World,
  change: AskedEncryptionChange,
): Promise<EncryptionOutcome> {
  if (changeEncryption === undefined) throw new Error("no change is expected");
  return await changeEncryption(change);
}

/** The test closes the database, not the command. */
function keptOpen(kv: Deno.Kv): Deno.Kv {
  return new Proxy(kv, {
    get(target, name) {
      if (name === "close") return () => {};
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });
}

function streamOf(
  data: string | Uint8Array<ArrayBuffer>,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new Blob([data]).stream() as ReadableStream<Uint8Array<ArrayBuffer>>;
}

export function recordingOutput(
  isTerminal: boolean,
  onOutput: (text: string) => void = () => {},
): Output & { text(): string; bytes(): Uint8Array } {
  const texts: string[] = [];
  const all: Uint8Array[] = [];
  const encoder = new TextEncoder();
  return {
    isTerminal,
    write(text) {
      const bytes = typeof text === "string" ? encoder.encode(text) : text;
      all.push(bytes.slice());
      const decoded = new TextDecoder().decode(bytes);
      texts.push(decoded);
      onOutput(decoded);
    },
    text: () => texts.join(""),
    bytes: () => Uint8Array.from(all.flatMap((part) => [...part])),
  };
}

/** Runs `body` with an empty database in memory. */
export async function withKv(
  body: (kv: Deno.Kv) => Promise<void>,
): Promise<void> {
  const kv = await Deno.openKv(":memory:");
  try {
    await body(kv);
  } finally {
    kv.close();
  }
}
