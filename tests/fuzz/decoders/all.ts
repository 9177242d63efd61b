import type { Decoder } from "../run/decoder.ts";
import { ADMIN_DECODERS } from "./admin.ts";
import { APP_DECODERS } from "./app.ts";
import { CHECKPOINT_DECODERS } from "./checkpoint.ts";
import { CRYPTO_DECODERS } from "./crypto.ts";
import { EDGE_DECODERS } from "./edge.ts";
import { FSM_DECODERS } from "./fsm.ts";
import { KEY_DECODERS } from "./keys.ts";
import { NODE_DECODERS } from "./node.ts";
import { PROVIDER_DECODERS } from "./providers.ts";
import { ROLLOUT_DECODERS } from "./rollout.ts";
import { SEALED_RECORD_DECODERS } from "./sealed_record.ts";
import { STORE_DECODERS } from "./store.ts";
import { TRANSPORT_DECODERS } from "./transport.ts";

/** Every decoder that is fuzzed, those that strangers reach first. */
export const DECODERS: readonly Decoder[] = [
  ...TRANSPORT_DECODERS,
  ...NODE_DECODERS,
  ...ROLLOUT_DECODERS,
  ...FSM_DECODERS,
  ...STORE_DECODERS,
  ...SEALED_RECORD_DECODERS,
  ...CHECKPOINT_DECODERS,
  ...KEY_DECODERS,
  ...PROVIDER_DECODERS,
  ...CRYPTO_DECODERS,
  ...APP_DECODERS,
  ...ADMIN_DECODERS,
  ...EDGE_DECODERS,
];
