/**
 * Numbers of the frames of one channel in one direction, from 0, modulo 2³²: opening, data, events, credit, hints, close.
 *
 * SEQ-1  What is received is what was sent, frame by frame: a number that is left out or comes again is `EXCHANGE_CORRUPT`.
 */
import { fail } from "../fail.ts";

export class Sequence {
  #next: number;

  constructor(first = 0) {
    this.#next = first;
  }
  next(): number {
    const sequence = this.#next;
    this.#next = (sequence + 1) >>> 0;
    return sequence;
  }
  expect(sequence: number): void {
    if (sequence !== this.#next)
      throw fail("EXCHANGE_CORRUPT", {
        fields: { reason: "a frame is missing or came twice", expected: this.#next, sequence },
      });
    this.#next = (sequence + 1) >>> 0;
  }
}
