import { openDenoKv } from "../../src/io/deno/kv.ts";
import { SimKv, SimKvDisk } from "../sim/io/kv.ts";
import { type KvPlace, runStoreContract } from "./store_contract.ts";

function simPlace(): KvPlace {
  const disk = new SimKvDisk();
  return {
    open: () => Promise.resolve(new SimKv({ disk })),
    another: simPlace,
    remove: () => Promise.resolve(),
  };
}

async function denoPlace(): Promise<KvPlace> {
  const dir = await Deno.makeTempDir();
  let count = 0;
  const next = (): KvPlace => {
    count += 1;
    const path = `${dir}/store-${count}.sqlite`;
    return {
      open: () => openDenoKv(path),
      another: next,
      remove: () => Deno.remove(dir, { recursive: true }),
    };
  };
  return next();
}

runStoreContract("SimKv", () => Promise.resolve(simPlace()));
runStoreContract("DenoKv", denoPlace);
