/** What records are made of: made once, before anything is measured, and the same in every process. */

export const keyCount = 100_000;

/** Of 100 ASCII characters, the first eight of them a number. */
export function stringsOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, i) => flat(`${digits(i)}${"x".repeat(92)}`));
}

/** 0 to `count - 1`, each once, out of order. */
export function shuffled(count: number): readonly number[] {
  const step = 7_919;
  return Array.from({ length: count }, (_, i) => (i * step) % count);
}

/** Lines of 12 to 14 words of a vocabulary of 10,000, 92 to 100 characters long. */
export function linesOf(count: number): readonly string[] {
  const random = randomOf(7);
  const vocabulary = Array.from({ length: 10_000 }, (_, i) => {
    const word = i.toString(36).padStart(3, "a");
    return `${word}${"loremi".slice(0, (i % 6) + 1)}`;
  });
  return Array.from({ length: count }, () => {
    let line = "";
    for (;;) {
      const word = vocabulary[Math.floor(random() * vocabulary.length)] ?? "";
      if (line.length + word.length + 1 > 100) break;
      line += line === "" ? word : ` ${word}`;
    }
    return flat(line);
  });
}

/** Numbers in [0, 1), the same for the same seed (a linear congruence). */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A string that is not a tree of its parts: what a source that reads bytes hands out. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}
function digits(i: number): string {
  return String(i).padStart(8, "0");
}
