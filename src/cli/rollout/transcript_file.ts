import type { AdminClient } from "../../admin/client.ts";
import { utf8 } from "../../base/bytes.ts";
import { VERSION } from "../../base/version.ts";
import type { AcceptableRisk } from "../../admin/client.ts";
import type { RolloutPlan } from "../../rollout/step.ts";
import {
  type TranscriptSink,
  type TranscriptWriter,
  transcriptWriter,
} from "../../rollout/transcript.ts";
import type { Services } from "../services.ts";

const TRANSCRIPT_BYTES_MAX = 16_777_216;

/** The file at `path`, to be gone on with. @throws {FileError} */
export async function transcriptFile(
  { files }: Services,
  path: string,
): Promise<TranscriptSink> {
  const content = await files.read(path, TRANSCRIPT_BYTES_MAX);
  const before = new TextDecoder().decode(content?.bytes);
  return {
    path,
    before,
    append: (text) => files.append(path, utf8(text)),
  };
}

export interface TranscriptPlan {
  readonly plan: RolloutPlan;
  readonly accept: readonly AcceptableRisk[];
}

/**
 * Begins a transcript, or goes on with it.
 *
 * @throws {TranscriptForeignError | FileError}
 * @throws {NodeError} No member answers.
 */
export async function beginTranscript(
  services: Services,
  client: AdminClient,
  { sink, plan, accept }: TranscriptPlan & { readonly sink: TranscriptSink },
): Promise<TranscriptWriter> {
  const [{ cluster, clusterId }, events] = await Promise.all([
    client.getStatus(),
    client.events(),
  ]);
  const actor = services.actor();
  const atMs = services.clock.wallMs();
  const head = { cluster, clusterId, actor, atMs, version: VERSION };
  const writer = transcriptWriter(sink, { head, accept, plan, events });
  if (writer.opening !== "") await sink.append(writer.opening);
  return writer;
}
