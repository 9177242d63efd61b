import type { SealingPurpose } from "../base/data_key.ts";
import { type ChangeOptions, type Terms, termsOf } from "./change_terms.ts";
import type { EncryptionChange } from "./gen/encryption_pb.ts";
import { PURPOSE_NUMBER } from "./key_purpose.ts";
import { callLeader } from "./leader_call.ts";
import {
  type CallOptions,
  callOptions,
  type LinkOptions,
  type MemberLink,
} from "./member_link.ts";

/** What became of a change of encryption. */
export interface EncryptionOutcome {
  readonly plan: { readonly hash: string; readonly steps: readonly string[] };
  /** False for a dry run, and when all was as asked already. */
  readonly changed: boolean;
  /** Of the entry that did it, or had done it before; 0 for none. */
  readonly index: bigint;
  /** Names of members that could not be asked and need not be. */
  readonly unreachable: readonly string[];
}

type Change = (options?: ChangeOptions) => Promise<EncryptionOutcome>;

/** Changes of encryption, at the leader. */
export interface EncryptionChangeCalls {
  /** Draws the three first keys. */
  bootstrap: Change;
  rotateDek(
    purpose: SealingPurpose,
    options?: ChangeOptions,
  ): Promise<EncryptionOutcome>;
  /** `keks` empty: the leader's primary one. */
  rewrapDeks(
    keks: readonly string[],
    options?: ChangeOptions,
  ): Promise<EncryptionOutcome>;
  registerWriter: Change;
  /** One-way: wants `confirm`. Takes as long as members scan. */
  retireDek(keyId: number, options?: ChangeOptions): Promise<EncryptionOutcome>;

  /** One-way: wants `confirm`. */
  enableStorageEnvelope: Change;
  /** One-way: wants `confirm`. */
  enableRaftEnvelope: Change;
  /** One-way: wants `confirm`. Takes as long as members scan. */
  sealCleartext: Change;
  /** 0: no bound. */
  startRewrite(
    bytesPerSecond: number,
    options?: ChangeOptions,
  ): Promise<EncryptionOutcome>;
  pauseRewrite: Change;
  /** `null`: at the rate of before. */
  resumeRewrite(
    bytesPerSecond: number | null,
    options?: ChangeOptions,
  ): Promise<EncryptionOutcome>;
  /** `members` empty: all. Takes as long as they copy their records. */
  scrub(
    members: readonly string[],
    options?: ChangeOptions,
  ): Promise<EncryptionOutcome>;
  /** Unix ms; 0 ends the wait. */
  updateRollout(
    dwellUntilMs: number,
    options?: ChangeOptions,
  ): Promise<EncryptionOutcome>;
}

interface ChangeCallOptions extends LinkOptions {
  readonly links: readonly MemberLink[];
}

type PlainChange = {
  [Name in keyof EncryptionChangeCalls]: EncryptionChangeCalls[Name] extends
    Change ? Change extends EncryptionChangeCalls[Name] ? Name : never
    : never;
}[keyof EncryptionChangeCalls];

type Rungs =
  | "enableStorageEnvelope"
  | "enableRaftEnvelope"
  | "sealCleartext"
  | "startRewrite"
  | "pauseRewrite"
  | "resumeRewrite"
  | "scrub"
  | "updateRollout";

/** The part of the admin client that changes encryption. */
export function encryptionChangeCalls(
  options: ChangeCallOptions,
): EncryptionChangeCalls {
  const change = changing(options);
  return { ...ofKeys(change), ...ofRungs(change) };
}

function ofKeys(
  change: SendToLeader,
): Omit<EncryptionChangeCalls, Rungs> {
  return {
    bootstrap: plain(change, "bootstrap"),
    rotateDek: (name, given) => {
      const purpose = PURPOSE_NUMBER[name];
      return change(
        given,
        (calls, terms, call) => calls.rotateDek({ purpose, ...terms }, call),
      );
    },
    rewrapDeks: (keks, given) =>
      change(
        given,
        (calls, terms, call) =>
          calls.rewrapDeks({ keks: [...keks], ...terms }, call),
      ),
    registerWriter: plain(change, "registerWriter"),
    retireDek: (keyId, given) =>
      change(
        given,
        (calls, terms, call) => calls.retireDek({ keyId, ...terms }, call),
      ),
  };
}

function ofRungs(change: SendToLeader): Pick<EncryptionChangeCalls, Rungs> {
  return {
    enableStorageEnvelope: plain(change, "enableStorageEnvelope"),
    enableRaftEnvelope: plain(change, "enableRaftEnvelope"),
    sealCleartext: plain(change, "sealCleartext"),
    startRewrite: (rate, given) => {
      const bytesPerSecond = BigInt(rate);
      return change(
        given,
        (calls, terms, call) =>
          calls.startRewrite({ bytesPerSecond, ...terms }, call),
      );
    },
    pauseRewrite: plain(change, "pauseRewrite"),
    resumeRewrite: (rate, given) => {
      const field = rate === null ? {} : { bytesPerSecond: BigInt(rate) };
      return change(
        given,
        (calls, terms, call) =>
          calls.resumeRewrite({ ...field, ...terms }, call),
      );
    },
    scrub: (members, given) =>
      change(
        given,
        (calls, terms, call) =>
          calls.scrub({ members: [...members], ...terms }, call),
      ),
    updateRollout: (untilMs, given) => {
      const dwellUntilMs = BigInt(untilMs);
      return change(
        given,
        (calls, terms, call) =>
          calls.updateRollout({ dwellUntilMs, ...terms }, call),
      );
    },
  };
}

function plain(change: SendToLeader, rpc: PlainChange): Change {
  return (given) =>
    change(given, (calls, terms, call) => calls[rpc](terms, call));
}

type SendToLeader = (
  given: ChangeOptions | undefined,
  send: SendChange,
) => Promise<EncryptionOutcome>;

function changing(options: ChangeCallOptions): SendToLeader {
  return async (given, send) => {
    const terms = termsOf(given);
    const call = changeCall(given, options);
    const reply = await callLeader(
      { ...options, isRepeatable: terms.dryRun },
      ({ encryption }) => send(encryption, terms, call),
    );
    return outcomeOf(reply.change);
  };
}

type SendChange = (
  calls: MemberLink["encryption"],
  terms: Terms,
  call: ChangeCall,
) => Promise<{ readonly change?: EncryptionChange | undefined }>;

/** How one change is sent: ended by a time or by its caller. */
type ChangeCall =
  | CallOptions
  | { readonly headers: CallOptions["headers"]; readonly signal: AbortSignal };

function changeCall(
  { dryRun = false, signal }: ChangeOptions = {},
  options: LinkOptions,
): ChangeCall {
  const call = callOptions(options);
  if (dryRun || signal === undefined) return call;
  return { headers: call.headers, signal };
}

function outcomeOf(change: EncryptionChange | undefined): EncryptionOutcome {
  const { hash = "", steps = [] } = change?.plan ?? {};
  return {
    plan: { hash, steps },
    changed: change?.changed ?? false,
    index: change?.index ?? 0n,
    unreachable: change?.unreachable ?? [],
  };
}
