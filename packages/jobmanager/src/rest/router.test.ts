import { expect, test } from "vitest";
import { Router } from "./router.ts";

const router = new Router<string>();
for (const [method, path] of [
  ["GET", "/jobs"],
  ["GET", "/jobs/overview"],
  ["GET", "/jobs/:id"],
  ["PATCH", "/jobs/:id"],
  ["GET", "/jobs/:id/plan"],
  ["GET", "/jobs/overview/:of/all"],
] as const)
  router.add(method, path, `${method} ${path}`);

test.each([
  ["GET", "/jobs", "GET /jobs", {}],
  ["GET", "/jobs/overview", "GET /jobs/overview", {}],
  ["PATCH", "/jobs/overview", "PATCH /jobs/:id", { id: "overview" }],
  ["GET", "/jobs/overview/plan", "GET /jobs/:id/plan", { id: "overview" }],
  ["GET", "/jobs/overview/plan/all", "GET /jobs/overview/:of/all", { of: "plan" }],
  ["GET", "/jobs/a%2Fb%20c", "GET /jobs/:id", { id: "a/b c" }],
])("%s %s is %s", (method, path, target, params) => {
  expect(router.find(method, path)).toEqual({ target, params });
});

test.each([
  ["GET", "/"],
  ["GET", "/jobs/"],
  ["GET", "/jobs//plan"],
  ["GET", "/jobs/1/2/3"],
  ["DELETE", "/jobs/1"],
])("%s %s is nothing", (method, path) => {
  expect(router.find(method, path)).toBe(undefined);
});

test("what can't be decoded or told apart is refused", () => {
  expect(() => router.find("GET", "/jobs/%ZZ")).toThrow(URIError);
  expect(() => router.add("GET", "/jobs/:name/x", "")).toThrow("two names");
  expect(() => router.add("GET", "/jobs/:id", "")).toThrow("twice");
});
