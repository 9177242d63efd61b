/** Text of a stream as it comes, for those who wait for a line of it. */
export class Output {
  readonly ended: Promise<void>;
  text = "";
  #wake = Promise.withResolvers<void>();
  #hasEnded = false;

  constructor(stream: ReadableStream<Uint8Array>) {
    this.ended = this.#collect(stream);
  }

  /** The first match; `null` when the stream ends without. */
  async waitFor(pattern: RegExp): Promise<RegExpExecArray | null> {
    for (;;) {
      const match = pattern.exec(this.text);
      if (match !== null || this.#hasEnded) return match;
      await this.#wake.promise;
    }
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const bytes of stream) {
      this.text += decoder.decode(bytes, { stream: true });
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    }
    this.#hasEnded = true;
    this.#wake.resolve();
  }
}
