// deno-lint-ignore-file no-console -- a bench prints.
/**
 * What does one command cost to encode and decode, by hand and by protobuf-es?
 *
 *     deno run -A bench/fsm_codec.ts
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  type CommandBatch,
  decodeBatch,
  encodeBatch,
} from "../src/fsm/batch_codec.ts";
import { CommandBatchSchema } from "../src/fsm/gen/command_pb.ts";
import { ENCODING_V8 } from "../src/fsm/types.ts";
import { fromMessage, toMessage } from "../tests/unit/fsm/command_message.ts";

const WRITES = 30;
const VALUE_BYTES = 256;
const ROUNDS = 20_000;

const batch: CommandBatch = {
  nowMs: 1_790_000_000_000,
  writes: Array.from({ length: WRITES }, (_, i) => ({
    database: "",
    checks: [],
    changes: [{
      kind: "set",
      key: new Uint8Array(24).fill(i),
      value: {
        data: new Uint8Array(VALUE_BYTES).fill(i),
        encoding: ENCODING_V8,
      },
      expireAtMs: 0,
    }],
  })),
};
const bytes = encodeBatch(batch);

function measure(name: string, run: () => void): void {
  for (let i = 0; i < ROUNDS / 4; i += 1) run();
  const from = performance.now();
  for (let i = 0; i < ROUNDS; i += 1) run();
  const microseconds = (performance.now() - from) * 1e3 / ROUNDS / WRITES;
  console.log(`${name.padEnd(22)}${microseconds.toFixed(2)} µs per command`);
}

console.log(`batches of ${WRITES} sets, ${VALUE_BYTES}-byte values`);
measure("encode by hand", () => void encodeBatch(batch));
measure("decode by hand", () => void decodeBatch(bytes, 0));
measure(
  "encode by protobuf-es",
  () => void toBinary(CommandBatchSchema, toMessage(batch)),
);
measure(
  "decode by protobuf-es",
  () => void fromMessage(fromBinary(CommandBatchSchema, bytes)),
);
