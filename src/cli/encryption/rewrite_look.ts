import type {
  AdminClient,
  ClusterRewrite,
  ClusterTask,
} from "../../admin/client.ts";
import { NodeError } from "../../base/error.ts";
import type { Clock } from "../../io/clock.ts";
import { barLines } from "../task_text.ts";
import { rewriteText } from "./rewrite_follow.ts";

/** The rewrite job of a cluster at one moment. */
export interface RewriteLook {
  /** `null`: none was ever started. */
  readonly rewrite: ClusterRewrite | null;
  /** How far members are; `null` when nobody can say. */
  readonly tasks: readonly ClusterTask[] | null;
}

/** Whoever asks for the status may ask because nobody leads. */
const TASKS_MS_MAX = 2_000;

export interface LookOptions {
  readonly clock: Clock;
  /** Somebody leads, as the status says. */
  readonly isLed: boolean;
  /** This member only. */
  readonly node: string | undefined;
}

/** Beside the status, so it fails nothing: `null` when nobody tells the job. */
export async function lookAtRewrite(
  client: AdminClient,
  { clock, isLed, node }: LookOptions,
): Promise<RewriteLook | null> {
  const late = Promise.withResolvers<null>();
  const timer = clock.after(TASKS_MS_MAX, () => late.resolve(null));
  try {
    const { rewrite } = await client.rollout();
    if (rewrite === null || !isLed) return { rewrite, tasks: null };
    const tasks = rewriteTasks(client, node);
    return { rewrite, tasks: await Promise.race([tasks, late.promise]) };
  } catch (error) {
    if (error instanceof NodeError) return null;
    throw error;
  } finally {
    timer.cancel();
  }
}

/** How far members are with the rewrite, all or the one that is named. */
export async function rewriteTasks(
  client: AdminClient,
  node: string | undefined,
): Promise<RewriteLook["tasks"]> {
  try {
    for await (const { members } of client.watchRewrite()) {
      return members.filter(({ member }) =>
        node === undefined || member === node
      );
    }
  } catch (error) {
    if (!(error instanceof NodeError)) throw error;
  }
  return null;
}

/** The job in words and how far members are; nothing without a job. */
export function rewriteLines(
  { rewrite, tasks }: RewriteLook,
): readonly string[] {
  if (rewrite === null) return [];
  const bars = tasks === null
    ? ["  how far members are only a leader can say: none answers"]
    : barLines(tasks);
  return [rewriteText(rewrite, tasks), ...bars];
}
