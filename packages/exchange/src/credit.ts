/** Byte credit of one channel (TRN-2). */
import { fail } from "./fail.ts";

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
