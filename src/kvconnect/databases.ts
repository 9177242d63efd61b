import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import { uuidText } from "../base/uuid.ts";
import { BoundedMap } from "./bounded_map.ts";
import { ServiceNotReadyError } from "./errors.ts";
import { DATABASES_CACHED_MAX } from "./limits.ts";
import type { TokenSigner } from "./token_signer.ts";

const ID_BYTES = 16;
const NAMED_DATABASE_CONTEXT = utf8("sealkv db v1");

/** A database as clients address it. */
export interface Database {
  /** "" is the default one. */
  readonly name: string;
  /** 16 bytes. */
  readonly id: Bytes;
  /** `id` as a lower-case dashed UUID. */
  readonly uuid: string;
  readonly clusterId: Bytes;
}

/** Derives and remembers the ids of databases. */
export class Databases {
  readonly #signer: TokenSigner;
  readonly #clusterId: () => Bytes | null;
  readonly #known = new BoundedMap<string, Database>(DATABASES_CACHED_MAX);

  /** `clusterId` is `null` until known and never changes after. */
  constructor(signer: TokenSigner, clusterId: () => Bytes | null) {
    this.#signer = signer;
    this.#clusterId = clusterId;
  }

  /**
   * The id of the default database is the cluster id; of any other the first
   * 16 bytes of SHA-256("sealkv db v1" ‖ cluster id ‖ name).
   *
   * @throws {ServiceNotReadyError} While there is no cluster id.
   */
  async find(name: string): Promise<Database> {
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const clusterId = this.#clusterId();
    if (clusterId === null) throw new ServiceNotReadyError();
    assert(clusterId.length === ID_BYTES, "a cluster id has 16 bytes");
    const id = name === "" ? clusterId : (await this.#signer.sha256(
      concatBytes(NAMED_DATABASE_CONTEXT, clusterId, utf8(name)),
    )).subarray(0, ID_BYTES);
    const database = { name, id, uuid: uuidText(id), clusterId };
    this.#known.set(name, database);
    return database;
  }
}
