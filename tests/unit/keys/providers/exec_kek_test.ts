import { deepEqual, equal, match, rejects } from "node:assert/strict";
import { utf8 } from "../../../../src/base/bytes.ts";
import { ExecError } from "../../../../src/io/errors.ts";
import {
  KekSourceInvalidError,
  KekUnavailableError,
} from "../../../../src/keys/kek_errors.ts";
import { openExecKek } from "../../../../src/keys/providers/exec_kek.ts";
import { LocalKek } from "../../../../src/keys/providers/local_kek.ts";
import type { SimProgram } from "../../../sim/io/process.ts";
import { assertShowsNone } from "../../../contract/secret_forms.ts";
import { simKekPorts } from "../sim_kek_ports.ts";

const TEXT = "0123456789abcdefghijklmnopqrstuv";

function given(program: SimProgram) {
  const ports = simKekPorts();
  const calls: (readonly string[])[] = [];
  ports.process.programs.set("pass", (args) => {
    calls.push(args);
    return program;
  });
  return { ports, calls };
}

Deno.test("openExecKek() takes exactly 32 bytes of the program's output", async () => {
  const { ports, calls } = given({ stdout: TEXT, stderr: "a warning" });
  const kek = await openExecKek("pass show 'my kek'", ports);
  equal(kek.id, (await LocalKek.of(utf8(TEXT), ports.random)).id);
  deepEqual(calls, [["show", "my kek"]]);
});

Deno.test("openExecKek() refuses any other output, and shows none", async () => {
  for (const stdout of ["", TEXT.slice(1), `${TEXT}\n`, TEXT + TEXT]) {
    const { ports } = given({ stdout, stderr: `saw ${TEXT}` });
    await rejects(openExecKek("pass show", ports), (error) => {
      assertShowsNone(error, [TEXT, TEXT.slice(1)]);
      equal(error instanceof KekUnavailableError, true);
      equal((error as KekUnavailableError).kek, "exec:pass");
      return true;
    });
  }
});

Deno.test("openExecKek() refuses a program that fails, whatever it printed", async () => {
  const { ports } = given({ stdout: TEXT, stderr: TEXT, exitCode: 2 });
  await rejects(openExecKek("pass --secret swordfish", ports), (error) => {
    assertShowsNone(error, [TEXT, "swordfish"]);
    match((error as Error).message, /ended with 2$/);
    return error instanceof KekUnavailableError && error.trouble === "refused";
  });
});

Deno.test("openExecKek() waits 30 s and no longer", async () => {
  const { ports } = given({ stdout: TEXT, tookMs: 29_999 });
  const opened = openExecKek("pass", ports);
  await ports.clock.run(29_999);
  await opened;
  const slow = given({ stdout: TEXT, tookMs: 30_001 });
  const opening = openExecKek("pass", slow.ports);
  await rejects(
    slow.ports.clock.until(opening),
    (error) =>
      error instanceof KekUnavailableError && error.cause instanceof ExecError,
  );
  equal(slow.ports.clock.monotonicMs(), 30_000);
});

Deno.test("openExecKek() names a program that is not there, not its arguments", async () => {
  const { ports } = given({});
  await rejects(openExecKek("age -i swordfish", ports), (error) => {
    assertShowsNone(error, ["swordfish"]);
    return error instanceof KekUnavailableError && error.kek === "exec:age" &&
      error.trouble === "missing";
  });
});

Deno.test("openExecKek() takes no command that is none, and shows it not", async () => {
  for (const command of ["", "  ", "pass 'swordfish", "a\nswordfish"]) {
    await rejects(openExecKek(command, simKekPorts()), (error) => {
      assertShowsNone(error, ["swordfish"]);
      return error instanceof KekSourceInvalidError;
    });
  }
});
