import type {
  AdminClient,
  ChangeOptions,
  EncryptionOutcome,
} from "../admin/client.ts";
import { unreachable } from "../base/assert.ts";
import type { ChangeCommand } from "./command.ts";

/** Asks the leader for what `command` says. */
export function callCommand(
  client: AdminClient,
  command: ChangeCommand,
  options: ChangeOptions,
): Promise<EncryptionOutcome> {
  switch (command.kind) {
    case "enable-storage-envelope":
      return client.enableStorageEnvelope(options);
    case "update-rollout":
      return client.updateRollout(command.dwellUntilMs, options);
    case "start-rewrite":
      return client.startRewrite(command.bytesPerSecond, options);
    case "pause-rewrite":
      return client.pauseRewrite(options);
    case "resume-rewrite":
      return client.resumeRewrite(command.bytesPerSecond, options);
    case "seal-cleartext":
      return client.sealCleartext(options);
    case "enable-raft-envelope":
      return client.enableRaftEnvelope(options);
    case "scrub":
      return client.scrub([], options);
    case "rotate-dek":
      return client.rotateDek(command.purpose, options);
    case "retire-dek":
      return client.retireDek(command.keyId, options);
    default:
      return unreachable(command);
  }
}
