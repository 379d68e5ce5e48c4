/**
 * Frames from one worker thread to another: rings, TCP on loopback, and MessagePort beside them, in turns.
 *
 *   node packages/exchange/src/node/transports.bench.ts [rounds] [ways] [load]      5 rings,tcp "32 KB"
 *
 * CPU is that of the whole process (both ends, and the kernel's part); every figure is minimum / median of the rounds.
 */
import { fileURLToPath } from "node:url";
import { parentPort, Worker, workerData } from "node:worker_threads";
import { FrameKind, type InboundChannel, type OutboundChannel } from "../transport.ts";
import { openSlotTransport, type RingSeat, ringSeats, type SlotAddress } from "./slot-transport.ts";

const windowBytes = 256 * 1024;
const sliceMs = 1;
const rowBytes = 16;
type Way = "rings" | "tcp" | "port";
const ways = (process.argv[3] ?? "rings,tcp,port").split(",") as readonly Way[];
/** What the producer is told to send; the consumer answers when it has come. */
interface Load {
  readonly way: Way;
  readonly name: string;
  readonly frames: number;
  readonly bytes: number;
  /** Encode rows of two numbers into every frame, and add them up. */
  readonly rows?: boolean;
  /** One frame, then a rest of so many ms. */
  readonly restMs?: number;
}
interface Start {
  readonly rings: RingSeat;
}

const scope = "bench";
const host = "127.0.0.1";
const monotonic = (): number => Number(process.hrtime.bigint()) / 1_000;

if (parentPort === null) await main();
else await produce(workerData as Start);

// ── the producer ─────────────────────────────────────────────────────────────────────────────

async function produce({ rings }: Start): Promise<void> {
  const port = parentPort as NonNullable<typeof parentPort>;
  const near = await openSlotTransport({ host, scope, rings });
  const far = await openSlotTransport({ host, scope });
  port.postMessage({ near: near.address, far: far.address });
  let slots: readonly SlotAddress[] = [];
  let farPeer: SlotAddress | undefined;
  port.on(
    "message",
    (message: {
      slots?: readonly SlotAddress[];
      far?: SlotAddress;
      load?: Load;
      channel?: number;
    }) => {
      if (message.slots !== undefined) {
        slots = message.slots;
        farPeer = message.far;
        near.meet(slots);
        return;
      }
      const { load, channel } = message;
      if (load === undefined || channel === undefined) return;
      const id = { edge: load.way, from: 0, to: channel };
      if (load.way === "port") return sendByPort(load);
      const out =
        load.way === "rings"
          ? near.openOutbound(id, slots[0] as SlotAddress)
          : far.openOutbound(id, farPeer as SlotAddress);
      send(load, out);
    },
  );
}

function payloadOf({ bytes, rows, restMs }: Load): () => Uint8Array {
  const payload = new Uint8Array(bytes);
  const numbers = new Float64Array(payload.buffer, 0, bytes >> 3);
  let next = 0;
  if (restMs !== undefined)
    return () => {
      numbers[0] = monotonic();
      return payload;
    };
  if (rows !== true) return () => payload;
  return () => {
    for (let i = 0; i < numbers.length; i += 2) {
      numbers[i] = next & 1_023;
      numbers[i + 1] = next++ * 0.5;
    }
    return payload;
  };
}
function send(load: Load, out: OutboundChannel): void {
  const make = payloadOf(load);
  let left = load.frames;
  let scheduled = false;
  const turn = () => {
    scheduled = false;
    const end = performance.now() + sliceMs;
    while (left > 0 && out.mayGo(load.bytes)) {
      out.send(FrameKind.batch, make());
      left -= 1;
      if (load.restMs !== undefined) return void setTimeout(schedule, load.restMs);
      if ((left & 7) === 0 && performance.now() > end) break;
    }
    if (left > 0 && out.mayGo(load.bytes)) schedule();
  };
  const schedule = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(turn);
  };
  out.onCredit(() => {
    if (load.restMs === undefined || left === load.frames) schedule();
  });
  schedule();
}
function sendByPort(load: Load): void {
  const port = parentPort as NonNullable<typeof parentPort>;
  const make = payloadOf(load);
  let left = load.frames;
  const turn = () => {
    // No credit here: as many as a window holds, then a turn of the loop.
    for (let bytes = 0; left > 0 && bytes < windowBytes; bytes += load.bytes) {
      const copy = make().slice();
      port.postMessage(copy, [copy.buffer]);
      left -= 1;
      if (load.restMs !== undefined) return void setTimeout(turn, load.restMs);
    }
    if (left > 0) setImmediate(turn);
  };
  turn();
}

// ── the consumer ─────────────────────────────────────────────────────────────────────────────

interface Came {
  readonly sum: number;
  readonly waitsUs: readonly number[];
}
function reader({ rows, restMs }: Load): { read(payload: Uint8Array): void; came(): Came } {
  let sum = 0;
  const waitsUs: number[] = [];
  return {
    read(payload) {
      if (restMs !== undefined) {
        const at = new Float64Array(payload.buffer, payload.byteOffset, 1)[0] ?? 0;
        waitsUs.push(monotonic() - at);
      } else if (rows === true) {
        const numbers = new Float64Array(payload.buffer, payload.byteOffset, payload.length >> 3);
        for (let i = 1; i < numbers.length; i += 2) sum += numbers[i] ?? 0;
      } else sum += payload[0] ?? 0;
    },
    came: () => ({ sum, waitsUs }),
  };
}
function receive(load: Load, inbound: InboundChannel): Promise<Came> {
  const { read, came } = reader(load);
  return new Promise((resolve) => {
    let left = load.frames;
    let scheduled = false;
    const turn = () => {
      scheduled = false;
      const end = performance.now() + sliceMs;
      for (let frame = inbound.take(); frame !== undefined; frame = inbound.take()) {
        read(frame.payload);
        inbound.grant(frame.payload.length);
        left -= 1;
        if ((left & 7) === 0 && performance.now() > end) {
          schedule();
          break;
        }
      }
      if (left === 0) resolve(came());
    };
    const schedule = () => {
      if (scheduled) return;
      scheduled = true;
      setImmediate(turn);
    };
    inbound.onFrame(schedule);
  });
}

async function main(): Promise<void> {
  const rounds = Number(process.argv[2] ?? 5);
  const [own, rings] = ringSeats([0, 1]) as [RingSeat, RingSeat];
  const near = await openSlotTransport({ host, scope, rings: own });
  const far = await openSlotTransport({ host, scope });
  const worker = new Worker(fileURLToPath(import.meta.url), {
    workerData: { rings } satisfies Start,
    transferList: rings.ports.map(({ port }) => port),
  });
  const peer = await new Promise<{ near: SlotAddress; far: SlotAddress }>((resolve) =>
    worker.once("message", resolve),
  );
  const slots = [
    { slot: 0, ...near.address },
    { ...peer.near, slot: 1 },
  ];
  near.meet(slots);
  worker.postMessage({ slots, far: far.address });
  let channel = 0;
  const run = async (load: Load): Promise<Came & { cpuNs: number; wallNs: number }> => {
    const id = { edge: load.way, from: 0, to: channel++ };
    const cpu = process.cpuUsage();
    const wall = performance.now();
    let came: Promise<Came>;
    if (load.way === "port") {
      const { read, came: seen } = reader(load);
      came = new Promise((resolve) => {
        let left = load.frames;
        worker.on("message", function listen(payload: Uint8Array) {
          read(payload);
          if (--left > 0) return;
          worker.off("message", listen);
          resolve(seen());
        });
      });
    } else
      came = receive(
        load,
        load.way === "rings"
          ? near.openInbound(id, windowBytes, slots[1] as SlotAddress)
          : far.openInbound(id, windowBytes, peer.far),
      );
    worker.postMessage({ load, channel: id.to });
    const result = await came;
    const used = process.cpuUsage(cpu);
    return {
      ...result,
      cpuNs: (used.user + used.system) * 1_000,
      wallNs: (performance.now() - wall) * 1e6,
    };
  };

  const loads = [
    { name: "100 B", frames: 200_000, bytes: 100 },
    { name: "32 KB", frames: 20_000, bytes: 32 * 1024 },
    { name: "64 KB", frames: 10_000, bytes: 64 * 1024 },
    { name: "two numbers", frames: 6_000, bytes: 3_000 * rowBytes, rows: true },
  ];
  for (const load of loads) {
    if (process.argv[4] !== undefined && process.argv[4] !== load.name) continue;
    const seen = new Map<Way, { cpuNs: number; wallNs: number }[]>(ways.map((way) => [way, []]));
    const sums = new Set<number>();
    // One round that does not count: what is compiled late is compiled then.
    for (let round = 0; round <= rounds; round++)
      for (const way of ways) {
        const { sum, ...cost } = await run({ ...load, way });
        sums.add(sum);
        if (round > 0) seen.get(way)?.push(cost);
      }
    if (sums.size !== 1) throw new Error(`${load.name}: sums differ`);
    console.log(`${load.name}, ${load.frames} frames`);
    for (const [way, costs] of seen) {
      const cpu = spread(costs.map(({ cpuNs }) => cpuNs / load.frames));
      const wall = spread(costs.map(({ wallNs }) => wallNs / load.frames));
      const rate =
        load.rows === true
          ? `  ${((load.bytes / rowBytes / wall.min) * 1_000).toFixed(0)} M rows/s, ${((cpu.min * rowBytes) / load.bytes).toFixed(1)} ns CPU a row`
          : `  ${(cpu.min / load.bytes).toFixed(3)} ns CPU a byte`;
      console.log(`  ${way.padEnd(6)} CPU ${text(cpu)} ns a frame, wall ${text(wall)}${rate}`);
    }
  }
  if (process.argv[4] !== undefined) process.exit(0);
  console.log("a frame every 2 ms: from send to read, µs");
  for (const way of ways) {
    await run({ way, name: "warm", frames: 50, bytes: 16, restMs: 2 });
    const { waitsUs, cpuNs } = await run({
      way,
      name: "waits",
      frames: 1_000,
      bytes: 16,
      restMs: 2,
    });
    const sorted = [...waitsUs].sort((a, b) => a - b);
    const at = (share: number) => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
    console.log(
      `  ${way.padEnd(6)} p50 ${at(0.5)}, p99 ${at(0.99)}; ${(cpuNs / 1e6).toFixed(0)} µs CPU a frame`,
    );
  }
  const cpu = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const used = process.cpuUsage(cpu);
  console.log(`idle: ${(((used.user + used.system) / 3e6) * 100).toFixed(2)} % of a core`);
  process.exit(0);
}

function spread(values: readonly number[]): { readonly min: number; readonly median: number } {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0] ?? 0, median: sorted[sorted.length >> 1] ?? 0 };
}
function text({ min, median }: { readonly min: number; readonly median: number }): string {
  return `${min.toFixed(0)} / ${median.toFixed(0)}`;
}
