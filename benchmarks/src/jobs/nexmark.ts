/**
 * Queries after Nexmark, written in the DataStream API; an event is a person, an auction or a bid.
 *
 *   gen   the source alone: its time is in all others
 *   q0    every bid, passed through
 *   q1    every bid with its price in another currency
 *   q2    bids for auctions whose number is a multiple of 123
 *   q3    who sells in category 10 from OR, ID or CA: an updating join of people and auctions, kept for ever
 *   q12   bids of each bidder in 10 s; of event time, where the public query takes the clock's
 *
 * Flink's figures are of its SQL, planned and with mini-batches. The loops call the generator and have Maps; they exchange nothing.
 */
import {
  agg,
  type DataStream,
  type Env,
  state,
  TumblingEventTimeWindows,
  t,
  Watermarks,
} from "@millrace/api";
import { type Benchmark, engine, type Run } from "../benchmark.ts";
import { discard, records } from "../streams.ts";
import {
  type Auction,
  type Bid,
  type Event,
  eventAt,
  isAuction,
  isBid,
  isPerson,
  type Person,
} from "./nexmark-events.ts";

const windowMs = 10_000;
const categoryWanted = 10;
const isNear = (person: Person): boolean =>
  person.state === "OR" || person.state === "ID" || person.state === "CA";
const exchanged = (bid: Bid): Bid => ({
  ...{ kind: 2, dateTime: bid.dateTime, auction: bid.auction, bidder: bid.bidder },
  ...{ price: bid.price * 0.908, channel: bid.channel, url: bid.url, extra: bid.extra },
});
const foldOfBid = (bid: Bid): number => bid.auction + bid.bidder + Math.floor(bid.price);

const events = (env: Env, run: Run): DataStream<Event> =>
  records<Event>(env, run, eventAt, {
    watermarks: Watermarks.boundedOutOfOrderness<Event>("4s", { timestamps: "dateTime" }),
  });
const bids = (env: Env, run: Run): DataStream<Bid> => events(env, run).filter(isBid);

function generator(env: Env, run: Run): void {
  events(env, run)
    .sinkTo(discard<Event>(run, (event) => event.kind + event.dateTime))
    .uid("out");
}
function q0(env: Env, run: Run): void {
  bids(env, run).sinkTo(discard<Bid>(run, foldOfBid)).uid("out");
}
function q1(env: Env, run: Run): void {
  bids(env, run).map(exchanged).sinkTo(discard<Bid>(run, foldOfBid)).uid("out");
}
interface Price {
  readonly auction: number;
  readonly price: number;
}
const foldOfPrice = (row: Price): number => row.auction + row.price;
function q2(env: Env, run: Run): void {
  bids(env, run)
    .filter((bid) => bid.auction % 123 === 0)
    .map((bid): Price => ({ auction: bid.auction, price: bid.price }))
    .sinkTo(discard<Price>(run, foldOfPrice))
    .uid("out");
}

interface Seller {
  readonly name: string;
  readonly city: string;
  readonly state: string;
}
/** A person, or an auction of that person's. */
interface Side extends Seller {
  readonly person: number;
  /** 0: of the person itself. */
  readonly auction: number;
}
const sideType = t.object({
  person: t.float64,
  auction: t.float64,
  ...{ name: t.string, city: t.string, state: t.string },
});
const sellerType = t.object({ name: t.string, city: t.string, state: t.string });
interface Sale extends Seller {
  readonly auction: number;
}
const saleType = t.object({
  ...{ name: t.string, city: t.string, state: t.string, auction: t.float64 },
});
const foldOfSale = (row: Sale): number => row.auction + row.name.length + row.city.charCodeAt(0);
function q3(env: Env, run: Run): void {
  const all = events(env, run);
  const people = all
    .filter(isPerson)
    .filter(isNear)
    .map(
      (p): Side => ({ person: p.id, auction: 0, name: p.name, city: p.city, state: p.state }),
      sideType,
    );
  const auctions = all
    .filter(isAuction)
    .filter((auction) => auction.category === categoryWanted)
    .map(
      (a): Side => ({ person: a.seller, auction: a.id, name: "", city: "", state: "" }),
      sideType,
    );
  people
    .union(auctions)
    .keyBy("person")
    .process({
      state: {
        seller: state.value(sellerType),
        auctions: state.value(t.array(t.float64), { default: [] }),
      },
      output: saleType,
      onElement(side, ctx) {
        const { seller, auctions: open } = ctx.state;
        if (side.auction === 0) {
          const { name, city, state: home } = side;
          seller.update({ name, city, state: home });
          for (const auction of open.value()) ctx.collect({ name, city, state: home, auction });
          return;
        }
        open.update([...open.value(), side.auction]);
        const known = seller.value();
        if (known !== undefined) ctx.collect({ ...known, auction: side.auction });
      },
    })
    .uid("sales")
    .sinkTo(discard<Sale>(run, foldOfSale))
    .uid("out");
}

interface Count {
  readonly bidder: number;
  readonly count: number;
  readonly start: number;
}
const foldOfCount = (row: Count): number => row.bidder + row.count + row.start;
function q12(env: Env, run: Run): void {
  bids(env, run)
    .map(
      (bid) => ({ bidder: bid.bidder, dateTime: bid.dateTime }),
      t.object({ bidder: t.float64, dateTime: t.timestamp }),
    )
    .keyBy("bidder")
    .window(TumblingEventTimeWindows.of("10s"))
    .aggregate({ count: agg.count() }, ({ count }, { key, window }): Count => {
      return { bidder: key, count, start: window.start };
    })
    .uid("counts")
    .sinkTo(discard<Count>(run, foldOfCount))
    .uid("out");
}

/** Calls `take` with every event, and ends. */
function eachByHand({ records: count, warm, probe }: Run, take: (event: Event) => void): void {
  const next = probe.source(eventAt, warm);
  for (let i = 0; i < count; i++) take(next(i));
}
const folding =
  (fold: (event: Event) => number | undefined) =>
  (run: Run): void => {
    const { probe } = run;
    eachByHand(run, (event) => {
      const value = fold(event);
      if (value === undefined) return;
      probe.fold = (probe.fold + value) | 0;
      probe.count += 1;
    });
    probe.end();
  };
function q3ByHand(run: Run): void {
  const { probe } = run;
  const sellers = new Map<number, Person>();
  const open = new Map<number, Auction[]>();
  const emit = ({ name, city, state: home }: Person, auction: Auction): void => {
    const sale = { name, city, state: home, auction: auction.id };
    probe.fold = (probe.fold + foldOfSale(sale)) | 0;
    probe.count += 1;
  };
  eachByHand(run, (event) => {
    if (event.kind === 0 && isNear(event)) {
      sellers.set(event.id, event);
      for (const auction of open.get(event.id) ?? []) emit(event, auction);
    } else if (event.kind === 1 && event.category === categoryWanted) {
      const of = open.get(event.seller);
      if (of === undefined) open.set(event.seller, [event]);
      else of.push(event);
      const seller = sellers.get(event.seller);
      if (seller !== undefined) emit(seller, event);
    }
  });
  probe.end();
}
function q12ByHand(run: Run): void {
  const { probe } = run;
  let counts = new Map<number, number>();
  let start = 0;
  const close = (): void => {
    for (const [bidder, count] of counts) {
      probe.fold = (probe.fold + foldOfCount({ bidder, count, start })) | 0;
      probe.count += 1;
    }
    counts = new Map();
  };
  eachByHand(run, (event) => {
    if (event.kind !== 2) return;
    if (event.dateTime >= start + windowMs) {
      close();
      start = event.dateTime - (event.dateTime % windowMs);
    }
    counts.set(event.bidder, (counts.get(event.bidder) ?? 0) + 1);
  });
  close();
  probe.end();
}

const shape = { parallelism: 1, deployment: "in process", records: 6_000_000 } as const;
export const nexmark: readonly Benchmark[] = [
  {
    name: "nexmark-gen",
    what: "the generator of events alone; per event",
    ...shape,
    aim: "≤ 300",
    flinkNs: "810–920",
    builds: { [engine]: generator },
    loops: { "by hand": folding((event) => event.kind + event.dateTime) },
  },
  {
    name: "nexmark-q0",
    what: "bids, passed through; per event, generator included",
    ...shape,
    flinkNs: "1,080–1,100",
    builds: { [engine]: q0 },
    loops: { "by hand": folding((event) => (isBid(event) ? foldOfBid(event) : undefined)) },
  },
  {
    name: "nexmark-q1",
    what: "bids in another currency; per event, generator included",
    ...shape,
    flinkNs: "1,060–1,180",
    builds: { [engine]: q1 },
    loops: {
      "by hand": folding((event) => (isBid(event) ? foldOfBid(exchanged(event)) : undefined)),
    },
  },
  {
    name: "nexmark-q2",
    what: "bids for every 123rd auction; per event, generator included",
    ...shape,
    flinkNs: "950–1,040",
    builds: { [engine]: q2 },
    loops: {
      "by hand": folding((event) =>
        isBid(event) && event.auction % 123 === 0
          ? foldOfPrice({ auction: event.auction, price: event.price })
          : undefined,
      ),
    },
  },
  {
    name: "nexmark-q3",
    what: "an updating join of people and auctions; per event, generator included",
    ...shape,
    flinkNs: "1,120–1,130",
    builds: { [engine]: q3 },
    loops: { "by hand": q3ByHand },
  },
  {
    name: "nexmark-q12",
    what: "bids of each bidder in 10 s; per event, generator included",
    ...shape,
    flinkNs: "2,060",
    builds: { [engine]: q12 },
    loops: { "by hand": q12ByHand },
  },
];
