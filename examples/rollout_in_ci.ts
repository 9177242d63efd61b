/*
 * Turns encryption on, step by step, and stops where a check fails: a job of
 * CI, or `deno task` of your own. Run again, it goes on where it stopped.
 *
 *   SEALKV_ADMIN=10.0.0.4:4514 SEALKV_ADMIN_TOKEN=… \
 *     deno run -A examples/rollout_in_ci.ts CLUSTER_NAME
 */
// deno-lint-ignore-file no-console
import { connectAdmin, type LiveStep, rolloutPlan } from "../mod.ts";

const [cluster = ""] = Deno.args;
const admin = connectAdmin({
  admin: Deno.env.get("SEALKV_ADMIN") ?? "127.0.0.1:4514",
  token: Deno.env.get("SEALKV_ADMIN_TOKEN") ?? "",
});

try {
  let taken = "";
  for (;;) {
    const plan = await rolloutPlan(admin);
    const step = plan.steps.find(({ id }) => id === plan.next);
    if (step === undefined) break;
    if (step.state === "blocked" || step.id === taken) {
      explain(step);
      Deno.exit(3);
    }
    await take(step);
    taken = step.id;
  }
  console.log("encryption is on, and nothing of before is left");
} finally {
  admin.close();
}

async function take(step: LiveStep): Promise<void> {
  console.log(`${step.title}: ${step.does}`);
  for await (const event of step.run({ confirm: cluster })) {
    if (event.kind === "asked") console.log(`$ ${event.command}`);
    if (event.kind === "answered") {
      console.log(`  done at entry ${event.outcome.index}`);
    }
    if (event.kind === "failed") throw event.error;
  }
}

function explain({ title, detail, checks }: LiveStep): void {
  console.error(`${title}: ${detail}`);
  for (const { id, evidence } of checks) {
    for (const { verdict, member, text, remedy } of evidence) {
      if (verdict !== "fail") continue;
      console.error(`  ${id} ${member} ${text}`);
      console.error(`    fix: ${remedy}`);
    }
  }
}
