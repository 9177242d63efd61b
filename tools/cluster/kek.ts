const KEK_BYTES = 32;

/** Path of the KEK kept in `dir`, drawn when there is none. */
export async function keepKek(dir: string): Promise<string> {
  const path = `${dir}/kek`;
  try {
    const kek = crypto.getRandomValues(new Uint8Array(KEK_BYTES));
    await Deno.writeFile(path, kek, { mode: 0o600, createNew: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  return path;
}
