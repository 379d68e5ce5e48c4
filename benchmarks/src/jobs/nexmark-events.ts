/**
 * Events after the public Nexmark generator: of 50 events one is a person, three are auctions, 46 are bids; ids, prices, hot keys and fields
 * follow it. Unlike it, an event is made from its index alone, so that it is the same whenever it is made again.
 *
 * NXM-1  Event n carries the time n / 100 ms: 100,000 events a second of event time.
 */

export interface Person {
  readonly kind: 0;
  readonly dateTime: number;
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  readonly extra: string;
}
export interface Auction {
  readonly kind: 1;
  readonly dateTime: number;
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  readonly initialBid: number;
  readonly reserve: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}
export interface Bid {
  readonly kind: 2;
  readonly dateTime: number;
  readonly auction: number;
  readonly bidder: number;
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly extra: string;
}
export type Event = Person | Auction | Bid;
export const isPerson = (event: Event): event is Person => event.kind === 0;
export const isAuction = (event: Event): event is Auction => event.kind === 1;
export const isBid = (event: Event): event is Bid => event.kind === 2;

const firstId = 1_000;
const group = 50;
const auctionsOfGroup = 3;
const hotEvery = 100;
const activePeople = 1_000;
const openAuctions = 100;
const idLead = 10;
const eventsPerMs = 100;

const firstNames = "Peter Paul Luke John Saul Vicky Kate Julie Sarah Deiter Walter".split(" ");
const lastNames = "Shultz Abrams Spencer White Bartels Walton Smith Jones Noris".split(" ");
const cities = [
  ...["Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond"],
  ...["Seattle", "Kent", "Cheyenne"],
];
const states = "AZ CA ID OR WA WY".split(" ");
const hotChannels = ["Google", "Facebook", "Baidu", "Apple"];
const hotUrls = hotChannels.map((_, i) => urlOf(i * 31));
const channels = Array.from({ length: 10_000 }, (_, i) => `channel-${i}`);
const urls = channels.map((_, i) => urlOf(i) + (i % 10 === 0 ? "" : `&channel_id=${i * 7}`));
const words = Array.from({ length: 1_024 }, (_, i) => padOf(i, 8 + (i % 13)));
const pads = (bytes: number) =>
  Array.from({ length: 1_024 }, (_, i) => padOf(i, Math.round(bytes * (0.8 + (i % 41) / 100))));
const personPads = pads(100);
const auctionPads = pads(350);
const bidPads = pads(68);
const descriptions = pads(60);
const cards = Array.from({ length: 1_024 }, (_, i) => `${1_000 + i} ${2_000 + i} 3456 7890`);

function urlOf(i: number): string {
  return `https://www.nexmark.com/${padOf(i, 5)}/${padOf(i * 3, 5)}/${padOf(i * 7, 5)}/item.htm?query=1`;
}
function padOf(seed: number, length: number): string {
  let text = "";
  for (let i = 0; i < length; i++) text += String.fromCharCode(97 + ((seed * 7 + i * i) % 26));
  return Buffer.from(text, "latin1").toString("latin1");
}

let seed = 0;
/** A whole number below 2³¹; those of one event follow from its index (xorshift). */
function random(): number {
  seed ^= seed << 13;
  seed ^= seed >>> 17;
  seed ^= seed << 5;
  return seed & 0x7fffffff;
}
const below = (n: number): number => random() % n;
const pick = (from: readonly string[]): string => from[below(from.length)] ?? "";
/** Log-uniform from 100 to 10⁸. */
const price = (): number => Math.round(10 ** ((random() / 2 ** 31) * 6) * 100);

export function eventAt(n: number): Event {
  seed = Math.imul(n + 1, 0x9e3779b1) | 1;
  random();
  const dateTime = Math.floor(n / eventsPerMs);
  const at = n % group;
  const groups = (n - at) / group;
  if (at === 0) return personOf(groups, dateTime);
  const lastAuction = groups * auctionsOfGroup + Math.min(at, auctionsOfGroup) - 1;
  return at <= auctionsOfGroup
    ? auctionOf(lastAuction, groups, dateTime)
    : bidOf(lastAuction, groups, dateTime);
}

function personOf(index: number, dateTime: number): Person {
  const first = pick(firstNames);
  const last = pick(lastNames);
  return {
    ...{ kind: 0, dateTime, id: firstId + index, name: `${first} ${last}` },
    ...{ emailAddress: `${pick(words)}@${pick(words)}.com`, creditCard: pick(cards) },
    ...{ city: pick(cities), state: pick(states), extra: pick(personPads) },
  };
}
function auctionOf(index: number, lastPerson: number, dateTime: number): Auction {
  const initialBid = price();
  return {
    ...{ kind: 1, dateTime, id: firstId + index, itemName: pick(words) },
    ...{ description: pick(descriptions), initialBid, reserve: initialBid + price() },
    expires: dateTime + 1 + below(2 * ((openAuctions * group) / auctionsOfGroup / eventsPerMs + 1)),
    seller: firstId + (below(4) > 0 ? hotOf(lastPerson) : activePerson(lastPerson)),
    ...{ category: 10 + below(5), extra: pick(auctionPads) },
  };
}
function bidOf(lastAuction: number, lastPerson: number, dateTime: number): Bid {
  const auction = below(2) > 0 ? hotOf(lastAuction) : openAuction(lastAuction);
  const bidder = below(4) > 0 ? hotOf(lastPerson) + 1 : activePerson(lastPerson);
  const isHot = below(2) > 0;
  const channel = isHot ? below(hotChannels.length) : below(channels.length);
  return {
    kind: 2,
    dateTime,
    auction: firstId + auction,
    bidder: firstId + bidder,
    price: price(),
    channel: (isHot ? hotChannels : channels)[channel] ?? "",
    url: (isHot ? hotUrls : urls)[channel] ?? "",
    extra: pick(bidPads),
  };
}
const hotOf = (last: number): number => last - (last % hotEvery);
const activePerson = (last: number): number => {
  const active = Math.min(last + 1, activePeople);
  return last - active + 1 + below(active + idLead);
};
const openAuction = (last: number): number => {
  const open = Math.min(last + 1, openAuctions);
  return last - open + 1 + below(open + idLead);
};
