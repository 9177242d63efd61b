/*
 * Goal: the measurements that the README quotes can be asked of any node.
 * Method: `sealkv bench` against a real node, as short as it gets; the report
 * has a row for each system and figures that can be true.
 */
import { deepEqual, equal, ok } from "node:assert/strict";
import {
  ACCESS_TOKEN,
  bareEnvironment,
  NodeProcess,
  sealkvCommand,
} from "./node_process.ts";

for (const question of ["write", "read"]) {
  Deno.test(`bench ${question} measures a node and a local file`, async () => {
    await using node = await NodeProcess.start();
    const [program, ...args] = sealkvCommand();
    const home = await Deno.makeTempDir({ prefix: "sealkv-bench-home-" });
    try {
      const { code, stdout, stderr } = await new Deno.Command(program, {
        args: [
          ...[...args, "bench", question, "--json", "--url", node.url],
          ...["--clients", "2", "--duration", "200ms"],
        ],
        clearEnv: true,
        env: { ...bareEnvironment(home), SEALKV_ACCESS_TOKEN: ACCESS_TOKEN },
      }).output();
      equal(code, 0, new TextDecoder().decode(stderr));
      const report = JSON.parse(new TextDecoder().decode(stdout));
      equal(report.bench, question);
      const systems = report.rows.map((row: { system: string }) => row.system);
      deepEqual(systems, ["sealkv", "Deno.openKv file"]);
      for (const { clients, figures } of report.rows) {
        equal(clients, 2);
        ok(figures.count > 0 && figures.perSecond > 0);
        ok(figures.p50Ms > 0 && figures.p50Ms <= figures.p99Ms);
      }
    } finally {
      await Deno.remove(home, { recursive: true });
    }
  });
}
