/*
 * Fuzzes decoders: `deno task fuzz [--runs N] [--only NAME] [--seed S]
 * [--from N]`. NAME is a part of decoders' names. Prints a row
 * of tests/fuzz/RESULTS.md for each; ends with 1 when one fails.
 */
import { parseArgs } from "node:util";
import { print } from "../../tools/print.ts";
import { DECODERS } from "./decoders/all.ts";
import { fuzz, FuzzFailure, type FuzzResult, warmUp } from "./run/fuzz.ts";

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "100000" },
    only: { type: "string", multiple: true, default: [""] },
    seed: { type: "string", default: "1" },
    from: { type: "string", default: "0" },
  },
});
const options = {
  runs: Number(values.runs),
  seed: Number(values.seed),
  from: Number(values.from),
};

function rowOf(result: FuzzResult): string {
  const { name, inputs, taken, refused, seconds } = result;
  const { heapBytes, bytesLongest, slowestMs } = result;
  const cells = [
    name,
    inputs,
    refused,
    taken,
    seconds.toFixed(1),
    `${(heapBytes / 2 ** 20).toFixed(1)} MiB`,
    bytesLongest,
    slowestMs.toFixed(0),
  ];
  return `| ${cells.join(" | ")} |`;
}

const chosen = values.only.flatMap((part) =>
  DECODERS.filter(({ name }) => name.includes(part))
);
let failures = 0;
print(
  "| decoder | inputs | refused | taken | seconds | most heap of one decode | longest input | slowest ms |",
);
print("|---|---|---|---|---|---|---|---|");
for (const decoder of chosen) {
  await warmUp(decoder);
  try {
    print(rowOf(await fuzz(decoder, options)));
  } catch (error) {
    if (!(error instanceof FuzzFailure)) throw error;
    failures += 1;
    print(error.message);
  }
}
if (failures > 0 || chosen.length === 0) Deno.exit(1);
