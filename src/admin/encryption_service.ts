import type { ServiceImpl } from "@connectrpc/connect";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { NodeError } from "../base/error.ts";
import type { EventLog } from "../io/log.ts";
import { EncryptionNotAvailableError } from "../node/encryption/change_errors.ts";
import type {
  EncryptionPort,
  EncryptionRequest,
  EncryptionResult,
} from "../node/encryption_port.ts";
import { parseTerms, type TermsMessage } from "./change_request.ts";
import { encryptionChangeReply, encryptionReply } from "./encryption_reply.ts";
import {
  parseCapabilityAsk,
  parseKekIds,
  parseKeyId,
  parsePurpose,
} from "./encryption_request.ts";
import type { EncryptionAdmin } from "./gen/encryption_pb.ts";

export interface EncryptionServiceOptions {
  readonly encryption: EncryptionPort;
  readonly log: EventLog;
}

/** EncryptionAdmin over a node. */
export function encryptionService(
  options: EncryptionServiceOptions,
): ServiceImpl<typeof EncryptionAdmin> {
  const { encryption } = options;
  const change = async (request: EncryptionRequest, terms: TermsMessage) => ({
    change: encryptionChangeReply(
      await changeEncryption(options, request, terms),
    ),
  });
  return {
    getCapability: (asked) =>
      encryption.answerCapability(parseCapabilityAsk(asked)),
    getEncryptionState: async ({ askMembers }) => {
      const findings = askMembers ? await encryption.askCapabilities() : [];
      return encryptionReply(await encryption.encryptionStatus(), findings);
    },
    resyncSidecar: () => {
      const { clusterId, applied, state } = encryption.exportEncryptionState();
      const id = clusterId ?? EMPTY_BYTES;
      return { clusterId: id, applied: BigInt(applied), state };
    },
    bootstrap: (asked) => change({ kind: "bootstrap" }, asked),
    rotateDek: async (asked) => {
      const purpose = parsePurpose(asked.purpose);
      return await change({ kind: "rotate-dek", purpose }, asked);
    },
    rewrapDeks: async (asked) => {
      const keks = parseKekIds(asked.keks);
      return await change({ kind: "rewrap-deks", keks }, asked);
    },
    registerWriter: (asked) => change({ kind: "register-writer" }, asked),
    enableStorageEnvelope: (asked) =>
      change({ kind: "enable-storage-envelope" }, asked),
    enableRaftEnvelope: (asked) =>
      change({ kind: "enable-raft-envelope" }, asked),
    sealCleartext: (asked) => change({ kind: "seal-cleartext" }, asked),
    retireDek: async (asked) => {
      const keyId = parseKeyId(asked.keyId);
      return await change({ kind: "retire-dek", keyId }, asked);
    },
    startRewrite: (asked) =>
      change({ kind: "start-rewrite", bytesPerSecond: 0 }, asked),
    pauseRewrite: (asked) => change({ kind: "pause-rewrite" }, asked),
    resumeRewrite: (asked) =>
      change({ kind: "resume-rewrite", bytesPerSecond: null }, asked),
    scrub: (asked) => change({ kind: "scrub", members: [] }, asked),
    updateRollout: (asked) =>
      change({ kind: "update-rollout", dwellUntilMs: 0 }, asked),
    watchRewrite: () => notAvailable("watch-rewrite"),
    getRollout: () => notAvailable("get-rollout"),
    listEvents: () => notAvailable("list-events"),
  };
}

function notAvailable(step: string): never {
  throw new EncryptionNotAvailableError(step);
}

/** Who asked for what, and what became of it, is in the event log. */
async function changeEncryption(
  { encryption, log }: EncryptionServiceOptions,
  request: EncryptionRequest,
  message: TermsMessage,
): Promise<EncryptionResult> {
  const terms = parseTerms(message, []);
  if (terms.dryRun) return await encryption.changeEncryption(request, terms);
  const change = request.kind;
  try {
    const result = await encryption.changeEncryption(request, terms);
    const { isChanged, index, plan, unreachable } = result;
    log.write("info", "encryption_change_done", {
      change,
      changed: isChanged,
      index,
      plan: plan.hash,
      unreachable: unreachable.join(),
    });
    return result;
  } catch (error) {
    if (error instanceof NodeError) {
      const { code } = error;
      log.write("warn", "encryption_change_refused", { change, code });
    }
    throw error;
  }
}
