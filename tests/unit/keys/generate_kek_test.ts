import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { FileError } from "../../../src/io/errors.ts";
import { KekExistsError } from "../../../src/keys/kek_errors.ts";
import { generateKekFile } from "../../../src/keys/generate_kek.ts";
import { openKek } from "../../../src/keys/providers/open_kek.ts";
import { simKekPorts } from "./sim_kek_ports.ts";

Deno.test("generateKekFile() makes a file that opens under the id it tells", async () => {
  const ports = simKekPorts();
  const { id } = await generateKekFile("/keys/kek", ports);
  match(id, /^file:[0-9a-f]{16}$/);
  equal(ports.files.contents.get("/keys/kek")?.length, 32);
  equal((await openKek("file:/keys/kek", ports)).id, id);
});

Deno.test("generateKekFile() draws another key each time", async () => {
  const ports = simKekPorts();
  const one = await generateKekFile("/one", ports);
  const two = await generateKekFile("/two", ports);
  equal(one.id === two.id, false);
});

Deno.test("generateKekFile() overwrites nothing", async () => {
  const ports = simKekPorts();
  await generateKekFile("/kek", ports);
  const before = ports.files.contents.get("/kek")?.slice();
  await rejects(generateKekFile("/kek", ports), KekExistsError);
  deepEqual(ports.files.contents.get("/kek"), before);
});

Deno.test("generateKekFile() wipes the bytes that it drew", async () => {
  const ports = simKekPorts();
  const raw = new Uint8Array(32).fill(7);
  const random = { bytes: () => raw, below: () => 0 };
  await generateKekFile("/kek", { files: ports.files, random });
  equal(raw.some((byte) => byte !== 0), false);
  equal(ports.files.contents.get("/kek")?.every((byte) => byte === 7), true);
});

Deno.test("generateKekFile() passes on what the disk says", async () => {
  const ports = simKekPorts();
  const refused = new FileError("create", "/kek", "it is full");
  const files = {
    ...ports.files,
    createPrivate: () => Promise.reject(refused),
  };
  await rejects(generateKekFile("/kek", { ...ports, files }), refused);
});
