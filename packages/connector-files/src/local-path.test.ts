import { describe, expect, test } from "vitest";
import { localPath } from "./local-path.ts";

describe("LPT-1: a path", () => {
  test.each([
    ["out", "out"],
    ["/data/in/*.csv", "/data/in/*.csv"],
    ["C:\\data", "C:\\data"],
    ["c:/data", "c:/data"],
    ["a:b/c", "a:b/c"],
    ["2026-01-01T00:00/x", "2026-01-01T00:00/x"],
    ["file:///data/in%20put/a?.csv", "/data/in put/a?.csv"],
    ["file:/data", "/data"],
    ["FILE://localhost/data", "/data"],
  ])("%s is local", (path, local) => {
    expect(localPath(path)).toBe(local);
  });

  test.each([
    ["s3://bucket/out", "./bucket/out"],
    ["s3:/bucket/out", "./bucket/out"],
    ["S3://b", "./b"],
    ["https://example.com/in.csv", "./example.com/in.csv"],
    ["hdfs://name/x", "./name/x"],
    ["file://host/data", "file:///host/data"],
    ["file:///%zz", "file:///%zz"],
  ])("%s is refused, and the nearest that could be meant is named", (path, nearest) => {
    expect(() => localPath(path)).toThrow(
      expect.objectContaining({
        code: "FILES_BAD_OPTION",
        fields: expect.objectContaining({ option: "path", value: path, nearest }),
      }),
    );
  });

  test.each([[""], [undefined], [5]])("%s is refused", (path) => {
    expect(() => localPath(path)).toThrow(expect.objectContaining({ code: "FILES_BAD_OPTION" }));
  });
});
