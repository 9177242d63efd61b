import { present } from "../../base/assert.ts";
import type { Bytes } from "../../base/bytes.ts";
import { type KeyId, NO_KEY } from "../../base/data_key.ts";
import { sealRaftEnvelope } from "../../crypto/raft_envelope.ts";
import type { FsmState } from "../../fsm/types.ts";
import type { Sessions } from "../../keys/sessions.ts";

export interface RaftSealerParts {
  /** `null` on a node that never seals. */
  readonly sessions: Pick<Sessions, "open"> | null;
  /** As it is applied here. */
  readonly fsm: () => FsmState;
}

/** Seals the payloads of entries to the cluster, from the raft cutover on. */
export class RaftSealer {
  readonly #parts: RaftSealerParts;

  constructor(parts: RaftSealerParts) {
    this.#parts = parts;
  }

  /** What an entry proposed now is sealed with; NO_KEY before the cutover. */
  keyId(): KeyId {
    const { raftCutoverIndex, active } = this.#parts.fsm().encryption;
    return raftCutoverIndex > 0 ? active.raft : NO_KEY;
  }

  /** @throws {NodeError} This process cannot seal with it. */
  async seal(keyId: KeyId, payload: Bytes): Promise<Bytes> {
    const { fsm, sessions } = this.#parts;
    const clusterId = present(fsm().clusterId, "a founded cluster's id");
    const session = await present(sessions, "sessions of a node that seals")
      .open(keyId, "raft");
    return await sealRaftEnvelope({ ...session, clusterId }, payload);
  }
}
