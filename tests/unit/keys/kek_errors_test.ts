import { equal, match, ok } from "node:assert/strict";
import { NodeError } from "../../../src/base/error.ts";
import {
  InsecureKekFileError,
  KEK_SCHEMES,
  KekExistsError,
  KekSourceInvalidError,
  KekUnavailableError,
  WrapRejectedError,
} from "../../../src/keys/kek_errors.ts";

Deno.test("InsecureKekFileError names path, octal mode and the command", () => {
  const error = new InsecureKekFileError("/etc/kek", 0o640);
  equal(error.code, "KEYS_KEK_INSECURE");
  match(error.message, /"\/etc\/kek".*current value is mode 0640$/);
  equal(error.remedy, "chmod 600 /etc/kek");
  match(new InsecureKekFileError("/k", 0o7).message, /mode 0007$/);
  match(new InsecureKekFileError("/k", null).message, /regular file/);
});

Deno.test("InsecureKekFileError's command survives a shell", () => {
  for (const path of ["a b", "it's", "$(touch x)", "-R", "\n", "", "a;b"]) {
    const { remedy } = new InsecureKekFileError(path, 0o644);
    const { stdout } = new Deno.Command("sh", {
      args: ["-c", `chmod() { printf '%s' "$2"; }; ${remedy}`],
    }).outputSync();
    equal(new TextDecoder().decode(stdout), path);
  }
});

Deno.test("KekSourceInvalidError lists every form", () => {
  const { remedy, message, code } = new KekSourceInvalidError(null, "it is x");
  equal(code, "KEYS_KEK_SOURCE_INVALID");
  equal(message, "Cannot use the KEK URI as it is x");
  for (const scheme of KEK_SCHEMES) ok(remedy.includes(`${scheme}:`));
  match(new KekSourceInvalidError("env", "it is x").message, /"env:" KEK URI/);
});

Deno.test("each error has a code, a message and a remedy without full stops", () => {
  const cause = new TypeError("down");
  const errors = [
    new KekSourceInvalidError(null, "it is x"),
    new InsecureKekFileError("/k", 0o644),
    new KekUnavailableError("file:/k", "missing", "it is x", "Look", { cause }),
    new WrapRejectedError("file:0011223344556677", { cause }),
    new KekExistsError("/k"),
  ];
  equal(new Set(errors.map(({ code }) => code)).size, errors.length);
  for (const error of errors) {
    ok(error instanceof NodeError);
    equal(error.name, error.constructor.name);
    match(error.message, /^Cannot .*[^.]$/);
    match(error.remedy, /[^.]$/);
  }
  equal(errors[2]?.cause, cause);
});
