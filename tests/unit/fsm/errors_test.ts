import assert from "node:assert/strict";
import {
  CommandMalformedError,
  CommandUnknownError,
} from "../../../src/fsm/errors.ts";

Deno.test("CommandUnknownError names the tag", () => {
  const error = new CommandUnknownError(7);
  assert.equal(error.code, "FSM_COMMAND_UNKNOWN");
  assert.equal(
    error.message,
    "Cannot apply a log entry as this version must know its command: current value is tag 0x07",
  );
});

Deno.test("CommandUnknownError names the sub-tag where there is one", () => {
  const error = new CommandUnknownError(5, 0x1f);
  assert.equal(
    error.message,
    "Cannot apply a log entry as this version must know its command: current value is tag 0x05, sub-tag 0x1f",
  );
  assert.deepEqual([error.tag, error.subTag], [5, 0x1f]);
});

Deno.test("CommandMalformedError names the rule and the place", () => {
  const cause = new Error("below");
  const error = new CommandMalformedError("it must end", 12, { cause });
  assert.equal(error.code, "FSM_COMMAND_MALFORMED");
  assert.equal(
    error.message,
    "Cannot decode a log entry's command as it must end: current offset is 12",
  );
  assert.equal(error.cause, cause);
});
