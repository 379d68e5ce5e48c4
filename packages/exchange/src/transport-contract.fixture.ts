/** What every transport must do (TRN-1..6), run against each of them. */
import { expect, test, vi } from "vitest";
import { Credit } from "./credit.ts";
import {
  type ChannelId,
  type Frame,
  FrameKind,
  type InboundChannel,
  type OutboundChannel,
  type Transport,
} from "./transport.ts";

export interface TransportPair {
  readonly producer: Transport;
  readonly consumer: Transport;
  /** Ends the producing side as a killed process would. */
  kill(): void;
  close(): Promise<void>;
}
const id: ChannelId = { edge: "e0", from: 0, to: 1 };
const bytes = (n: number, fill = 7) => new Uint8Array(n).fill(fill);

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 3_000;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

export function transportContract(
  name: string,
  open: (scopes?: readonly [string, string]) => Promise<TransportPair>,
  how: {
    /** A peer of another attempt is refused; false: there is no way to it at all. */
    readonly refuses: boolean;
    /** Both ends are one slot's: neither outlives the other. */
    readonly alone?: boolean;
  },
): void {
  const { refuses } = how;
  const withPair = (run: (pair: TransportPair) => Promise<void>) => async () => {
    const pair = await open();
    try {
      await run(pair);
    } finally {
      await pair.close();
    }
  };
  const both = (
    pair: TransportPair,
    credit: number,
    channel = id,
  ): [OutboundChannel, InboundChannel] => {
    const inbound = pair.consumer.openInbound(channel, credit, pair.producer.address);
    return [pair.producer.openOutbound(channel, pair.consumer.address), inbound];
  };

  test(
    `${name} TRN-1: frames arrive in order, each once`,
    withPair(async (pair) => {
      const [out, inbound] = both(pair, 1 << 20);
      await until(() => out.credit > 0, "credit");
      for (let i = 0; i < 500; i++)
        out.send(
          i % 5 === 4 ? FrameKind.watermark : FrameKind.batch,
          Uint8Array.of(i & 255, i >> 8),
        );
      const seen: number[] = [];
      await until(() => {
        for (let frame = inbound.take(); frame !== undefined; frame = inbound.take()) {
          seen.push((frame.payload[0] ?? 0) | ((frame.payload[1] ?? 0) << 8));
          expect(frame.kind).toBe(
            (seen.length - 1) % 5 === 4 ? FrameKind.watermark : FrameKind.batch,
          );
        }
        return seen.length === 500;
      }, "500 frames");
      expect(seen).toEqual(Array.from({ length: 500 }, (_, i) => i));
    }),
  );

  test(
    `${name} TRN-2: nothing goes without credit; the receiver's grant lets it go on`,
    withPair(async (pair) => {
      const [out, inbound] = both(pair, 100);
      expect(out.credit).toBe(0);
      expect(out.mayGo(1)).toBe(false);
      expect(() => out.send(FrameKind.batch, bytes(1))).toThrow();
      await until(() => out.credit === 100, "first credit");
      out.send(FrameKind.batch, bytes(60));
      expect(out.mayGo(41)).toBe(false);
      out.send(FrameKind.batch, bytes(40));
      expect(out.mayGo(1)).toBe(false);
      await until(() => inbound.queuedBytes === 100, "both frames");
      let woken = 0;
      out.onCredit(() => {
        woken += 1;
      });
      inbound.grant(100);
      await until(() => woken > 0, "credit is announced");
      expect(out.credit).toBe(100);
    }),
  );

  test(
    `${name} TRN-2: a frame larger than the window passes while the window is untouched`,
    withPair(async (pair) => {
      const [out, inbound] = both(pair, 100);
      await until(() => out.credit === 100, "credit");
      expect(out.mayGo(5_000)).toBe(true);
      out.send(FrameKind.batch, bytes(5_000));
      expect(out.mayGo(1)).toBe(false);
      await until(() => inbound.queuedBytes === 5_000, "the frame");
      inbound.grant(5_000);
      await until(() => out.credit === 100, "credit is whole again");
    }),
  );

  test(
    `${name}: either end may open first, and hints reach the producer before and after`,
    withPair(async (pair) => {
      const hints: string[] = [];
      const early = { edge: "e1", from: 0, to: 0 };
      const out = pair.producer.openOutbound(early, pair.consumer.address);
      const inbound = pair.consumer.openInbound(early, 10, pair.producer.address);
      inbound.sendHint(new TextEncoder().encode("a"));
      out.onHint((payload) => hints.push(new TextDecoder().decode(payload)));
      inbound.sendHint(new TextEncoder().encode("b"));
      await until(() => hints.length === 2 && out.credit === 10, "hints and credit");
      expect(hints).toEqual(["a", "b"]);
    }),
  );

  test(
    `${name} TRN-2: a frame of 10 MB passes, and what follows it`,
    withPair(async (pair) => {
      const [out, inbound] = both(pair, 100_000);
      await until(() => out.credit === 100_000, "credit");
      const row = Uint8Array.from({ length: 10_000_000 }, (_, i) => i % 251);
      for (const payload of [bytes(10), row, bytes(20)]) {
        await until(() => out.mayGo(payload.length), "room");
        out.send(FrameKind.batch, payload);
        let frame: Frame | undefined;
        await until(() => {
          frame = inbound.take();
          return frame !== undefined;
        }, "the frame");
        expect(Buffer.compare(frame?.payload ?? bytes(0), payload)).toBe(0);
        inbound.grant(payload.length);
        await until(() => out.credit === 100_000, "credit again");
      }
    }),
  );

  test(
    `${name} TRN-3: credit passes while the data of a full channel waits`,
    withPair(async (pair) => {
      const [full] = both(pair, 10);
      const [free, inbound] = both(pair, 10, { edge: "e2", from: 0, to: 0 });
      await until(() => full.credit === 10 && free.credit === 10, "credit");
      full.send(FrameKind.batch, bytes(10));
      free.send(FrameKind.batch, bytes(10));
      await until(() => inbound.queuedBytes === 10, "frame");
      inbound.grant(10);
      await until(() => free.credit === 10, "credit of the other channel");
      expect(full.credit).toBe(0);
    }),
  );

  const testOfTwo = how.alone === true ? () => {} : test;
  testOfTwo(
    `${name} TRN-4: a peer's death is told once, after what had arrived`,
    withPair(async (pair) => {
      const [out, inbound] = both(pair, 1_000);
      await until(() => out.credit > 0, "credit");
      out.send(FrameKind.batch, bytes(10));
      await until(() => inbound.queuedBytes === 10, "frame");
      let failures = 0;
      inbound.onFailure(() => {
        failures += 1;
      });
      pair.kill();
      await until(() => failures > 0, "failure");
      expect(inbound.take()?.payload.length).toBe(10);
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(failures).toBe(1);
    }),
  );

  testOfTwo(
    `${name} TRN-5: a peer of another attempt gets no credit, and is told so where it dialled`,
    async () => {
      const pair = await open(["job 1.1", "job 1.2"]);
      try {
        const [out, inbound] = both(pair, 100);
        const failures: unknown[] = [];
        out.onFailure((error) => failures.push(error));
        if (refuses) await until(() => failures.length > 0, "the refusal");
        else await new Promise((resolve) => setTimeout(resolve, 50));
        expect(failures).toMatchObject(refuses ? [{ code: "EXCHANGE_PEER_LOST" }] : []);
        expect(out.credit).toBe(0);
        expect(inbound.queuedBytes).toBe(0);
      } finally {
        await pair.close();
      }
    },
  );

  test(
    `${name} TRN-2: a producer that sends without credit fails the channel at both ends, once`,
    withPair(async (pair) => {
      const [out, inbound] = both(pair, 1_000);
      await until(() => out.credit > 0, "credit");
      const failures: [string, unknown][] = [];
      inbound.onFailure((error) => failures.push(["consumer", error]));
      out.onFailure((error) => failures.push(["producer", error]));
      const spend = vi.spyOn(Credit.prototype, "spend").mockImplementation(() => {});
      try {
        for (let i = 0; i < 100; i++) out.send(FrameKind.batch, bytes(300));
      } finally {
        spend.mockRestore();
      }
      await until(() => failures.length === 2, "both ends fail");
      await new Promise((resolve) => setTimeout(resolve, 20));
      expect(failures.map(([end]) => end).sort()).toEqual(["consumer", "producer"]);
      expect(new Map(failures).get("consumer")).toMatchObject({
        code: "EXCHANGE_PEER_LOST",
        cause: { code: "EXCHANGE_CORRUPT", fields: { reason: "data without credit" } },
      });
      expect(inbound.queuedBytes).toBe(900);
    }),
  );

  test(
    `${name} TRN-6: what is written over after \`send\`, or sent after a grant, does not show in what was taken and not granted`,
    withPair(async (pair) => {
      const [out, inbound] = both(pair, 3_000);
      await until(() => out.credit > 0, "credit");
      const buffer = new Uint8Array(1_000);
      const taken: Uint8Array[] = [];
      let sent = 0;
      for (let round = 0; round < 50; round++) {
        await until(() => out.mayGo(buffer.length), "credit again");
        while (out.mayGo(buffer.length)) {
          out.send(FrameKind.batch, buffer.fill(sent++));
          buffer.fill(255);
        }
        await until(() => {
          const frame = inbound.take();
          if (frame !== undefined) taken.push(frame.payload);
          return taken.length >= 2;
        }, "two frames");
        for (const [i, payload] of taken.entries())
          expect(payload).toEqual(bytes(1_000, round + i));
        taken.shift();
        inbound.grant(1_000);
      }
      expect(sent).toBeGreaterThan(50);
    }),
  );

  test(
    `${name}: many channels over one pair keep apart`,
    withPair(async (pair) => {
      const channels = Array.from({ length: 20 }, (_, to) =>
        both(pair, 4_096, { edge: "e", from: 1, to }),
      );
      await until(() => channels.every(([out]) => out.credit > 0), "credit everywhere");
      for (let round = 0; round < 20; round++)
        channels.forEach(([out], i) => {
          out.send(FrameKind.batch, Uint8Array.of(i, round));
        });
      await until(() => channels.every(([, inbound]) => inbound.queuedBytes === 40), "all frames");
      channels.forEach(([, inbound], i) => {
        for (let round = 0; round < 20; round++)
          expect([...(inbound.take()?.payload ?? [])]).toEqual([i, round]);
      });
    }),
  );
}
