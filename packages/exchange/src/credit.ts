/** Byte credit of one channel (TRN-2), at each of its ends. */
import { fail } from "./fail.ts";

/** The producer's: what it may send. */
export class Credit {
  #bytes = 0;
  /** The receiver's window: its first grant. */
  #window = 0;

  get bytes(): number {
    return this.#bytes;
  }
  /** Within the credit, or a single frame larger than the window while the window is untouched. */
  covers(payloadBytes: number): boolean {
    return payloadBytes <= this.#bytes || (this.#window > 0 && this.#bytes >= this.#window);
  }
  spend(payloadBytes: number, edge: string): void {
    if (!this.covers(payloadBytes))
      throw fail("EXCHANGE_NO_CREDIT", { fields: { edge, credit: this.#bytes, payloadBytes } });
    this.#bytes -= payloadBytes;
  }
  grant(bytes: number): void {
    if (this.#window === 0) this.#window = bytes;
    this.#bytes += bytes;
  }
}

/**
 * The consumer's: what it has granted and what has not come yet. Never less than the producer's credit, because a grant counts here
 * when it is given, a frame when it comes: what does not fit was sent without credit.
 */
export class Grant {
  #outstanding = 0;
  #window = 0;
  #ended = false;

  given(bytes: number): void {
    if (this.#window === 0) this.#window = bytes;
    this.#outstanding += bytes;
  }
  /** Throws `EXCHANGE_CORRUPT` for a payload of that size. */
  check(payloadBytes: number): void {
    const untouched = this.#window > 0 && this.#outstanding >= this.#window;
    if (payloadBytes > this.#outstanding && !untouched)
      throw fail("EXCHANGE_CORRUPT", {
        fields: { reason: "data without credit", granted: this.#outstanding, payloadBytes },
      });
  }
  /** Of the frames only an end of data is empty, once: credit in bytes bounds their number too. */
  arrived(payloadBytes: number): void {
    this.check(payloadBytes);
    if (payloadBytes === 0) {
      if (this.#ended)
        throw fail("EXCHANGE_CORRUPT", { fields: { reason: "a second empty frame" } });
      this.#ended = true;
    }
    this.#outstanding -= payloadBytes;
  }
}
