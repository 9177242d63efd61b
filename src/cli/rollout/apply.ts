import type { AdminClient } from "../../admin/client.ts";
import {
  type ApplyEnd,
  type ApplyEvent,
  applyRollout,
} from "../../rollout/apply.ts";
import type { RolloutChoices } from "../../rollout/snapshot.ts";
import type { LadderStep } from "../../rollout/step.ts";
import type {
  TranscriptSink,
  TranscriptWriter,
} from "../../rollout/transcript.ts";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import { UnconfirmedError } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit_code.ts";
import { untilInterrupted } from "../interrupt.ts";
import type { Services } from "../services.ts";
import { ApplyView } from "./apply_view.ts";
import { printPlan } from "./plan.ts";
import { beginTranscript, transcriptFile } from "./transcript_file.ts";

export interface ApplyFlags extends AdminOptions {
  readonly confirm?: string | undefined;
  readonly untilStep: LadderStep;
  /** Milliseconds. */
  readonly wait?: number | undefined;
  readonly transcript?: string | undefined;
  readonly dryRun?: true | undefined;
  readonly json?: true | undefined;
}

/**
 * Takes the steps that are left, and shows what happens.
 *
 * @throws {UnconfirmedError} Without the cluster's name.
 * @throws {NodeError} What stopped it.
 */
export function applyPlan(
  services: Services,
  flags: ApplyFlags,
  choices: RolloutChoices,
): Promise<ExitCode> {
  return withAdmin(services, flags, async (client) => {
    if (flags.dryRun === true) {
      return await dryRun(services, client, { flags, choices });
    }
    const { confirm = "" } = flags;
    const { cluster } = await client.getStatus();
    if (confirm === "" || confirm !== cluster) {
      throw new UnconfirmedError(confirm, cluster);
    }
    const file = flags.transcript === undefined
      ? null
      : await transcriptFile(services, flags.transcript);
    const end = await follow(services, client, { flags, choices, file });
    if (end.kind === "stopped") throw end.error;
    return end.kind === "done" ? EXIT.done : EXIT.interrupted;
  });
}

interface Given {
  readonly flags: ApplyFlags;
  readonly choices: RolloutChoices;
}

/** The plan; blocked when the next step is. */
async function dryRun(
  services: Services,
  client: AdminClient,
  { flags, choices }: Given,
): Promise<ExitCode> {
  const isJson = flags.json === true;
  const plan = await printPlan(services, client, { choices, isJson });
  const next = plan.steps.find(({ id }) => id === plan.next);
  return next?.state === "blocked" ? EXIT.blocked : EXIT.done;
}

async function follow(
  services: Services,
  client: AdminClient,
  { flags, choices, file }: Given & { readonly file: TranscriptSink | null },
): Promise<ApplyEnd> {
  const { clock, process, terminal } = services;
  const view = new ApplyView(terminal, clock, flags.json === true);
  const stop = new AbortController();
  let end: ApplyEnd = { kind: "interrupted" };
  await untilInterrupted(process, async ({ first }) => {
    first.then(() => stop.abort());
    const transcript = new Written(services, client, { file, choices });
    const events = applyRollout(client, {
      ...{ clock, choices, signal: stop.signal },
      confirm: flags.confirm ?? "",
      until: flags.untilStep,
      waitMs: flags.wait ?? 0,
    });
    try {
      for await (const event of events) {
        await transcript.take(event);
        view.show(event);
        if (event.kind === "ended") end = event.end;
      }
    } finally {
      view.clear();
    }
  });
  return end;
}

interface WrittenOptions {
  readonly file: TranscriptSink | null;
  readonly choices: RolloutChoices;
}

/** The transcript of one rollout, if one is wanted. */
class Written {
  readonly #services: Services;
  readonly #client: AdminClient;
  readonly #options: WrittenOptions;
  #writer: TranscriptWriter | null = null;

  constructor(
    services: Services,
    client: AdminClient,
    options: WrittenOptions,
  ) {
    this.#services = services;
    this.#client = client;
    this.#options = options;
  }

  /** Resolves when what the event leaves is durable. */
  async take(event: ApplyEvent): Promise<void> {
    const { file, choices: { accept } } = this.#options;
    if (file === null) return;
    if (event.kind === "plan" && this.#writer === null) {
      const { plan } = event;
      const begin = { sink: file, plan, accept };
      this.#writer = await beginTranscript(this.#services, this.#client, begin);
    }
    if (event.kind !== "run") return;
    const text = this.#writer?.event(event.step, event.event) ?? "";
    if (text !== "") await file.append(text);
  }
}
