/** What the committer does with what it finds, and what the writer promises before. FCM-1..4, FWR-1..3, FNM-1. */
import { type Attempt, type Epoch, isMillraceError } from "@millrace/base";
import { anyJson } from "@millrace/formats";
import type { TaskInfo } from "@millrace/spi";
import { describe, expect, test } from "vitest";
import { FileCommitter } from "./file-committer.ts";
import { finalName, inProgressName, ownerOf, type PreparedFile } from "./file-names.ts";
import { FileWriter } from "./file-writer.ts";
import { coded, MemoryFiles } from "./memory-files.fixture.ts";

const folder = "/out";
const taskOf = (attempt: number, over: Partial<TaskInfo> = {}): TaskInfo => ({
  jobId: "0a1b2c3d4e5f",
  jobName: "job",
  uid: "sink.a/b",
  name: "sink",
  subtask: 0,
  parallelism: 1,
  maxParallelism: 128,
  epoch: 1,
  attempt,
  ...over,
});
const permitOf = (attempt: number, checkpointId: number) => ({
  epoch: 1 as Epoch,
  attempt: attempt as Attempt,
  checkpointId,
});
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "done",
    (error: unknown) => (isMillraceError(error) ? error.code : error),
  );

function setUp() {
  const files = new MemoryFiles("process");
  const writer = (task: TaskInfo) =>
    new FileWriter({ folder, format: anyJson, task, rollBytes: 1 << 20, files });
  const committer = (over: { jobId?: string; uid?: string } = {}) =>
    new FileCommitter({ folder, jobId: "0a1b2c3d4e5f", uid: "sink.a/b", files, ...over });
  const prepare = async (attempt: number, rows: readonly unknown[], checkpointId = 1) => {
    const one = writer(taskOf(attempt));
    for (const row of rows) one.write(row);
    await one.flush();
    return one.prepareCommit(checkpointId);
  };
  return { files, writer, committer, prepare };
}

describe("commit", () => {
  test("FCM-1: twice, by two attempts and out of order is once", async () => {
    const { files, committer, prepare } = setUp();
    const [first, second] = [await prepare(1, ["a"], 1), await prepare(2, ["b"], 2)];
    await committer().commit([...first, ...second], permitOf(2, 2));
    const after = files.paths;
    expect(after).toEqual([
      "/out/part-0-00000001-1.1-0-0a1b2c3d-f8b1e737.jsonl",
      "/out/part-0-00000002-1.2-0-0a1b2c3d-f8b1e737.jsonl",
    ]);
    await committer().commit([...second, ...first], permitOf(3, 2));
    await committer().commit(first, permitOf(1, 1));
    expect(files.paths).toEqual(after);
  });

  test.each([
    ["both names are gone", undefined],
    ["another file has the name, of another length", "other, longer text\n"],
    ["another file has the name, of the same length", '"b"\n'],
  ])("FCM-2: %s: FILES_DATA_LOSS", async (_, other) => {
    const { files, committer, prepare } = setUp();
    const [file] = await prepare(1, ["a"]);
    const { temporary, final } = file as PreparedFile;
    files.put(`${folder}/${temporary}`, other === undefined ? undefined : bytes('"a"\n'));
    files.put(`${folder}/${final}`, other === undefined ? undefined : bytes(other));
    expect(await codeOf(committer().commit([file], permitOf(1, 1)))).toBe("FILES_DATA_LOSS");
    // Nothing was overwritten, nothing was taken away.
    if (other !== undefined)
      expect(files.paths.map((path) => files.bytesOf(path))).toEqual([
        bytes('"a"\n'),
        bytes(other),
      ]);
  });
  test("FCM-2: a file of the right length and checksum is ours, wherever the first name went", async () => {
    const { files, committer, prepare } = setUp();
    const [file] = await prepare(1, ["a"]);
    const { temporary, final } = file as PreparedFile;
    files.put(`${folder}/${temporary}`, undefined);
    files.put(`${folder}/${final}`, bytes('"a"\n'));
    expect(await codeOf(committer().commit([file], permitOf(1, 1)))).toBe("done");
  });
  test.each(["makeFolder", "link", "sizeOf", "read", "syncFolder", "remove"] as const)(
    "FCM-2: a file system that fails at %s decides nothing: FILES_UNWRITABLE, and the next try commits",
    async (method) => {
      const { files, committer, prepare } = setUp();
      const prepared = await prepare(1, ["a"]);
      if (method === "sizeOf" || method === "read")
        await committer().commit(prepared, permitOf(1, 1));
      const spoiled = new Proxy(files, {
        get: (target, name) =>
          name === method
            ? () => Promise.reject(coded("EIO"))
            : (Reflect.get(target, name) as () => unknown).bind(target),
      });
      const failing = new FileCommitter({
        folder,
        jobId: "0a1b2c3d4e5f",
        uid: "sink.a/b",
        files: spoiled,
      });
      expect(await codeOf(failing.commit(prepared, permitOf(1, 1)))).toBe("FILES_UNWRITABLE");
      expect(await codeOf(committer().commit(prepared, permitOf(1, 1)))).toBe("done");
      expect(files.paths).toEqual(["/out/part-0-00000001-1.1-0-0a1b2c3d-f8b1e737.jsonl"]);
    },
  );
  test("nothing to commit touches nothing", async () => {
    const { files, committer } = setUp();
    await committer().commit([], permitOf(1, 1));
    expect(files.calls).toBe(0);
  });
});

describe("FCM-3: the sweep", () => {
  test("takes open files of older attempts outside the set, nobody else's", async () => {
    const { files, committer, writer } = setUp();
    const open = async (task: TaskInfo): Promise<string> => {
      const one = writer(task);
      one.write("x");
      await one.flush();
      return (one.prepareCommit(1)[0] as PreparedFile).temporary;
    };
    const older = await open(taskOf(2));
    const otherSubtask = await open(taskOf(1, { subtask: 7 }));
    const kept = await open(taskOf(1));
    const same = await open(taskOf(3));
    const newer = await open(taskOf(4));
    const laterEpoch = await open(taskOf(1, { epoch: 2 }));
    const otherJob = await open(taskOf(1, { jobId: "ffff" }));
    const otherSink = await open(taskOf(1, { uid: "sink" }));
    files.put(`${folder}/.inprogress/somebody-elses.file`, bytes("x"));
    await committer().abortOthers([{ temporary: kept }], permitOf(3, 9));
    const left = files.paths.map((path) => path.slice(folder.length + 1));
    expect(left).toEqual(
      [
        kept,
        same,
        newer,
        laterEpoch,
        otherJob,
        otherSink,
        ".inprogress/somebody-elses.file",
      ].sort(),
    );
    expect(left).not.toContain(older);
    expect(left).not.toContain(otherSubtask);
  });
  test("a writer of an older attempt that lives on can neither undo nor double anything", async () => {
    const { files, committer, writer } = setUp();
    const zombie = writer(taskOf(1));
    zombie.write("late");
    await zombie.flush();
    await committer().abortOthers([], permitOf(2, 1));
    zombie.write("later");
    await zombie.flush();
    await zombie.close();
    expect(files.paths.filter((path) => !path.includes(".inprogress"))).toEqual([]);
    await committer().abortOthers([], permitOf(2, 2));
    expect(files.paths).toEqual([]);
  });
});

describe("the writer", () => {
  test("FWR-1: a file without records is never made, also when a record can't be written", async () => {
    const { files, writer } = setUp();
    const one = writer(taskOf(1));
    await one.flush();
    expect(() => one.write(Number.NaN)).toThrow();
    await one.flush();
    expect([one.prepareCommit(1), files.paths]).toEqual([[], []]);
  });
  test("SNK-4: close leaves prepared and open files as they are", async () => {
    const { files, writer } = setUp();
    const one = new FileWriter({ folder, format: anyJson, task: taskOf(1), rollBytes: 4, files });
    for (const row of ["aa", "bb"]) one.write(row);
    await one.drain();
    await one.close();
    expect(files.paths.length).toBe(2);
    await writer(taskOf(2)).close();
    expect(files.paths.length).toBe(2);
  });
  test("FWR-3: after a failed write nothing is prepared, and drain and flush say so with a code", async () => {
    const files = new MemoryFiles("process");
    const one = new FileWriter({ folder, format: anyJson, task: taskOf(1), rollBytes: 1, files });
    files.killAt(2, "before");
    one.write("a");
    expect(await codeOf(one.drain() ?? Promise.resolve())).toBe("FILES_UNWRITABLE");
    files.revive();
    one.write("b");
    expect(await codeOf(one.flush())).toBe("FILES_UNWRITABLE");
    expect(await codeOf(one.flush())).toBe("FILES_UNWRITABLE");
    await one.close();
  });
  test("FSK-1: a checkpoint's records and the next one's are in two files, in order", async () => {
    const { files, writer, committer } = setUp();
    const one = writer(taskOf(1));
    const prepared: PreparedFile[] = [];
    for (const checkpoint of [1, 2, 3]) {
      if (checkpoint !== 2) one.write({ checkpoint });
      await one.flush();
      prepared.push(...one.prepareCommit(checkpoint));
    }
    await committer().commit(prepared, permitOf(1, 3));
    expect(files.paths.map((path) => new TextDecoder().decode(files.bytesOf(path)))).toEqual([
      '{"checkpoint":1}\n',
      '{"checkpoint":3}\n',
    ]);
    expect(files.paths[1]).toContain("part-0-00000003-1.1-1-");
  });
});

test("FNM-1: two sinks of a job in one folder make two files of what each wrote first", async () => {
  const { files, writer, committer } = setUp();
  for (const uid of ["sink.a/b", "sink.c"]) {
    const one = writer(taskOf(1, { uid }));
    one.write({ uid });
    await one.flush();
    await committer({ uid }).commit(one.prepareCommit(1), permitOf(1, 1));
  }
  expect(files.paths.map((path) => new TextDecoder().decode(files.bytesOf(path))).sort()).toEqual([
    '{"uid":"sink.a/b"}\n',
    '{"uid":"sink.c"}\n',
  ]);
});

describe("FNM-1: names", () => {
  test("golden", () => {
    const ref = taskOf(4, { subtask: 12, epoch: 3 });
    expect(inProgressName(ref, 5)).toBe("0a1b2c3d4e5f.sink%2Ea%2Fb.12.3.4.5");
    expect(finalName(ref, 77, 5, "csv")).toBe("part-12-00000077-3.4-5-0a1b2c3d-f8b1e737.csv");
  });
  test("a long or strange uid gives a name that file systems take, and two of them two names", () => {
    const long = "ü".repeat(300);
    const name = inProgressName(taskOf(1, { uid: long }), 0);
    expect(name.length).toBeLessThan(200);
    expect(name).not.toMatch(/[/\0]/);
    expect(ownerOf("j", `${long}a`)).not.toBe(ownerOf("j", `${long}b`));
    expect(ownerOf("j", "../..").includes("/")).toBe(false);
  });
});
