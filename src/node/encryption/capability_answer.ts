import { type Bytes, EMPTY_BYTES, equalBytes } from "../../base/bytes.ts";
import { fullNodeId } from "../../base/identity.ts";
import { VERSION } from "../../base/version.ts";
import { CHALLENGE_BYTES, proofOf } from "../../crypto/capability.ts";
import type { KeyCustody } from "../../keys/port.ts";
import { PROTOCOL_VERSION } from "../../transport/port.ts";
import type { CapabilityAnswer, CapabilityAsk } from "../encryption_port.ts";
import { encodeStatement } from "./capability_statement.ts";

/** What a member knows of itself when it is asked. */
export interface AnsweringMember {
  readonly name: string;
  /** `null` before it knows: it answers with the one it is asked about. */
  readonly clusterId: Bytes | null;
  readonly custody: KeyCustody;
}

/**
 * What this node can do, and the proof of it: the opened challenge keys an HMAC
 * over the statement.
 *
 * Without a proof when it is asked in another's name or cluster, or none of
 * its KEKs opens a challenge.
 */
export async function answerCapability(
  ask: CapabilityAsk,
  { name, clusterId, custody }: AnsweringMember,
): Promise<CapabilityAnswer> {
  const own = fullNodeId(name);
  const statement = encodeStatement({
    protocolVersion: PROTOCOL_VERSION,
    build: VERSION,
    node: name,
    fullNodeId: own,
    epochs: custody.epochs(),
    sidecarIndex: custody.sidecarIndex === 0 ? null : custody.sidecarIndex,
    isEnabled: custody.isEnabled,
    isFilesystemFit: await custody.filesystemFault() === null,
    term: ask.term,
    clusterId: clusterId ?? ask.clusterId,
  });
  const isMeant = ask.target === own &&
    (clusterId === null || equalBytes(clusterId, ask.clusterId));
  if (!isMeant) return { statement, proof: EMPTY_BYTES };
  const challenge = await custody.openChallenge(ask.challenges, {
    kind: "challenge",
    clusterId: ask.clusterId,
    term: ask.term,
    target: ask.target,
  });
  if (challenge?.length !== CHALLENGE_BYTES) {
    return { statement, proof: EMPTY_BYTES };
  }
  return { statement, proof: await proofOf(challenge, statement) };
}
