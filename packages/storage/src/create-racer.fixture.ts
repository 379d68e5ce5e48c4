/**
 * A process of its own that writes into a directory: `race` creates keys against others, a round of them for each line "first key, how
 * many, when", and prints which it has won; `write` puts large objects until it is killed. `argv`: kind, root, own name.
 */
import { createInterface } from "node:readline";
import { fileStore } from "./file-store.ts";

const [, , kind, root = "", name = ""] = process.argv;
const store = await fileStore(root);
if (kind === "race") {
  process.stdout.write("ready\n");
  for await (const line of createInterface({ input: process.stdin })) {
    const [first = 0, count = 0, begin = 0] = line.split(" ").map(Number);
    const won: number[] = [];
    // All go for each name at one moment, as far as a clock can arrange it: else whoever is ahead stays ahead.
    for (let i = 0; i < count; i++) {
      while (Date.now() < begin + i * 4) await new Promise((resolve) => setTimeout(resolve, 1));
      const nonce = new TextEncoder().encode(`${name} at ${first + i}`);
      if ((await store.create(`race/${first + i}`, nonce)) === "created") won.push(first + i);
    }
    process.stdout.write(`won ${won.join(",")}\n`);
  }
} else {
  for (let i = 0; ; i++) {
    const bytes = new Uint8Array(4 * 1024 * 1024).fill(i % 200);
    if (i % 2 === 0) await store.put(`objects/${i % 4}`, bytes);
    else await store.create(`objects/c${i}`, bytes);
    process.stdout.write(`${i}\n`);
  }
}
