import assert from "node:assert/strict";
import { runIn } from "./fake_services.ts";

/** Command lines of the rollout, the screens and the demo that mean nothing. */
const WRONG: readonly (readonly [line: string, said: RegExp])[] = [
  ["rollout --confirm prod", /--confirm .* is for --apply.*\n.*Add --apply/],
  ["rollout --plan --dry-run", /--dry-run .* is for --apply/],
  ["rollout --until-step raft --wait 1h", /leave out --until-step, --wait/],
  ["rollout --json", /as the wizard writes none/],
  ["rollout --plan --transcript a.sh", /'--plan' cannot be used with/],
  ["rollout --apply --read-only", /'--apply' cannot be used with/],
  ["rollout --apply --until-step capability", /Allowed choices are storage,/],
  ["rollout --apply --dwell soon", /Write 500ms, 10s/],
  ["rollout --apply --rate -1", /Write 512KiB/],
  ["rollout prod", /too many arguments/],
  ["dashboard --interval soon", /Write 500ms, 10s/],
  ["dashboard --interval 1ms", /Write 100ms or more/],
  ["dashboard n1", /too many arguments/],
  ["demo --base-port 0", /Write a whole number of 1 to /],
  ["demo --base-port 65536", /Write a whole number of 1 to /],
  ["demo --auto now", /too many arguments/],
  ["demo --auto --dir /dev/null", /Cannot make a demo in "\/dev\/null"/],
  ["kek id", /missing required argument 'file'/],
  ["kek id a b", /too many arguments/],
  ["kek id a --out b", /unknown option '--out'/],
];

for (const [line, said] of WRONG) {
  Deno.test(`${line} is a usage error`, async () => {
    const { code, out, err } = await runIn({}, ...line.split(" "));
    const json = line.includes("--json");
    assert.equal(code, 2, err);
    assert.equal(json ? "" : out, "");
    assert.match(`${err}${json ? out : ""}`, said);
    assert.doesNotMatch(err, /UNEXPECTED/);
  });
}
