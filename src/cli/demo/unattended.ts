import type { RunEvent } from "../../rollout/run.ts";
import { DemoFailedError } from "../errors.ts";
import type { Services } from "../services.ts";
import {
  complaintsOf,
  findingLines,
  isEverywhere,
  writerLine,
} from "./evidence.ts";
import type { MemberFinding } from "./finder.ts";
import { DEMO_CLUSTER } from "./nodes.ts";
import { applyRollout } from "./seam.ts";
import type { DemoSite } from "./site.ts";

const PHASE_TEXT = [
  "Phase 0: nothing is sealed.",
  "Phase 1: values are sealed in the store, not yet in the log.",
  "Phase 2: values are sealed in the store and in the log.",
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
  const say = (...lines: readonly string[]) =>
    services.terminal.out.write(lines.map((line) => `${line}\n`).join(""));
  const { phase } = await site.client.getStatus();
  const before = phase === 0
    ? await untilEverywhere(services, site)
    : await site.finder.look(true);
  say("", PHASE_TEXT[phase] ?? `Phase ${phase}.`, ...findingLines(before));
  if (phase === 0 && !isEverywhere(before)) {
    throw new DemoFailedError(["the text is not yet on every disk"]);
  }

  say("", "The rollout, by the commands that an operator would type:");
  await takeSteps(services, site, say);

  const after = await site.finder.look(true);
  const counts = site.writer.counts;
  say("", "After it:", ...findingLines(after), "", writerLine(counts));
  const complaints = complaintsOf(after, counts);
  if (complaints.length > 0) throw new DemoFailedError(complaints);
  say("No disk has the text any more, and the program still reads its values.");
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
  say: (line: string) => void,
): Promise<void> {
  const log = new StepLog(say);
  const events = applyRollout(client, {
    clock,
    choices: { accept: [], bytesPerSecond: 0, dwellUntilMs: 0 },
    confirm: DEMO_CLUSTER,
    until: "scrub",
    waitMs: 0,
    signal,
  });
  for await (const event of events) {
    if (event.kind === "run") log.add(event.event);
    if (event.kind === "ended" && event.end.kind === "stopped") {
      throw event.end.error;
    }
  }
}

/** A line for each command: what came of it, and how long it took. */
class StepLog {
  readonly #say: (line: string) => void;
  #askedMs = 0;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  add(event: RunEvent): void {
    if (event.kind === "asked") {
      this.#askedMs = event.atMs;
      this.#say(`  $ ${event.command}`);
    } else if (event.kind === "answered") {
      const { changed, index } = event.outcome;
      const tookS = ((event.atMs - this.#askedMs) / 1_000).toFixed(1);
      const what = changed ? "done" : "was so before";
      const at = index === 0n ? "" : ` at index ${index}`;
      this.#say(`      ${what}${at}, ${tookS} s`);
    }
  }
}
