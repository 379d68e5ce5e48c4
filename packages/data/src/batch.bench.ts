/**
 * Encode and decode against JSON in the same run, ns per row: `node packages/data/src/batch.bench.ts`.
 * Every decoded batch is compared with its rows once.
 */
import { deepStrictEqual } from "node:assert/strict";
import type { BatchCodec, BatchWriter } from "./batch.ts";
import { adaptiveCodec, typedCodec } from "./batch-codec.ts";
import { t, typeNodeOf } from "./t.ts";

const rounds = 7;
const rowsPerRound = 200_000;

const bid = (i: number) => ({
  auction: 1_000 + (i % 5_000),
  bidder: 2_000 + ((i * 7) % 3_000),
  price: (i * 13.37) % 10_000,
  dateTime: 1_700_000_000_000 + i * 3,
  channel: `channel-${i % 10_000}`,
  url: `https://www.nexmark.com/item.htm?query=1&channel_id=${i % 10_000}`,
  extra: `padding ${"x".repeat(20)}${i}`,
});
const Bid = t.object({
  auction: t.int64,
  bidder: t.int64,
  price: t.float64,
  dateTime: t.timestamp,
  channel: t.string,
  url: t.string,
  extra: t.string,
});
const text100 = (i: number) => `${String(i).padStart(10, "0")}${"abcdefghi ".repeat(9)}`;

interface Case {
  readonly name: string;
  readonly rows: readonly unknown[];
  readonly codec: BatchCodec;
}
const flat = (s: string) => Buffer.from(s).toString();
const bids = Array.from({ length: 20_000 }, (_, i) => {
  const b = bid(i);
  return { ...b, channel: flat(b.channel), url: flat(b.url), extra: flat(b.extra) };
});
const texts = Array.from({ length: 20_000 }, (_, i) => flat(text100(i)));
const pairs = Array.from({ length: 20_000 }, (_, i) => ({ key: i % 1_000, value: i * 0.5 }));

function encodeAll(writer: BatchWriter, rows: readonly unknown[]): Uint8Array[] {
  const batches: Uint8Array[] = [];
  for (let i = 0; i < rows.length; i++) {
    writer.add(rows[i], i, i);
    if (writer.full) batches.push(writer.take());
  }
  if (writer.rows > 0) batches.push(writer.take());
  return batches;
}

function perRow(rows: number, run: () => void): string {
  const times: number[] = [];
  const repeats = Math.ceil(rowsPerRound / rows);
  for (let r = 0; r < rounds; r++) {
    const start = process.hrtime.bigint();
    for (let k = 0; k < repeats; k++) run();
    times.push(Number(process.hrtime.bigint() - start) / (rows * repeats));
  }
  times.sort((a, b) => a - b);
  return `${times[0]?.toFixed(0)} / ${times[rounds >> 1]?.toFixed(0)}`;
}

function measure({ name, rows, codec }: Case, field: string | undefined): void {
  // One per channel, for its life.
  const writer = codec.createWriter({ hashed: true });
  const batches = encodeAll(writer, rows);
  deepStrictEqual(
    batches.flatMap((b) => codec.decode(b).values()),
    rows,
  );
  const json =
    batches.length === 0
      ? []
      : chunks(rows, Math.ceil(rows.length / batches.length)).map((c) => JSON.stringify(c));
  let sink = 0;
  console.log(
    `${name}: ${batches.length} batches, ${(batches.reduce((s, b) => s + b.length, 0) / rows.length).toFixed(0)} B a row (min / median ns per row)`,
  );
  console.log(
    `  encode ${perRow(rows.length, () => {
      sink += encodeAll(writer, rows).length;
    })}`,
  );
  console.log(
    `  decode ${perRow(rows.length, () => {
      for (const b of batches) sink += codec.decode(b).values().length;
    })}`,
  );
  if (field !== undefined) {
    console.log(
      `  decode one column ${perRow(rows.length, () => {
        for (const b of batches) {
          const numbers = codec.decode(b).column(field)?.numbers ?? [];
          for (let i = 0; i < numbers.length; i++) sink += numbers[i] ?? 0;
        }
      })}`,
    );
  }
  console.log(
    `  JSON encode ${perRow(rows.length, () => {
      for (const c of chunks(rows, 600)) sink += JSON.stringify(c).length;
    })}`,
  );
  console.log(
    `  JSON decode ${perRow(rows.length, () => {
      for (const j of json) sink += (JSON.parse(j) as unknown[]).length;
    })}`,
  );
  if (sink === 0) throw new Error("nothing was measured");
}

function chunks(rows: readonly unknown[], size: number): (readonly unknown[])[] {
  const all: (readonly unknown[])[] = [];
  for (let i = 0; i < rows.length; i += size) all.push(rows.slice(i, i + size));
  return all;
}

measure({ name: "bid, typed", rows: bids, codec: typedCodec(typeNodeOf(Bid)) }, "price");
measure({ name: "bid, adaptive", rows: bids, codec: adaptiveCodec() }, "price");
measure({ name: "two numbers", rows: pairs, codec: adaptiveCodec() }, "key");
measure({ name: "100-byte strings", rows: texts, codec: adaptiveCodec() }, undefined);
