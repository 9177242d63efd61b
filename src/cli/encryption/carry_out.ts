import type {
  AdminClient,
  ChangeOptions,
  EncryptionOutcome,
} from "../../admin/client.ts";
import { NodeError } from "../../base/error.ts";
import { type AdminOptions, withAdmin } from "../admin_connection.ts";
import type { ChangeFlags } from "../member/change_options.ts";
import { confirmed } from "../member/confirm.ts";
import { planLines } from "../plan_view.ts";
import type { Services } from "../services.ts";
import { wrapped } from "../wrap.ts";
import { waitForChange } from "./long_wait.ts";

/** A change of encryption as its command describes it. */
export interface Step {
  /** As the history calls it. */
  readonly name: string;
  /** Further fields of the JSON. */
  readonly facts?: Readonly<
    Record<string, string | number | null | readonly string[]>
  >;
  /** What cannot be undone; empty for a step that can. */
  readonly oneWay?: readonly string[];
  readonly accept?: NonNullable<ChangeOptions["accept"]>;
  /** Further flags that a plan is carried out with. */
  readonly planFlags?: readonly string[];
  /** Members take their time for it. */
  readonly isLong?: boolean;
  /** What to do once it is done, and what it did not do; for people. */
  readonly after?: readonly string[];
  ask(client: AdminClient, terms: ChangeOptions): Promise<EncryptionOutcome>;
}

export interface StepFlags extends ChangeFlags, AdminOptions {
  readonly confirm?: string | undefined;
  /** Milliseconds. */
  readonly wait?: number | undefined;
}

/**
 * Plans a step, has it confirmed when it is one-way, carries it out and shows
 * what became of it; true when a stop signal ended the wait for it.
 */
export function carryOut(
  services: Services,
  options: StepFlags,
  step: Step,
): Promise<boolean> {
  return withAdmin(
    services,
    options,
    (client) => carryOutBy(services, client, { options, step }),
  );
}

interface Asked {
  readonly options: Omit<StepFlags, keyof AdminOptions>;
  readonly step: Step;
}

/** The same with a client at hand. */
export async function carryOutBy(
  services: Services,
  client: AdminClient,
  asked: Asked,
): Promise<boolean> {
  const { options, step } = asked;
  const { dryRun = false, plan: planHash = "" } = options;
  const accept = step.accept === undefined ? {} : { accept: step.accept };
  const terms = { dryRun, planHash, ...accept };
  if (step.oneWay !== undefined) {
    return await carryOutOneWay(services, client, { ...asked, terms });
  }
  return await perform(services, client, { ...asked, terms });
}

interface Termed extends Asked {
  readonly terms: ChangeOptions;
}

/**
 * Every check is made before anything changes: first a dry run, then a name.
 * With a name at hand a refused plan is asked for all the same, so that the
 * refusal is in the audit log and the history.
 */
async function carryOutOneWay(
  services: Services,
  client: AdminClient,
  asked: Termed,
): Promise<boolean> {
  const { options, step, terms } = asked;
  const { cluster } = await client.getStatus();
  const planned = await planOf(client, asked);
  if (planned === null) {
    const { confirm = "" } = options;
    return await perform(services, client, {
      ...asked,
      terms: { ...terms, confirm },
    });
  }
  // The entry that did it is there: nothing is left to confirm.
  const isDone = planned.index !== 0n;
  if (terms.dryRun || isDone) {
    const name = isDone ? "" : cluster;
    showStep(services, asked, { outcome: planned, cluster: name });
    return false;
  }
  const confirm = await confirmed(services, {
    given: options.confirm,
    cluster,
    steps: [...planned.plan.steps, ...step.oneWay ?? []],
    isJson: options.json === true,
  });
  // Who types the name has read this plan; a script may have read another.
  const planHash = options.confirm === undefined
    ? planned.plan.hash
    : terms.planHash ?? "";
  const confirmedTerms = { ...terms, confirm, planHash };
  return await perform(services, client, { ...asked, terms: confirmedTerms });
}

/** `null` for one that is refused, and to be refused for good. */
async function planOf(
  client: AdminClient,
  { options, step, terms }: Termed,
): Promise<EncryptionOutcome | null> {
  try {
    return await step.ask(client, { ...terms, dryRun: true });
  } catch (error) {
    const isRefusal = error instanceof NodeError &&
      error.code.startsWith("NODE_");
    if (isRefusal && options.confirm !== undefined && !terms.dryRun) {
      return null;
    }
    throw error;
  }
}

async function perform(
  services: Services,
  client: AdminClient,
  asked: Termed,
): Promise<boolean> {
  const { options, step, terms } = asked;
  if (step.isLong !== true || terms.dryRun) {
    const outcome = await step.ask(client, terms);
    showStep(services, asked, { outcome, cluster: "" });
    return false;
  }
  const wait = {
    client,
    name: step.name,
    waitMs: options.wait ?? null,
    isJson: options.json === true,
  };
  const outcome = await waitForChange(
    services,
    wait,
    (signal) => step.ask(client, { ...terms, signal }),
  );
  if (outcome === null) return true;
  showStep(services, asked, { outcome, cluster: "" });
  return false;
}

interface Shown {
  readonly outcome: EncryptionOutcome;
  /** Whose name confirms it; "" when nothing is to be confirmed any more. */
  readonly cluster: string;
}

function showStep(
  { terminal }: Services,
  { options, step }: Asked,
  { outcome, cluster }: Shown,
): void {
  const { name, facts = {} } = step;
  const { plan, changed, unreachable } = outcome;
  const isDryRun = options.dryRun === true;
  if (options.json === true) {
    const index = String(outcome.index);
    const json = { change: name, changed, dryRun: isDryRun, plan, index };
    terminal.out.write(
      `${JSON.stringify({ ...json, unreachable, ...facts })}\n`,
    );
    return;
  }
  const confirm = cluster === "" ? [] : [`--confirm ${cluster}`];
  const flags = [...confirm, ...step.planFlags ?? []];
  const lines = planLines({ ...plan, changed, isDryRun, flags });
  const end = lines.slice(-1);
  const undone = isDryRun ? step.oneWay ?? [] : [];
  const at = outcome.index === 0n || isDryRun ? [] : [`index ${outcome.index}`];
  const left = unreachable.length === 0
    ? []
    : [`not asked, for they do not answer: ${unreachable.join(", ")}`];
  const steps = [...lines.slice(0, -1), ...undone.map((line) => `  ${line}`)];
  const rest = [...at, ...left, ...isDryRun ? [] : step.after ?? []];
  // The end names flags: on one line they can be copied.
  const text = [...steps.flatMap(wrapped), ...end, ...rest.flatMap(wrapped)];
  terminal.out.write([...text, ""].join("\n"));
}
