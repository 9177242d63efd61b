const HOST_FILES = ["/etc/hostname"];
const USER_VARIABLES = ["USER", "LOGNAME", "USERNAME"];

/**
 * Who runs this process, as user@host, user or @host; "" where nothing tells
 * it, or where telling it is not permitted: nobody is asked.
 */
export function denoActor(): string {
  const user = USER_VARIABLES.map(variable).find((text) => text !== "") ?? "";
  const host = hostname();
  return host === "" ? user : `${user}@${host}`;
}

function variable(name: string): string {
  const { state } = Deno.permissions.querySync({
    name: "env",
    variable: name,
  });
  return state === "granted" ? Deno.env.get(name) ?? "" : "";
}

function hostname(): string {
  const { state } = Deno.permissions.querySync({
    name: "sys",
    kind: "hostname",
  });
  if (state === "granted") return Deno.hostname();
  for (const path of HOST_FILES) {
    const { state } = Deno.permissions.querySync({ name: "read", path });
    if (state !== "granted") continue;
    try {
      return Deno.readTextFileSync(path).trim();
    } catch {
      continue;
    }
  }
  return "";
}
