import { expect, test } from "vitest";
import { TaskMailbox } from "./mailbox.ts";

const never = () => false;

test("MBX-1: letters run in order, never inside the call that submitted them; those that come meanwhile wait", () => {
  const log: string[] = [];
  let woken = 0;
  const mailbox = new TaskMailbox(() => woken++);
  mailbox.execute(() => {
    log.push("a");
    mailbox.execute(() => log.push("c"));
    log.push("a ends");
  });
  mailbox.execute(() => log.push("b"));
  expect([log, woken]).toEqual([[], 2]);
  mailbox.drain(never);
  expect(log).toEqual(["a", "a ends", "b"]);
  expect(mailbox.waiting).toBe(true);
  mailbox.drain(never);
  expect(log).toEqual(["a", "a ends", "b", "c"]);
  expect(mailbox.waiting).toBe(false);
});

test("MBX-1: a drain that is stopped keeps the rest, in order", () => {
  const log: number[] = [];
  const mailbox = new TaskMailbox(() => {});
  for (let i = 0; i < 5; i++) mailbox.execute(() => log.push(i));
  mailbox.drain(() => log.length === 2);
  mailbox.execute(() => log.push(5));
  expect(log).toEqual([0, 1]);
  while (mailbox.waiting) mailbox.drain(never);
  expect(log).toEqual([0, 1, 2, 3, 4, 5]);
});

test("a closed mailbox runs nothing any more, not even the rest of what it was draining", () => {
  const log: string[] = [];
  const mailbox = new TaskMailbox(() => {});
  mailbox.execute(() => mailbox.close());
  mailbox.execute(() => log.push("after"));
  mailbox.drain(never);
  mailbox.execute(() => log.push("late"));
  mailbox.drain(never);
  expect([log, mailbox.waiting]).toEqual([[], false]);
});

test("MBX-2: it is paused until every pause has been resumed", () => {
  const mailbox = new TaskMailbox(() => {});
  mailbox.pause();
  mailbox.pause();
  mailbox.resume();
  expect(mailbox.paused).toBe(true);
  mailbox.resume();
  expect(mailbox.paused).toBe(false);
});
