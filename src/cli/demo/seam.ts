import type { EncryptionOutcome } from "../../admin/client.ts";
import type { ApplyEvent, ApplyOptions } from "../../rollout/apply.ts";
import type { AdminClient } from "../services.ts";
export async function* applyRollout(
  client: AdminClient,
  { confirm, clock }: ApplyOptions,
): AsyncGenerator<ApplyEvent, void> {
  const signal = new AbortController().signal;
  const terms = { confirm, signal };
  const steps: readonly [string, () => Promise<EncryptionOutcome>][] = [
    ["enable-storage-envelope", () => client.enableStorageEnvelope(terms)],
    ["rewrite", async () => {
      const o = await client.startRewrite(0, terms);
      for await (const p of client.watchRewrite()) {
        if (
          p.members.length === 3 && p.members.every((m) => m.state === "done")
        ) break;
      }
      return o;
    }],
    ["seal-cleartext", () => client.sealCleartext(terms)],
    ["enable-raft-envelope", () => client.enableRaftEnvelope(terms)],
    ["scrub", () => client.scrub([], terms)],
  ];
  for (const [name, ask] of steps) {
    const step = "storage" as const;
    const command = `sealkv encryption ${name}`;
    yield {
      kind: "run",
      step,
      event: {
        kind: "asked",
        command,
        asked: null,
        atMs: clock.wallMs(),
        afterIndex: 0n,
      },
    };
    const outcome = await ask();
    yield {
      kind: "run",
      step,
      event: {
        kind: "answered",
        command,
        asked: null,
        atMs: clock.wallMs(),
        outcome,
        isOthers: false,
      },
    };
  }
  yield { kind: "ended", end: { kind: "done" }, atMs: clock.wallMs() };
}
