import assert from "node:assert/strict";
import { RAFT_ENVELOPE_OVERHEAD_BYTES } from "../../../../src/crypto/raft_envelope.ts";
import { BODY_BYTES_MAX } from "../../../../src/kvconnect/limits.ts";
import { GROUP_BYTES_MAX } from "../../../../src/node/limits.ts";
import { raftOptions } from "../../../../src/raft/options.ts";
import {
  FRAME_BYTES_MAX,
  PACKET_BYTES_MAX,
} from "../../../../src/transport/limits.ts";
import { FRAME_PAYLOAD_BYTES_MAX } from "../../../../src/wal/frame.ts";

/** Heads of proposal, entry, message and frame: far below this. */
const HEADS_BYTES = 1_024;

Deno.test("a sealed entry of the largest write fits log, wire and core", () => {
  const { uncommittedBytesMax, inflightBytesMax } = raftOptions({
    id: 1,
    storage: null as never,
    randomTicks: () => 0,
  });
  const write = Math.max(BODY_BYTES_MAX, GROUP_BYTES_MAX);
  const entry = write + RAFT_ENVELOPE_OVERHEAD_BYTES + HEADS_BYTES;
  for (
    const bytesMax of [
      FRAME_BYTES_MAX,
      PACKET_BYTES_MAX,
      FRAME_PAYLOAD_BYTES_MAX,
      uncommittedBytesMax,
      inflightBytesMax,
    ]
  ) assert.ok(entry < bytesMax, `${entry} < ${bytesMax}`);
});
