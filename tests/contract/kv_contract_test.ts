import { openDenoKv } from "../../src/io/deno/kv.ts";
import { SimKv } from "../sim/io/kv.ts";
import { runKvContract } from "./kv_contract.ts";

runKvContract("SimKv", async () => new SimKv());
runKvContract("DenoKv", () => openDenoKv(":memory:"));
