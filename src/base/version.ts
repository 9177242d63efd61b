/** This program's version; deno.json has the same one. */
export const VERSION = "0.1.0";
