/**
 * Reading rows of objects whose numbers leave nothing out: log slots, claims, epochs, registered jobs. By `get` alone.
 *
 * DNS-1  A number whose object is absent ends the row; one that is written meanwhile may be seen or not.
 * DNS-2  What is in flight at once is bounded by `readAhead`; the highest number takes about 2 log2 n gets.
 */

/** Gets in flight. A get of an object store takes 10 to 50 ms, nearly all of it waiting: sixteen hide that, more crowd out others. */
export const readAhead = 16;

/** The objects from number `from` on, up to the first that is absent. Starts with one get, since most rows are short. */
export async function* readDense(
  get: (n: number) => Promise<Uint8Array | undefined>,
  from: number,
): AsyncGenerator<{ readonly n: number; readonly bytes: Uint8Array }> {
  for (let n = from, width = 1; ; width = Math.min(readAhead, width * 2)) {
    const first = n;
    const found = await Promise.all(Array.from({ length: width }, (_, i) => get(first + i)));
    for (const bytes of found) {
      if (bytes === undefined) return;
      yield { n, bytes };
      n += 1;
    }
  }
}

/** The highest number of the row that begins at `from`; `from - 1` when it is empty. */
export async function highestPresent(
  present: (n: number) => Promise<boolean>,
  from: number,
): Promise<number> {
  let there = from - 1;
  let step = 1;
  while (await present(there + step)) {
    there += step;
    step *= 2;
  }
  let absent = there + step;
  while (absent - there > 1) {
    const middle = there + Math.floor((absent - there) / 2);
    if (await present(middle)) there = middle;
    else absent = middle;
  }
  return there;
}
