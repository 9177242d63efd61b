import { applyRollout } from "../../rollout/apply.ts";
import { DemoFailedError } from "../errors.ts";
import type { Services } from "../services.ts";
import { spanText } from "../task_text.ts";
import { wrapped } from "../wrap.ts";
import {
  complaintsOf,
  DEMO_OVER,
  findingLines,
  isEverywhere,
  writerLine,
} from "./evidence.ts";
import type { MemberFinding } from "./finder.ts";
import { DEMO_CLUSTER } from "./nodes.ts";
import type { DemoSite } from "./site.ts";
import { StepLines } from "./step_lines.ts";

const PHASE_TEXT = [
  "Phase 0, nothing is sealed. On the disks:",
  "Phase 1, values are sealed in the store and not in the log. On the disks:",
  "Phase 2, values are sealed in the store and in the log. On the disks:",
];
const FOUND_MS_MAX = 30_000;
const LOOK_GAP_MS = 500;

/**
 * Takes the whole rollout and shows what is on the disks before and after.
 *
 * @throws {DemoFailedError} When that is not as it should be.
 * @throws {NodeError} What a step was refused with.
 */
export async function runUnattended(
  services: Services,
  site: DemoSite,
): Promise<void> {
  const { clock, terminal } = services;
  const say = (...lines: readonly string[]) =>
    terminal.out.write(`${lines.flatMap(wrapped).join("\n")}\n`);
  const { phase } = await site.client.getStatus();
  const before = phase === 0
    ? await untilEverywhere(services, site)
    : await site.finder.look(true);
  say("", PHASE_TEXT[phase] ?? `Phase ${phase}:`, ...findingLines(before));
  if (phase === 0 && !isEverywhere(before)) {
    throw new DemoFailedError(["the text is not yet on every disk"]);
  }

  say("", "The rollout, by the commands that an operator would type:");
  const startMs = clock.monotonicMs();
  await takeSteps(services, site, say);

  const after = await site.finder.look(true);
  const span = spanText(clock.monotonicMs() - startMs);
  say("", `Phase 2, ${span} later. On the disks:`, ...findingLines(after));
  const { counts } = site.writer;
  say("", writerLine(counts));
  const complaints = complaintsOf(after, counts);
  if (complaints.length > 0) throw new DemoFailedError(complaints);
  say(DEMO_OVER);
}

/** Followers write what the leader does a moment later. */
async function untilEverywhere(
  { clock }: Services,
  { finder }: DemoSite,
): Promise<readonly MemberFinding[]> {
  const untilMs = clock.monotonicMs() + FOUND_MS_MAX;
  for (;;) {
    const findings = await finder.look(true);
    if (isEverywhere(findings) || clock.monotonicMs() > untilMs) {
      return findings;
    }
    await new Promise<void>((done) => void clock.after(LOOK_GAP_MS, done));
  }
}

/** @throws {NodeError} What a step was refused with. */
async function takeSteps(
  { clock }: Services,
  { client, signal }: DemoSite,
  say: (...lines: readonly string[]) => void,
): Promise<void> {
  const lines = new StepLines();
  const events = applyRollout(client, {
    clock,
    choices: { accept: [], bytesPerSecond: 0, dwellUntilMs: 0 },
    confirm: DEMO_CLUSTER,
    until: "scrub",
    waitMs: 0,
    signal,
  });
  for await (const event of events) {
    const said = lines.of(event);
    if (said.length > 0) say(...said);
    if (event.kind === "ended" && event.end.kind === "stopped") {
      throw event.end.error;
    }
  }
}
