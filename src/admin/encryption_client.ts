import type { Bytes } from "../base/bytes.ts";
import type { NodeError } from "../base/error.ts";
import type {
  CapabilityAnswer,
  CapabilityAsk,
} from "../node/encryption_port.ts";
import {
  type EncryptionChangeCalls,
  encryptionChangeCalls,
} from "./encryption_changes.ts";
import {
  capabilitiesOf,
  type ClusterEncryption,
  encryptionOf,
  type MemberCapability,
} from "./encryption_status.ts";
import { callLeader } from "./leader_call.ts";
import { type RolloutCalls, rolloutCalls } from "./rollout_client.ts";
import { firstAnswer } from "./first_answer.ts";
import {
  type CallOptions,
  callOptions,
  type LinkOptions,
  type MemberLink,
} from "./member_link.ts";
import { ofMembers } from "./of_members.ts";

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

/** Calls about encryption; changes go to the leader. */
export interface EncryptionCalls extends RolloutCalls, EncryptionChangeCalls {
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
}

interface EncryptionCallOptions extends LinkOptions {
  readonly links: readonly MemberLink[];
}

/** The part of the admin client that is about encryption. */
export function encryptionCalls(
  options: EncryptionCallOptions,
): EncryptionCalls {
  return {
    ...reads(options),
    ...rolloutCalls(options),
    ...encryptionChangeCalls(options),
  };
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
    encryptionState: () => firstAnswer(links, options, stateOf),
    encryptionOfMembers: () => encryptionOfMembers(options),
    capabilities: () =>
      askLeader(async ({ encryption }) =>
        capabilitiesOf(
          await encryption.getEncryptionState({ askMembers: true }, call),
        )
      ),
    getCapability: (ask) =>
      firstAnswer(links, options, async ({ encryption }, call) => {
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

async function encryptionOfMembers(
  options: EncryptionCallOptions,
): Promise<readonly MemberEncryption[]> {
  const answers = await ofMembers(options, stateOf);
  return answers.map(({ member, answer, failure }) =>
    failure === null
      ? { member, encryption: answer, failure }
      : { member, encryption: null, failure }
  );
}

async function stateOf(
  { encryption }: MemberLink,
  call: CallOptions,
): Promise<ClusterEncryption> {
  return encryptionOf(await encryption.getEncryptionState({}, call));
}

/** On a buffer of its own. */
function plain(bytes: Uint8Array): Bytes {
  return new Uint8Array(bytes);
}
