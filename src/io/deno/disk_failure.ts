import {
  type DiskAction,
  DiskDeniedError,
  type DiskError,
  DiskExistsError,
  DiskFailedError,
  DiskNoSpaceError,
  DiskNotFoundError,
} from "../errors.ts";

/** Turns what the runtime threw for `action` on `path` into a `DiskError`. */
export function diskFailure(
  cause: unknown,
  action: DiskAction,
  path: string,
): DiskError {
  switch (causeCode(cause)) {
    case "ENOSPC":
    case "EDQUOT":
      return new DiskNoSpaceError(action, path, { cause });
    case "ENOENT":
      return new DiskNotFoundError(action, path, { cause });
    case "EEXIST":
      return new DiskExistsError(action, path, { cause });
    case "EACCES":
    case "EPERM":
    case "EROFS":
      return new DiskDeniedError(action, path, { cause });
    default:
      return new DiskFailedError(action, path, { cause });
  }
}

function causeCode(cause: unknown): string | null {
  if (!(cause instanceof Error)) return null;
  if (cause instanceof Deno.errors.NotFound) return "ENOENT";
  if (cause instanceof Deno.errors.AlreadyExists) return "EEXIST";
  if (cause instanceof Deno.errors.PermissionDenied) return "EACCES";
  if (cause instanceof Deno.errors.NotCapable) return "EACCES";
  return "code" in cause && typeof cause.code === "string" ? cause.code : null;
}
