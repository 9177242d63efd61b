/** What members and clients of a local cluster show each other. */
export interface Tokens {
  readonly accessPath: string;
  readonly adminPath: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Reads the tokens kept in `dir`, or draws them; readable by the user alone. */
export async function makeTokens(dir: string): Promise<Tokens> {
  const accessPath = `${dir}/access.token`;
  const adminPath = `${dir}/admin.token`;
  return {
    accessPath,
    adminPath,
    env: {
      SEALKV_ACCESS_TOKEN: await readOrDraw(accessPath),
      SEALKV_ADMIN_TOKEN: await readOrDraw(adminPath),
      SEALKV_PEER_TOKEN: await readOrDraw(`${dir}/peer.token`),
    },
  };
}

async function readOrDraw(path: string): Promise<string> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  const token = crypto.randomUUID();
  const options = { mode: 0o600, createNew: true };
  await Deno.writeTextFile(path, `${token}\n`, options);
  return token;
}
