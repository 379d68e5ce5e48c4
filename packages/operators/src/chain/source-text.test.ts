import { expect, test } from "vitest";
import { type ChainOperatorShape, generateChainText } from "./source-text.ts";

const map = (uid: string): ChainOperatorShape => ({
  uid,
  reads: { operator: -1 },
  inline: "map",
  fields: [],
  inputs: 1,
  exits: 0,
});

test("GTX-1: equal chains of two jobs, and of two subtasks, have different texts", () => {
  const code = (jobName: string, subtask: number) =>
    generateChainText({ jobName, subtask, operators: [map("a")] }).code;
  expect(new Set([code("j", 0), code("j", 1), code("k", 0)]).size).toBe(3);
});

test.each(["\n", "\r", "\u2028", "\u2029", "*/", "`${", "'\"\\"])(
  "GTX-2 GTX-7: names and fields with %j in them change no line of the code",
  (text) => {
    const uid = `a${text}throw 1;${text}b`;
    const present: ChainOperatorShape = {
      ...map(`present ${text}`),
      inline: "filterPresent",
      fields: [`f${text}g`],
    };
    const { code, lines, sourceUrl } = generateChainText({
      jobName: `job ${text} of mine`,
      subtask: 0,
      operators: [present, { ...map(uid), reads: { operator: 0 } }],
    });
    const make = new Function(
      ...["operators", "functions", "exits", "gate", "rows", "recordsIn", "recordsOut"],
      code,
    );
    const boom = () => {
      throw new Error("boom");
    };
    const gate = { full: false };
    const chain = make([], [undefined, boom], [[], []], gate, [0, 0, 0], [0, 0], [0, 0]);
    expect(chain.process0([{}], [0], 0, 1)).toBe(1);
    let stack = "";
    try {
      chain.process0([{ [`f${text}g`]: 1 }], [0], 0, 1);
    } catch (error) {
      stack = (error as Error).stack ?? "";
    }
    const at = stack.split("\n").find((line) => line.includes(sourceUrl));
    const line = Number(/:(\d+):\d+\)?$/.exec(at ?? "")?.[1]);
    expect(lines.get(line)).toBe(1);
  },
);
