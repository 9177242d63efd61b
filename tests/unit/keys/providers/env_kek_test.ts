import { equal, rejects } from "node:assert/strict";
import { toBase64 } from "../../../../src/base/base64.ts";
import { toHex } from "../../../../src/base/bytes.ts";
import {
  KekSourceInvalidError,
  KekUnavailableError,
} from "../../../../src/keys/kek_errors.ts";
import { openEnvKek } from "../../../../src/keys/providers/env_kek.ts";
import { LocalKek } from "../../../../src/keys/providers/local_kek.ts";
import { assertShowsNone } from "../../../contract/secret_forms.ts";
import { rawKek, simKekPorts } from "../sim_kek_ports.ts";

const NAME = "SEALKV_TEST_KEK";
const HEX = toHex(rawKek());
const BASE64 = toBase64(rawKek());

Deno.test("openEnvKek() reads hex and base64 of the same KEK", async () => {
  const { id } = await LocalKek.of(rawKek(), simKekPorts().random);
  for (const text of [HEX, HEX.toUpperCase(), BASE64, ` ${HEX}\n`]) {
    equal((await openEnvKek(NAME, simKekPorts({ [NAME]: text }))).id, id);
  }
});

Deno.test("openEnvKek() reads once: the variable is gone", async () => {
  const ports = simKekPorts({ [NAME]: HEX });
  await openEnvKek(NAME, ports);
  equal(ports.process.env(NAME), undefined);
  await rejects(
    openEnvKek(NAME, ports),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "missing",
  );
});

Deno.test("openEnvKek() refuses other texts, shows none and forgets them", async () => {
  const texts = [
    HEX.slice(1),
    HEX.slice(2),
    `${HEX}00`,
    `0x${HEX.slice(2)}`,
    BASE64.slice(0, -1),
    toBase64(rawKek().slice(1)),
    toBase64(new Uint8Array(33).fill(0x51)),
    BASE64.replace(/.=$/, "/="),
    "correct horse battery staple!!!!",
  ];
  for (const text of texts) {
    const ports = simKekPorts({ [NAME]: text });
    await rejects(openEnvKek(NAME, ports), (error) => {
      assertShowsNone(error, [text, rawKek()]);
      return error instanceof KekUnavailableError &&
        error.trouble === "malformed";
    });
    equal(ports.process.env(NAME), undefined);
  }
});

Deno.test("openEnvKek() takes no name that is none, and shows it not", async () => {
  for (const name of ["", "1A", "A-B", "A=B", "A B", "ä", HEX, BASE64]) {
    await rejects(openEnvKek(name, simKekPorts()), (error) => {
      if (name.length > 8) assertShowsNone(error, [name]);
      return error instanceof KekSourceInvalidError;
    });
  }
});

Deno.test("openEnvKek() names a variable that this build may not read", async () => {
  const ports = simKekPorts();
  const cause = new TypeError("no such permission");
  ports.process.env = () => {
    throw cause;
  };
  await rejects(
    openEnvKek("KEK", ports),
    (error) =>
      error instanceof KekUnavailableError && error.trouble === "denied" &&
      error.cause === cause,
  );
});
