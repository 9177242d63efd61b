import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { EMPTY_BYTES } from "../base/bytes.ts";
import { NodeError } from "../base/error.ts";
import type { Clock } from "../io/clock.ts";
import type { EventLog } from "../io/log.ts";
import type {
  EncryptionPort,
  EncryptionRequest,
  EncryptionResult,
} from "../node/encryption_port.ts";
import type { ChangeTerms } from "../node/port.ts";
import { actorOf } from "./actor.ts";
import {
  encryptionRisks,
  parseTerms,
  type TermsMessage,
} from "./change_request.ts";
import { encryptionChangeReply, encryptionReply } from "./encryption_reply.ts";
import {
  parseCapabilityAsk,
  parseDwell,
  parseKekIds,
  parseKeyId,
  parseMembers,
  parsePurpose,
  parseRate,
} from "./encryption_request.ts";
import { endingStream } from "./ending_stream.ts";
import type { EncryptionAdmin } from "./gen/encryption_pb.ts";
import { rewriteStream } from "./rewrite_stream.ts";
import {
  changeUnderWayReply,
  eventsReply,
  rolloutReply,
  scanReply,
} from "./rollout_reply.ts";

export interface EncryptionServiceOptions {
  readonly encryption: EncryptionPort;
  readonly clock: Clock;
  readonly log: EventLog;
  /** Aborted when the node stops: streams end. */
  readonly stopping: AbortSignal;
}

/** EncryptionAdmin over a node. */
export function encryptionService(
  options: EncryptionServiceOptions,
): ServiceImpl<typeof EncryptionAdmin> {
  return { ...reads(options), ...keyChanges(options), ...rollout(options) };
}

type Service = ServiceImpl<typeof EncryptionAdmin>;
type Reads =
  | "getCapability"
  | "getEncryptionState"
  | "resyncSidecar"
  | "getRollout"
  | "listEvents"
  | "getChangeUnderWay"
  | "watchRewrite"
  | "verifyRecords";
type KeyChanges =
  | "bootstrap"
  | "rotateDek"
  | "rewrapDeks"
  | "retireDek"
  | "registerWriter";

function reads(
  { encryption, clock, stopping }: EncryptionServiceOptions,
): Pick<Service, Reads> {
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
    getRollout: () => rolloutReply(encryption.rolloutState()),
    listEvents: () => eventsReply(encryption.rolloutState()),
    getChangeUnderWay: () => changeUnderWayReply(encryption.changeUnderWay()),
    watchRewrite: (_, { signal: gone }) => {
      const signal = AbortSignal.any([gone, stopping]);
      return rewriteStream({ encryption, clock, signal });
    },
    verifyRecords: async function* ({ members }, { signal: gone }) {
      const scan = encryption.scanRecords(parseMembers(members));
      for await (const scans of endingStream(scan, { gone, stopping })) {
        yield scanReply(scans);
      }
    },
  };
}

function keyChanges(
  options: EncryptionServiceOptions,
): Pick<Service, KeyChanges> {
  const change = changing(options);
  return {
    bootstrap: (...asked) => change({ kind: "bootstrap" }, asked),
    rotateDek: async (...asked) => {
      const purpose = parsePurpose(asked[0].purpose);
      return await change({ kind: "rotate-dek", purpose }, asked);
    },
    rewrapDeks: async (...asked) => {
      const keks = parseKekIds(asked[0].keks);
      return await change({ kind: "rewrap-deks", keks }, asked);
    },
    retireDek: async (...asked) => {
      const keyId = parseKeyId(asked[0].keyId);
      return await change({ kind: "retire-dek", keyId }, asked);
    },
    registerWriter: (...asked) => change({ kind: "register-writer" }, asked),
  };
}

function rollout(
  options: EncryptionServiceOptions,
): Omit<Service, Reads | KeyChanges> {
  const change = changing(options);
  return {
    enableStorageEnvelope: (...asked) =>
      change({ kind: "enable-storage-envelope" }, asked),
    enableRaftEnvelope: (...asked) =>
      change({ kind: "enable-raft-envelope" }, asked),
    sealCleartext: (...asked) => change({ kind: "seal-cleartext" }, asked),
    startRewrite: async (...asked) => {
      const bytesPerSecond = parseRate(asked[0].bytesPerSecond);
      return await change({ kind: "start-rewrite", bytesPerSecond }, asked);
    },
    pauseRewrite: (...asked) => change({ kind: "pause-rewrite" }, asked),
    resumeRewrite: async (...asked) => {
      const rate = asked[0].bytesPerSecond;
      const bytesPerSecond = rate === undefined ? null : parseRate(rate);
      return await change({ kind: "resume-rewrite", bytesPerSecond }, asked);
    },
    scrub: async (...asked) => {
      const members = parseMembers(asked[0].members);
      return await change({ kind: "scrub", members }, asked);
    },
    updateRollout: async (...asked) => {
      const dwellUntilMs = parseDwell(asked[0].dwellUntilMs);
      return await change({ kind: "update-rollout", dwellUntilMs }, asked);
    },
  };
}

function changing(options: EncryptionServiceOptions) {
  return async (
    request: EncryptionRequest,
    [message, context]: [message: TermsMessage, context: HandlerContext],
  ) => {
    const risks = encryptionRisks(request.kind);
    const terms = parseTerms(message, { actor: actorOf(context), risks });
    const result = await changeEncryption(options, request, terms);
    return { change: encryptionChangeReply(result) };
  };
}

/** Who asked for what, and what became of it, is in the event log. */
async function changeEncryption(
  { encryption, log }: EncryptionServiceOptions,
  request: EncryptionRequest,
  terms: ChangeTerms,
): Promise<EncryptionResult> {
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
