/**
 * Bytes that no peer of ours sends, into the frame reader and the handshake: TCP-1, TCP-3, EVT-1. `MILLRACE_SEED` repeats a run.
 */
import { EventEmitter } from "node:events";
import type { Socket } from "node:net";
import { isMillraceError } from "@millrace/base";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeBarrier, decodeIdle, decodeWatermark, encodeBarrier } from "../events.ts";
import { type Frame, FrameKind } from "../transport.ts";
import { BufferPool } from "./buffer-pool.ts";
import { Connection, type ConnectionEvents } from "./connection.ts";
import { InboundTable } from "./inbound-table.ts";
import { encodeJson, encodeU32 } from "./payloads.ts";
import {
  FrameType,
  headBytes,
  maxControlBytes,
  maxPayloadBytes,
  protocolVersion,
  type WireFrame,
} from "./wire.ts";

const seed = Number(process.env["MILLRACE_SEED"] ?? 20_261);
const pool = new BufferPool();
const runs = (numRuns: number) => ({ numRuns, seed });

/** What a connection needs of a socket, without a network. */
class FakeSocket extends EventEmitter {
  readonly written: Uint8Array[] = [];
  destroyed = false;
  cork(): void {}
  uncork(): void {}
  write(bytes: Uint8Array): boolean {
    this.written.push(bytes.slice());
    return true;
  }
  destroy(): void {
    this.destroyed = true;
  }
  destroySoon(): void {
    this.destroyed = true;
  }
  /** Bytes arrive in pieces of these sizes, for as long as the socket is open. */
  arrive(bytes: Uint8Array, sizes: readonly number[] = []): void {
    for (let at = 0, i = 0; at < bytes.length && !this.destroyed; i++) {
      const size = sizes.length === 0 ? bytes.length : (sizes[i % sizes.length] ?? 1);
      this.emit("data", Buffer.from(bytes.subarray(at, at + size)));
      at += size;
    }
  }
}

/** A frame to send; its sequence, when it is not the channel's next. */
type Wire = Omit<WireFrame, "sequence"> & { readonly sequence?: number };

function receiver(): {
  readonly socket: FakeSocket;
  readonly frames: WireFrame[];
  readonly ends: unknown[];
} {
  const socket = new FakeSocket();
  const frames: WireFrame[] = [];
  const ends: unknown[] = [];
  const events = {
    onFrame: (frame: WireFrame) => void frames.push(frame),
    onEnd: (error: unknown) => void ends.push(error),
  };
  new Connection(socket as unknown as Socket, events, { pool });
  return { socket, frames, ends };
}
/** The bytes of a peer that counts its frames by channel, from 0; a hello is not counted. */
function peer(): (frames: readonly Wire[]) => Uint8Array {
  const counts = new Map<number, number>();
  return (frames) => {
    const socket = new FakeSocket();
    const nothing = { onFrame: () => {}, onEnd: () => {} };
    const connection = new Connection(socket as unknown as Socket, nothing, { pool });
    for (const { type, channel, sequence, payload } of frames) {
      const count = type === FrameType.hello ? 0 : (counts.get(channel) ?? 0);
      if (type !== FrameType.hello) counts.set(channel, count + 1);
      connection.send({ type, channel, sequence: sequence ?? count, payload });
    }
    connection.flush();
    return Buffer.concat(socket.written);
  };
}
const encoded = (frames: readonly Wire[]): Uint8Array => peer()(frames);

const anyFrame: fc.Arbitrary<WireFrame> = fc.record({
  type: fc.constantFrom<number>(
    ...Object.values(FrameType).filter((type) => type !== FrameType.ping),
    17,
    18,
    21,
    255,
  ),
  channel: fc.oneof(fc.nat(5), fc.integer({ min: 0, max: 0xffff_ffff })),
  sequence: fc.oneof(fc.nat(5), fc.integer({ min: 0, max: 0xffff_ffff })),
  payload: fc.uint8Array({ maxLength: 40 }),
});
const anySizes = fc.array(fc.integer({ min: 1, max: 30 }), { maxLength: 5 });

function expectCoded(error: unknown): void {
  expect(isMillraceError(error), String(error)).toBe(true);
  expect((error as { readonly code: string }).code).toMatch(/^EXCHANGE_/);
}

describe(`frames, seed ${seed}`, () => {
  test("TRN-1: frames come out as they went in, whatever the cut of the stream", () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 12 }), anySizes, (frames, sizes) => {
        const { socket, frames: seen, ends } = receiver();
        socket.arrive(encoded(frames), sizes);
        expect(seen).toEqual(frames);
        expect(ends).toEqual([]);
      }),
      runs(1_000),
    );
  });

  test("TCP-3: random bytes end the connection with a code or wait for more", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), anySizes, (bytes, sizes) => {
        const { socket, frames, ends } = receiver();
        socket.arrive(bytes, sizes);
        expect(frames.length).toBeLessThanOrEqual(bytes.length / headBytes);
        expect(ends.length).toBe(socket.destroyed ? 1 : 0);
        for (const error of ends) expectCoded(error);
      }),
      runs(5_000),
    );
  });

  test("TCP-3: one damaged byte, in whichever field: what is delivered is what was sent before it", () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        anySizes,
        (frames, where, flip, sizes) => {
          const bytes = encoded(frames);
          const at = where % bytes.length;
          bytes[at] = (bytes[at] ?? 0) ^ flip;
          const { socket, frames: seen, ends } = receiver();
          socket.arrive(bytes, sizes);
          let whole = 0;
          for (let end = 0; whole < frames.length; whole++) {
            end += headBytes + (frames[whole]?.payload.length ?? 0);
            if (end > at) break;
          }
          expect(seen).toEqual(frames.slice(0, whole));
          for (const error of ends) expectCoded(error);
        },
      ),
      runs(5_000),
    );
  });

  test("TCP-3: a cut stream delivers its whole frames and waits, then ends once", () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { minLength: 1, maxLength: 6 }),
        fc.nat(),
        anySizes,
        (frames, where, sizes) => {
          const bytes = encoded(frames);
          const { socket, frames: seen, ends } = receiver();
          socket.arrive(bytes.subarray(0, where % bytes.length), sizes);
          expect(seen).toEqual(frames.slice(0, seen.length));
          expect(seen.length).toBeLessThan(frames.length);
          socket.emit("close");
          socket.emit("close");
          expect(ends).toEqual([undefined]);
        },
      ),
      runs(1_000),
    );
  });

  test("TCP-3: a claim of 4 GiB is refused by its head, one below the cap allocates nothing before its bytes are there", () => {
    const before = process.memoryUsage().arrayBuffers;
    const waiting: FakeSocket[] = [];
    for (let i = 0; i < 400; i++) {
      const claim = i % 2 === 0 ? 0xffff_ffff - i : maxPayloadBytes - i;
      const head = new Uint8Array(headBytes);
      new DataView(head.buffer).setUint32(0, claim, true);
      head[4] = FrameType.data;
      const { socket, frames, ends } = receiver();
      socket.arrive(head);
      expect(frames).toEqual([]);
      if (claim > maxPayloadBytes) {
        expect(ends).toMatchObject([
          { code: "EXCHANGE_CORRUPT", fields: { reason: "frame too large", length: claim } },
        ]);
        expect(socket.destroyed).toBe(true);
      } else expect(ends).toEqual([]);
      waiting.push(socket);
    }
    const control = new Uint8Array(headBytes);
    new DataView(control.buffer).setUint32(0, maxControlBytes + 1, true);
    control[4] = FrameType.open;
    const { socket, ends } = receiver();
    socket.arrive(control);
    expect(ends).toMatchObject([{ code: "EXCHANGE_CORRUPT" }]);
    // 200 claims of 64 MB are 12.8 GB.
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(8 * 1024 * 1024);
    expect(waiting).toHaveLength(400);
  });
});

/** A listener's table with one good channel that has its producer, and connections made of fake sockets. */
function listener(): {
  readonly table: InboundTable;
  connect(): {
    readonly socket: FakeSocket;
    readonly ends: unknown[];
    readonly connection: Connection;
  };
} {
  const table = new InboundTable("scope");
  return {
    table,
    connect() {
      const socket = new FakeSocket();
      const ends: unknown[] = [];
      const events: ConnectionEvents = {
        onHead: (head) => table.head(connection, head),
        onFrame: (frame) => table.frame(connection, frame),
        onEnd: (error) => {
          ends.push(error);
          table.lost(connection, error);
        },
      };
      const connection = new Connection(socket as unknown as Socket, events, { pool });
      return { socket, ends, connection };
    },
  };
}
const goodId = { edge: "good", from: 0, to: 0 };
const hello: Wire = {
  type: FrameType.hello,
  channel: 0,
  payload: encodeJson({ scope: "scope", version: protocolVersion }),
};
const goodOpen: Wire = { type: FrameType.open, channel: 0, payload: encodeJson(goodId) };

const nothing = new Uint8Array(0);
const data = (payload: Uint8Array): Wire => ({ type: FrameType.data + 1, channel: 0, payload });

const anyPayload = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.jsonValue().map(encodeJson),
  fc.constantFrom(
    hello.payload,
    goodOpen.payload,
    encodeJson(null),
    encodeJson({ scope: "scope" }),
    encodeJson({ scope: "scope", version: protocolVersion - 1 }),
    encodeJson({ scope: "other", version: protocolVersion }),
    encodeJson({ edge: "early", from: 0, to: 1 }),
    encodeJson({ edge: "e", from: -1, to: "x" }),
    encodeU32(7),
  ),
);
const anyHostile: fc.Arbitrary<Wire> = fc.record({
  sequence: fc.option(fc.nat(3), { nil: undefined, freq: 4 }) as fc.Arbitrary<number>,
  type: fc.oneof(fc.constantFrom<number>(...Object.values(FrameType), 17, 21, 22), fc.nat(255)),
  channel: fc.oneof(fc.nat(2), fc.integer({ min: 0, max: 0xffff_ffff })),
  payload: anyPayload,
});

describe(`handshake, seed ${seed}`, () => {
  test("TCP-1, TCP-3: frames of a hostile peer end its connection with a code; a good peer's channel goes on", () => {
    fc.assert(
      fc.property(
        fc.array(anyHostile, { minLength: 1, maxLength: 6 }),
        fc.boolean(),
        (frames, greets) => {
          const { table, connect } = listener();
          const inbound = table.open(goodId);
          const failures: unknown[] = [];
          inbound.onFailure((error) => failures.push(error));
          inbound.grant(2);
          const good = connect();
          const goodPeer = peer();
          good.socket.arrive(goodPeer([hello, goodOpen]));
          const bad = connect();
          bad.socket.arrive(encoded(greets ? [hello, ...frames] : frames));
          bad.socket.emit("close");
          expect(bad.ends).toHaveLength(1);
          if (bad.socket.destroyed) expectCoded(bad.ends[0]);
          // The good peer's next batch arrives, and nothing else has.
          good.socket.arrive(
            goodPeer([{ type: FrameType.data + 1, channel: 0, payload: Uint8Array.of(1, 2) }]),
          );
          expect(good.ends).toEqual([]);
          expect(failures).toEqual([]);
          const taken: (Frame | undefined)[] = [inbound.take(), inbound.take()];
          expect(taken).toEqual([
            { kind: FrameKind.batch, payload: Uint8Array.of(1, 2) },
            undefined,
          ]);
        },
      ),
      runs(3_000),
    );
  });

  test.each([
    ["null", hello.type, encodeJson(null)],
    ["no version", hello.type, encodeJson({ scope: "scope" })],
    ["another version", hello.type, encodeJson({ scope: "scope", version: protocolVersion - 1 })],
    ["another attempt", hello.type, encodeJson({ scope: "other", version: protocolVersion })],
    ["no JSON", hello.type, Uint8Array.of(123)],
    ["another frame first", FrameType.open, goodOpen.payload],
  ])("TCP-1: a hello is refused: %s", (_what, type, payload) => {
    const { connect } = listener();
    const { socket, ends } = connect();
    socket.arrive(encoded([{ type, channel: 0, payload }]));
    expect(socket.destroyed).toBe(true);
    expectCoded(ends[0]);
  });

  test.each([
    ["a second hello", hello],
    ["an id that is none", { type: FrameType.open, channel: 3, payload: encodeJson(null) }],
    ["a channel number again", { ...goodOpen, payload: encodeJson({ ...goodId, to: 5 }) }],
    [
      "data before the consumer granted any",
      [
        { type: FrameType.open, channel: 7, payload: encodeJson({ ...goodId, to: 8 }) },
        { type: FrameType.data + 1, channel: 7, payload: Uint8Array.of(1) },
      ],
    ],
    ["a channel that has its producer", { ...goodOpen, channel: 9 }],
    ["more data than was granted", [data(Uint8Array.of(1)), data(Uint8Array.of(2, 3))]],
    ["data after the grant was used up", [data(Uint8Array.of(1, 2)), data(Uint8Array.of(3))]],
    ["empty frames without end", [data(nothing), data(nothing)]],
    ["a frame that came twice", { ...data(Uint8Array.of(1)), sequence: 0 }],
    ["a frame after a missing one", { ...data(Uint8Array.of(1)), sequence: 2 }],
    ["an opening in the middle", { ...goodOpen, channel: 4, sequence: 1 }],
    ["an unknown kind of data", { type: 40, channel: 0, payload: Uint8Array.of() }],
    ["a frame for diallers", { type: FrameType.credit, channel: 0, payload: encodeU32(1) }],
    ["an unknown type", { type: 9, channel: 0, payload: Uint8Array.of() }],
  ])("TCP-3: after the handshake is refused: %s", (_what, frames) => {
    const { table, connect } = listener();
    table.open(goodId).grant(2);
    table.open({ ...goodId, to: 5 });
    const { socket, ends } = connect();
    socket.arrive(encoded([hello, goodOpen, frames].flat()));
    expect(socket.destroyed).toBe(true);
    expectCoded(ends[0]);
  });

  test("TCP-2: a payload beyond its credit is refused by its head: none of its bytes are waited for", () => {
    const { table, connect } = listener();
    table.open(goodId).grant(1_000);
    const { socket, ends } = connect();
    const producer = peer();
    socket.arrive(producer([hello, goodOpen, data(new Uint8Array(999))]));
    expect(ends).toEqual([]);
    socket.arrive(producer([data(new Uint8Array(10_000))]).subarray(0, headBytes));
    expect(ends).toMatchObject([
      { code: "EXCHANGE_CORRUPT", fields: { granted: 1, payloadBytes: 10_000 } },
    ]);
    const stranger = connect();
    stranger.socket.arrive(producer([data(nothing)]).subarray(0, headBytes));
    expect(stranger.ends).toMatchObject([{ fields: { reason: "no hello" } }]);
  });

  test("TRN-2: one row larger than the untouched window passes, the next waits for its credit", () => {
    const { table, connect } = listener();
    const inbound = table.open(goodId);
    inbound.grant(10);
    const { socket, ends } = connect();
    const producer = peer();
    socket.arrive(producer([hello, goodOpen, data(new Uint8Array(500))]));
    expect([inbound.queuedBytes, ends]).toEqual([500, []]);
    inbound.grant(500);
    socket.arrive(producer([data(new Uint8Array(500))]));
    expect([inbound.queuedBytes, ends]).toEqual([1_000, []]);
    inbound.grant(499);
    socket.arrive(producer([data(new Uint8Array(10))]));
    expect(ends).toMatchObject([{ fields: { granted: 9, payloadBytes: 10 } }]);
  });

  test("channels that nobody opens and hints that nobody hears are bounded", () => {
    const { connect } = listener();
    const { socket, ends } = connect();
    const opens = Array.from({ length: 16_385 }, (_, channel) => ({
      type: FrameType.open,
      channel,
      payload: encodeJson({ edge: "e", from: 0, to: channel }),
    }));
    socket.arrive(encoded([hello, ...opens.slice(0, -1)]));
    expect(ends).toEqual([]);
    const again = connect();
    again.socket.arrive(
      encoded([hello, { ...goodOpen, payload: encodeJson({ edge: "one", from: 0, to: 1 }) }]),
    );
    expect(again.ends).toMatchObject([
      { fields: { reason: "too many channels that nobody opened" } },
    ]);
    const inbound = new InboundTable("scope").open(goodId);
    for (let i = 0; i < 1_024; i++) inbound.sendHint(nothing);
    expect(() => inbound.sendHint(nothing)).toThrow(
      expect.objectContaining({ code: "EXCHANGE_CORRUPT" }),
    );
  });

  test("TCP-4: a producer that opened early and was lost before the consumer came is reported", async () => {
    for (const ending of ["connection", "close frame"]) {
      const { table, connect } = listener();
      const { socket } = connect();
      const producer = peer();
      socket.arrive(producer([hello, goodOpen]));
      if (ending === "connection") socket.emit("close");
      else socket.arrive(producer([{ type: FrameType.close, channel: 0, payload: nothing }]));
      const inbound = table.open(goodId);
      const error = await new Promise((resolve) => {
        inbound.onFailure(resolve);
        setTimeout(resolve, 200, "never");
      });
      expect(error, ending).toMatchObject({ code: "EXCHANGE_PEER_LOST" });
    }
  });
});

test("TRN-4: a consumer that closed before its producer came tells it", () => {
  const { table, connect } = listener();
  table.open(goodId).close();
  const { socket, ends, connection } = connect();
  socket.arrive(encoded([hello, goodOpen]));
  connection.flush();
  const { socket: dialler, frames } = receiver();
  dialler.arrive(Buffer.concat(socket.written));
  expect(frames).toMatchObject([{ type: FrameType.close, channel: 0 }]);
  expect(ends).toEqual([]);
});

test(`EVT-1: event payloads of any bytes give a value or EXCHANGE_BAD_FRAME, seed ${seed}`, () => {
  const good = encodeBarrier({ kind: "final", checkpointId: 3, base: 2, timestamp: 5 });
  const anyEvent = fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.uint8Array({ minLength: 17, maxLength: 17 }),
    fc.tuple(fc.nat(16), fc.nat(255)).map(([at, byte]) => {
      const bytes = good.slice();
      bytes[at] = byte;
      return bytes;
    }),
  );
  fc.assert(
    fc.property(
      anyEvent,
      fc.constantFrom(decodeBarrier, decodeIdle, decodeWatermark),
      (bytes, decode) => {
        try {
          const value = decode(bytes);
          if (typeof value === "object") expect(encodeBarrier(value)).toEqual(bytes);
          else if (typeof value === "number") expect(Number.isNaN(value)).toBe(false);
        } catch (error) {
          expect(error).toMatchObject({ code: "EXCHANGE_BAD_FRAME" });
        }
      },
    ),
    runs(5_000),
  );
});
