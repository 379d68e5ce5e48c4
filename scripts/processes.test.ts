import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { parsePs, processesWith, startTimeOf } from "./processes.ts";

test("a process is found by a variable of its environment, and told from others by its start until it ends", async () => {
  const variable = "MILLRACE_TEST_OF_PROCESSES";
  const value = String(process.pid);
  const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1e3)"], {
    env: { PATH: process.env["PATH"], [variable]: value },
  });
  const ended = new Promise((done) => child.on("exit", done));
  const pid = child.pid ?? 0;
  const found = () => processesWith(variable).filter((each) => each.value === value);
  await expect.poll(() => found().map((each) => each.pid)).toEqual([pid]);
  expect(found()[0]?.command).toContain("setInterval");
  const start = startTimeOf(pid);
  expect(start).toMatch(/^\S+$/);
  expect(startTimeOf(pid)).toBe(start);
  child.kill("SIGKILL");
  await ended;
  expect(found()).toEqual([]);
  expect(startTimeOf(pid)).toBeUndefined();
  expect(startTimeOf(0)).toBeUndefined();
});

test("lines of BSD's ps are taken apart, wherever the variable stands among the others", () => {
  const text = `    1 /sbin/launchd
  412 node main.ts taskmanager --slots 2 PATH=/bin:/usr/bin RUN=a.1.x,b.2.y HOME=/root
 4133 sleep 600 RUN=b.2.y
 4134 sleep 600 OTHERRUN=b.2.y
`;
  expect(parsePs(text, "RUN")).toEqual([
    { pid: 412, value: "a.1.x,b.2.y", command: "node main.ts taskmanager --slots 2" },
    { pid: 4133, value: "b.2.y", command: "sleep 600" },
  ]);
});
