import { NO_KEY, SEALING_PURPOSES } from "../../base/data_key.ts";
import type { EncryptionState, WriterClaim } from "../../fsm/types.ts";
import type { Term } from "../../raft/types.ts";
import type { CapabilityFinding } from "../encryption_port.ts";
import type { AppliedState, Leading } from "./leading.ts";
import type { AskedMember } from "./long_changes.ts";
import { rowAt, type WriterName, writerNameOf } from "./own_rows.ts";

export interface MemberGateHost {
  readonly leading: Pick<Leading, "proposeIn" | "fanOut">;
  state(): AppliedState;
}

/** Who may become a member, and a voter, once there are keys (ADR 0112). */
export class MemberGate {
  readonly #host: MemberGateHost;

  constructor(host: MemberGateHost) {
    this.#host = host;
  }

  /** There are keys: members have to be known, and voters to have proven. */
  get isOn(): boolean {
    return this.#state.keys.size > 0;
  }

  /**
   * Gives the node that is called `name` its rows in the writer registry, as the
   * leader of `term` and under the lock of changes.
   *
   * @throws {NodeError} As `Leading.proposeIn`.
   */
  async admit(name: string, term: Term): Promise<void> {
    const writer = writerNameOf(name);
    const claims = claimsOf(this.#state, writer);
    if (claims.length === 0) return;
    const { fullNodeId } = writer;
    const change = { kind: "registration", fullNodeId, claims } as const;
    await this.#host.leading.proposeIn(term, change);
  }

  /** Asks `member`, fresh; `null` when it has proven. */
  async unprovenOf(member: AskedMember): Promise<CapabilityFinding | null> {
    const [finding] = await this.#host.leading.fanOut([], [member]);
    return finding === undefined || finding.code === "" ? null : finding;
  }

  get #state(): EncryptionState {
    return this.#host.state().fsm.encryption;
  }
}

/** Epoch 0 of each active key that the registry has nothing of. */
function claimsOf(
  state: EncryptionState,
  writer: WriterName,
): readonly WriterClaim[] {
  return SEALING_PURPOSES.map((purpose) => state.active[purpose])
    .filter((keyId) => keyId !== NO_KEY)
    .filter((keyId) => rowAt(state, writer, keyId) === null)
    .map((keyId) => ({ keyId, epoch: 0 }));
}
