import type { Bytes } from "../base/bytes.ts";
import type { SealingPurpose } from "../base/data_key.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
} from "../node/encryption_port.ts";
import { type ChangeOptions, type Terms, termsOf } from "./change_terms.ts";
import {
  capabilitiesOf,
  type ClusterEncryption,
  encryptionOf,
  type MemberCapability,
} from "./encryption_status.ts";
import { AdminUnreachableError } from "./errors.ts";
import type { EncryptionChange } from "./gen/encryption_pb.ts";
import { callLeader } from "./leader_call.ts";
import { PURPOSE_NUMBER } from "./key_purpose.ts";
import {
  type CallOptions,
  callOptions,
  firstAnswer,
  firstStatus,
  linkBeside,
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

/** What one member says about encryption, or why it does not. */
export type MemberEncryption =
  & { readonly member: string }
  & (
    | { readonly encryption: ClusterEncryption; readonly failure: null }
    | { readonly encryption: null; readonly failure: NodeError }
  );

/** The applied encryption state, for who makes a sidecar from it. */
export interface EncryptionStateCopy {
  /** 16 bytes; empty until the first leader has named the cluster. */
  readonly clusterId: Bytes;
  readonly applied: bigint;
  /** As checkpoints carry it. */
  readonly state: Bytes;
}

type Change = (options?: ChangeOptions) => Promise<EncryptionOutcome>;

/** Calls about encryption; changes go to the leader. */
export interface EncryptionCalls {
  /** As the first member that answers has applied it. */
  encryptionState(): Promise<ClusterEncryption>;
  /** As each member has applied it, in the order of the status. */
  encryptionOfMembers(): Promise<readonly MemberEncryption[]>;
  /** Has the leader ask every member whether it can take part. */
  capabilities(): Promise<readonly MemberCapability[]>;
  /** Asks the first member that answers to prove it. */
  getCapability(ask: CapabilityAsk): Promise<CapabilityAnswer>;
  /** The leader's. */
  resyncState(): Promise<EncryptionStateCopy>;

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

  /** From here on: NODE_ENCRYPTION_NOT_AVAILABLE, they come next. */
  enableStorageEnvelope: Change;
  enableRaftEnvelope: Change;
  sealCleartext: Change;
  retireDek(keyId: number, options?: ChangeOptions): Promise<EncryptionOutcome>;
  startRewrite: Change;
  pauseRewrite: Change;
  resumeRewrite: Change;
  scrub: Change;
  updateRollout: Change;
}

interface EncryptionCallOptions extends LinkOptions {
  readonly links: readonly MemberLink[];
  readonly clock: Clock;
}

type PlainChange = {
  [Name in keyof EncryptionCalls]: EncryptionCalls[Name] extends Change ? Name
    : never;
}[keyof EncryptionCalls];

/** The part of the admin client that is about encryption. */
export function encryptionCalls(
  options: EncryptionCallOptions,
): EncryptionCalls {
  return { ...reads(options), ...changes(options) };
}

type Reads =
  | "encryptionState"
  | "encryptionOfMembers"
  | "capabilities"
  | "getCapability"
  | "resyncState";

function reads(options: EncryptionCallOptions): Pick<EncryptionCalls, Reads> {
  const { links } = options;
  const call = callOptions(options);
  const askLeader = <T>(ask: (link: MemberLink) => Promise<T>) =>
    callLeader({ ...options, isRepeatable: true }, ask);
  return {
    encryptionState: () => firstAnswer(links, (link) => stateOf(link, call)),
    encryptionOfMembers: () => encryptionOfMembers(options),
    capabilities: () =>
      askLeader(async ({ encryption }) =>
        capabilitiesOf(
          await encryption.getEncryptionState({ askMembers: true }, call),
        )
      ),
    getCapability: (ask) =>
      firstAnswer(links, async ({ encryption }) => {
        const { statement, proof } = await encryption.getCapability({
          ...ask,
          term: BigInt(ask.term),
          challenges: ask.challenges.map((wrap) => ({ ...wrap })),
        }, call);
        return { statement: plain(statement), proof: plain(proof) };
      }),
    resyncState: () =>
      askLeader(async ({ encryption }) => {
        const copy = await encryption.resyncSidecar({}, call);
        const { clusterId, applied, state } = copy;
        return { clusterId: plain(clusterId), applied, state: plain(state) };
      }),
  };
}

/** Each member at its own address, all at once. */
async function encryptionOfMembers(
  options: EncryptionCallOptions,
): Promise<readonly MemberEncryption[]> {
  const { links } = options;
  const { link, status } = await firstStatus(links, options);
  const nobody = [{ name: status.node, adminAddress: "" }];
  const known = status.members.length === 0 ? nobody : status.members;
  return await Promise.all(known.map(async ({ name: member, adminAddress }) => {
    try {
      if (member !== status.node && adminAddress === "") {
        throw new AdminUnreachableError([]);
      }
      const own = member === status.node
        ? link
        : linkBeside(link, adminAddress, options);
      const encryption = await firstAnswer(
        [own],
        (one) => stateOf(one, callOptions(options)),
      );
      return { member, encryption, failure: null };
    } catch (failure) {
      if (failure instanceof NodeError) {
        return { member, encryption: null, failure };
      }
      throw failure;
    }
  }));
}

async function stateOf(
  { encryption }: MemberLink,
  call: CallOptions,
): Promise<ClusterEncryption> {
  return encryptionOf(await encryption.getEncryptionState({}, call));
}

function changes(
  options: EncryptionCallOptions,
): Omit<EncryptionCalls, Reads> {
  const call = callOptions(options);
  const change = async (given: ChangeOptions | undefined, send: SendChange) => {
    const terms = termsOf(given);
    const reply = await callLeader(
      { ...options, isRepeatable: terms.dryRun },
      ({ encryption }) => send(encryption, terms),
    );
    return outcomeOf(reply.change);
  };
  const without = (rpc: PlainChange): Change => (given) =>
    change(given, (calls, terms) => calls[rpc](terms, call));
  return {
    bootstrap: without("bootstrap"),
    rotateDek: (name, given) => {
      const purpose = PURPOSE_NUMBER[name];
      const send: SendChange = (calls, terms) =>
        calls.rotateDek({ purpose, ...terms }, call);
      return change(given, send);
    },
    rewrapDeks: (keks, given) => {
      const send: SendChange = (calls, terms) =>
        calls.rewrapDeks({ keks: [...keks], ...terms }, call);
      return change(given, send);
    },
    registerWriter: without("registerWriter"),
    enableStorageEnvelope: without("enableStorageEnvelope"),
    enableRaftEnvelope: without("enableRaftEnvelope"),
    sealCleartext: without("sealCleartext"),
    retireDek: (keyId, given) => {
      const send: SendChange = (calls, terms) =>
        calls.retireDek({ keyId, ...terms }, call);
      return change(given, send);
    },
    startRewrite: without("startRewrite"),
    pauseRewrite: without("pauseRewrite"),
    resumeRewrite: without("resumeRewrite"),
    scrub: without("scrub"),
    updateRollout: without("updateRollout"),
  };
}

type SendChange = (
  calls: MemberLink["encryption"],
  terms: Terms,
) => Promise<{ readonly change?: EncryptionChange | undefined }>;

function outcomeOf(change: EncryptionChange | undefined): EncryptionOutcome {
  const { hash = "", steps = [] } = change?.plan ?? {};
  return {
    plan: { hash, steps },
    changed: change?.changed ?? false,
    index: change?.index ?? 0n,
    unreachable: change?.unreachable ?? [],
  };
}

/** On a buffer of its own. */
function plain(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}
