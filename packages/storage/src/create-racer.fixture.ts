/**
 * A process of its own that writes into a directory: `race` creates keys against others and prints which it has won; `write` puts large
 * objects until it is killed. `argv`: kind, root, own name, how many.
 */
import { fileStore } from "./file-store.ts";

const [, , kind, root = "", name = "", count = "0"] = process.argv;
const store = await fileStore(root);
if (kind === "race") {
  // All go for each name at one moment, as far as a clock can arrange it: else whoever is ahead stays ahead.
  process.stdout.write("ready\n");
  const begin = Number(await new Promise((resolve) => process.stdin.once("data", resolve)));
  const won: string[] = [];
  for (let i = 0; i < Number(count); i++) {
    while (Date.now() < begin + i * 4) await new Promise((resolve) => setTimeout(resolve, 1));
    const nonce = new TextEncoder().encode(`${name} at ${i}`);
    if ((await store.create(`race/${i}`, nonce)) === "created") won.push(String(i));
  }
  process.stdout.write(`won ${won.join(",")}\n`);
  process.exit(0);
} else {
  for (let i = 0; ; i++) {
    const bytes = new Uint8Array(4 * 1024 * 1024).fill(i % 200);
    if (i % 2 === 0) await store.put(`objects/${i % 4}`, bytes);
    else await store.create(`objects/c${i}`, bytes);
    process.stdout.write(`${i}\n`);
  }
}
