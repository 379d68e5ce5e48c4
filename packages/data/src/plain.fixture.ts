/** Arbitrary plain values for property tests: what BAT-2 promises to bring back. */
import fc from "fast-check";

/** Any UTF-16 units: lone surrogates included. */
export const anyString = fc.oneof(
  fc.string({ maxLength: 20 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc
    .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 4 })
    .map((units) => String.fromCharCode(...units)),
  fc.constantFrom("", "\uFEFF", "\uD800", "\uDC00", "é", "__proto__", "constructor", "\0"),
);
export const anyNumber = fc.oneof(
  fc.integer(),
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity, 2 ** 31, -(2 ** 31), 2 ** 53),
);
export const anyScalar = fc.oneof(
  anyString,
  anyNumber,
  fc.boolean(),
  fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
  fc.constantFrom(null, undefined),
);
export const anyField = fc.oneof(
  fc.constantFrom("a", "b", "c", "__proto__", "toString", "0"),
  anyString,
);

/** Objects by definition, so that `__proto__` is a field. */
export function objectOf(entries: readonly (readonly [string, unknown])[]): object {
  const object = {};
  for (const [name, value] of entries) {
    Object.defineProperty(object, name, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return object;
}

export const anyPlain: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: "small" },
    anyScalar,
    fc.array(tie("value"), { maxLength: 4 }),
    fc.array(fc.tuple(anyField, tie("value")), { maxLength: 4 }).map(objectOf),
    fc.uint8Array({ maxLength: 6 }),
    fc.date({ noInvalidDate: false }),
    fc
      .array(fc.tuple(anyScalar, tie("value")), { maxLength: 3 })
      .map((entries) => new Map(entries)),
    fc.array(anyScalar, { maxLength: 3 }).map((items) => new Set(items)),
    fc.constant(Object.assign(Object.create(null) as object, { bare: 1 })),
  ),
})).value;

/** Rows of one shape, with columns that are mostly regular. */
export const regularRows: fc.Arbitrary<object[]> = fc
  .uniqueArray(anyField, { minLength: 1, maxLength: 5 })
  .chain((names) =>
    fc.tuple(
      fc.constant(names),
      fc.array(
        fc.constantFrom(
          anyNumber,
          anyString,
          fc.integer(),
          fc.constantFrom("x", "y"),
          fc.boolean(),
          fc.option(fc.double()),
          fc.option(anyString),
          fc.record({ x: fc.integer(), y: anyString }),
          fc.record({ in: fc.record({ z: fc.option(fc.double()) }), w: anyString }),
          fc.array(fc.integer(), { maxLength: 3 }),
          fc.uint8Array({ maxLength: 4 }),
          fc.bigInt({ min: -5n, max: 5n }),
          anyScalar,
          anyPlain,
        ),
        { minLength: names.length, maxLength: names.length },
      ),
    ),
  )
  .chain(([names, cells]) =>
    fc.array(
      fc.tuple(...cells).map((values) => objectOf(names.map((n, i) => [n, values[i]]))),
      { maxLength: 90 },
    ),
  );

/** Values that keys are made of. */
export const anyKey: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  key: fc.oneof(
    { maxDepth: 2, depthSize: "small" },
    anyString,
    fc.integer(),
    fc.double({ noNaN: true }),
    fc.boolean(),
    fc.bigInt({ min: -(2n ** 70n), max: 2n ** 70n }),
    fc.array(tie("key"), { maxLength: 3 }),
    fc.array(fc.tuple(anyField, tie("key")), { maxLength: 3 }).map(objectOf),
  ),
})).key;
