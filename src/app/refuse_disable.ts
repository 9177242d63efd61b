/** For commands, which see the node through this folder. */
export { DisableRefusedError } from "../node/encryption/change_errors.ts";
