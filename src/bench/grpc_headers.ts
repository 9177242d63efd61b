import { assert } from "../base/assert.ts";
import { type Bytes, concatBytes, utf8 } from "../base/bytes.ts";
import { encodeFrame, FLAG, FRAME } from "./http2_frame.ts";

/** Where and what to call. */
export interface GrpcEndpoint {
  readonly hostname: string;
  readonly port: number;
  /** "/package.Service/Method" */
  readonly path: string;
}

/**
 * HPACK of a POST to one path: the first block names the fields and puts them
 * into the server's table, later ones point there. Source: RFC 7541 §6.
 */
export class HeaderBlocks {
  readonly #first: Bytes;
  #isFirst = true;

  constructor({ hostname, port, path }: GrpcEndpoint) {
    this.#first = concatBytes(
      METHOD_AND_SCHEME,
      indexedField(NAME_PATH, path),
      indexedField(NAME_AUTHORITY, `${hostname}:${port}`),
      indexedField(NAME_CONTENT_TYPE, "application/grpc"),
      new Uint8Array([LITERAL]),
      text("te"),
      text("trailers"),
    );
  }

  next(stream: number): Bytes {
    const payload = this.#isFirst ? this.#first : LATER_BLOCK;
    this.#isFirst = false;
    const flags = FLAG.endHeaders;
    return encodeFrame({ type: FRAME.headers, flags, stream, payload });
  }
}

/** ":method POST" and ":scheme http" of the static table. */
const METHOD_AND_SCHEME = new Uint8Array([0x83, 0x86]);
const NAME_AUTHORITY = 1;
const NAME_PATH = 4;
const NAME_CONTENT_TYPE = 31;
/** A literal that is to be put into the table. */
const LITERAL = 0x40;
/** The newest entry of the table has index 62: te, content-type, … */
const LATER_BLOCK = concatBytes(
  METHOD_AND_SCHEME,
  new Uint8Array([0x80 | 65, 0x80 | 64, 0x80 | 63, 0x80 | 62]),
);

function indexedField(name: number, value: string): Bytes {
  return concatBytes(new Uint8Array([LITERAL | name]), text(value));
}

/** A string of fewer than 127 bytes, not Huffman-coded. */
function text(value: string): Bytes {
  const bytes = utf8(value);
  assert(bytes.length < 127, "a header is short");
  return concatBytes(new Uint8Array([bytes.length]), bytes);
}
