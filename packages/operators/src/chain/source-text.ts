/**
 * The generated function of a chain: one straight loop over a batch's rows, user functions called in place.
 *
 *   process0(values, timestamps, from, count)  the loop over rows of input 0; returns the row at which it stopped
 *   batch0(values, timestamps, from, count)    the same over rows that operator 0 (a source) emits together
 *   in3(value, timestamp)                      operator 3 entered from outside: it reads a side output, or a body was long enough
 *   out3(value, timestamp)                     what becomes of operator 3's output: the rest of the chain as straight code
 *
 * GTX-1  Every text is unique (it holds the job, the operators' uids and the subtask), so V8 shares no type feedback between chains,
 *        nor between the subtasks of one that run in the same thread.
 * GTX-2  Every call of user code stands on a line of its own; `lines` says whose it is.
 * GTX-4  Of several readers of one output in the chain all but the last get a copy: what one does to a record, no other sees. What goes to
 *        the network is captured there and then, before any reader has it.
 * GTX-5  A function that answers a promise fails its operator (CSC-1).
 * GTX-3  The body of one function holds at most `maxCalls` calls; what is longer goes on in the next function.
 * GTX-6  A loop begins as many rows as the budget (`rows[0]`) says and then asks `full`, which renews it. While it runs, `rows[1]` is the row
 *        that it is at, and `rows[2]` the first that it may not begin. Records are counted in local variables, and added up at its end.
 *        Sinks are asked whether they have room at each such look, and at the end.
 * GTX-7  Names are text and nothing else: no line of the code ends where a name has the end of a line.
 */
export interface ChainShape {
  readonly jobName: string;
  readonly subtask: number;
  readonly operators: readonly ChainOperatorShape[];
}
export interface ChainOperatorShape {
  readonly uid: string;
  /** -1: the chain's input. */
  readonly reads: { readonly operator: number; readonly side?: string };
  readonly inline: "map" | "filter" | "filterPresent" | "sink" | undefined;
  /** For filterPresent. */
  readonly fields: readonly string[];
  readonly inputs: 1 | 2;
  /** It is a source: rows leave it together. Operator 0 only. */
  readonly emitsBatches?: boolean;
  /** Number of exits (network outputs) of the main output. */
  readonly exits: number;
  /** All of them take many rows at once. */
  readonly exitsTakeMany?: boolean;
}
export interface ChainText {
  readonly code: string;
  /** Line (1-based) of the code → index of the operator whose call stands there. */
  readonly lines: ReadonlyMap<number, number>;
  readonly sourceUrl: string;
}

/** Above some forty calls V8 no longer optimises a body as one. */
const maxCalls = 40;

/** Lines that a `new Function` puts before the body's first. */
const headLines = 2;

export function generateChainText(shape: ChainShape): ChainText {
  return new ChainTextBuilder(shape).build();
}

class ChainTextBuilder {
  readonly #shape: ChainShape;
  readonly #text: string[] = [];
  readonly #lines = new Map<number, number>();
  readonly #children: readonly (readonly number[])[];
  /** Functions still to be written, and the names of all that are or will be. */
  readonly #wanted: { readonly entry: "in" | "out"; readonly operator: number }[] = [];
  readonly #written = new Set<string>();
  /** Of the loop that is being written: local counter → the counts that are its value. Undefined outside of a loop. */
  #counters: Map<string, string[]> | undefined;
  /** Inlined in the loop that is being written. */
  readonly #sinks: number[] = [];
  #calls = 0;
  #names = 0;

  constructor(shape: ChainShape) {
    this.#shape = shape;
    this.#children = shape.operators.map((_, i) => this.#childrenOf(i));
  }

  build(): ChainText {
    const uids = this.#shape.operators.map((operator) => operator.uid);
    const { jobName, subtask } = this.#shape;
    const sourceUrl = `millrace/${jobName}/${uids[0] ?? "chain"}`.replace(/\s/g, "_");
    this.#line(`// subtask ${subtask} of the chain ${literal(uids)} in ${literal(jobName)}`);
    this.#line('"use strict";');
    this.#shape.operators.forEach((operator, i) => {
      this.#line(`const operator${i} = operators[${i}], fn${i} = functions[${i}];`);
      for (let exit = 0; exit < operator.exits; exit++)
        this.#line(`const exit${i}_${exit} = exits[${i}][${exit}];`);
    });
    const heads = this.#childrenOf(-1);
    this.#loop("process0", (value) => {
      for (const head of heads) this.#deliver(head, value, "    ");
    });
    if (this.#shape.operators.some((operator) => operator.inputs === 2))
      this.#loop("process1", (value) => {
        for (const head of heads) {
          this.#count(`recordsIn[${head}]`, "    ");
          this.#call(head, `operator${head}.onElement2(${value}, timestamp);`, "    ");
        }
      });
    const batches = this.#shape.operators[0]?.emitsBatches === true;
    if (batches) this.#batches();
    this.#shape.operators.forEach((operator, i) => {
      // A sink's committables leave at the barrier.
      if (operator.inline === undefined || operator.inline === "sink") this.#want("out", i);
      if (operator.reads.side !== undefined) this.#want("in", i);
    });
    for (let next = this.#wanted.shift(); next !== undefined; next = this.#wanted.shift()) {
      const { entry, operator } = next;
      this.#calls = 0;
      this.#line(`function ${entry}${operator}(value, timestamp) {`);
      if (entry === "in") this.#deliver(operator, "value", "  ");
      else this.#output(operator, "value", "  ");
      this.#line("}");
    }
    const written = (entry: "in" | "out") =>
      this.#shape.operators
        .map((_, i) => (this.#written.has(`${entry}${i}`) ? `${entry}${i}` : "undefined"))
        .join(", ");
    this.#line(
      `return { process0, process1: typeof process1 === "undefined" ? undefined : process1, batch: ${batches ? "batch0" : "undefined"}, ins: [${written("in")}], outs: [${written("out")}] };`,
    );
    this.#line(`//# sourceURL=${sourceUrl}`);
    return { code: this.#text.join("\n"), lines: this.#lines, sourceUrl };
  }

  #childrenOf(parent: number): readonly number[] {
    return this.#shape.operators.flatMap((operator, i) =>
      operator.reads.operator === parent && operator.reads.side === undefined ? [i] : [],
    );
  }

  #batches(): void {
    const { exits = 0, exitsTakeMany } = this.#shape.operators[0] ?? {};
    const hasChildren = (this.#children[0] ?? []).length > 0;
    if (hasChildren || exits === 0 || exitsTakeMany !== true)
      return this.#loop("batch0", (value) => this.#output(0, value, "    "));
    // Nothing is called between a row and the network: rows go in runs.
    this.#line("function batch0(values, timestamps, from, count) {");
    this.#line("  let row = from;");
    this.#line("  rows[2] = row + rows[0];");
    this.#line("  while (row < count) {");
    this.#line("    if (row >= rows[2]) {");
    this.#line("      if (gate.full) break;");
    this.#line("      rows[2] = row + rows[0] + 1;");
    this.#line("    }");
    this.#line("    const to = rows[2] < count ? rows[2] : count;");
    for (let exit = 0; exit < exits; exit++)
      this.#blamed(0, `    exit0_${exit}.many(values, timestamps, row, to, rows);`);
    this.#line("    row = to;");
    this.#line("  }");
    this.#line("  rows[0] = rows[2] < row ? 0 : rows[2] - row;");
    this.#line("  recordsOut[0] += row - from;");
    this.#line("  return row;");
    this.#line("}");
  }
  #loop(name: string, body: (value: string) => void): void {
    this.#calls = 0;
    this.#counters = new Map();
    this.#line(`function ${name}(values, timestamps, from, count) {`);
    const counters = this.#text.push("") - 1;
    this.#line("  let row = from;");
    this.#line("  rows[2] = row + rows[0];");
    this.#line("  for (; row < count; row++) {");
    // Looked at before each row, so that a row is never begun without room (OPR-3).
    this.#line("    if (row >= rows[2]) {");
    const look = this.#text.push("") - 1;
    this.#line("      if (gate.full) break;");
    this.#line("      rows[2] = row + rows[0] + 1;");
    this.#line("    }");
    this.#line("    rows[1] = row;");
    this.#line("    const value = values[row], timestamp = timestamps[row];");
    this.#reached = "(row - from)";
    body("value");
    this.#line("  }");
    const locals = [...this.#counters.keys()].filter((counter) => counter !== "(row - from)");
    if (locals.length > 0)
      this.#text[counters] = `  let ${locals.map((counter) => `${counter} = 0`).join(", ")};`;
    this.#line("  rows[0] = rows[2] < row ? 0 : rows[2] - row;");
    for (const [counter, counts] of this.#counters)
      for (const count of counts) this.#line(`  ${count} += ${counter};`);
    const sinks = this.#sinks.splice(0);
    // Where no row has been written nothing is asked: a sink that never has room for more than one would stop the loop before each.
    const asked = sinks.map((sink) => `fn${sink}.afterRows();`).join(" ");
    this.#text[look] = asked === "" ? "" : `if (row > from) { ${asked} }`;
    for (const sink of sinks) this.#blamed(sink, `  if (row > from) fn${sink}.afterRows();`);
    this.#counters = undefined;
    this.#line("  return row;");
    this.#line("}");
  }
  /** The local variable that counts how often the place being written is reached, in a loop. */
  #reached = "";
  #count(what: string, indent: string): void {
    if (this.#counters === undefined) {
      this.#line(`${indent}${what}++;`);
      return;
    }
    const counts = this.#counters.get(this.#reached);
    if (counts === undefined) this.#counters.set(this.#reached, [what]);
    else counts.push(what);
  }
  /** What is written by `body` is reached by some of the rows only. */
  #sometimes(indent: string, body: () => void): void {
    const outer = this.#reached;
    if (this.#counters !== undefined) {
      this.#reached = `n${this.#names++}`;
      this.#counters.set(this.#reached, []);
      this.#line(`${indent}${this.#reached}++;`);
    }
    body();
    this.#reached = outer;
  }

  /** The value goes into an operator. */
  #deliver(operator: number, value: string, indent: string): void {
    const shape = this.#shape.operators[operator];
    if (shape === undefined) return;
    this.#count(`recordsIn[${operator}]`, indent);
    switch (shape.inline) {
      case undefined:
        this.#call(operator, `operator${operator}.onElement(${value}, timestamp);`, indent);
        return;
      case "sink":
        this.#call(operator, `fn${operator}.writer.write(${value}, timestamp);`, indent);
        if (this.#counters === undefined)
          this.#blamed(operator, `${indent}fn${operator}.afterRows();`);
        else this.#sinks.push(operator);
        return;
      case "map": {
        const result = `v${this.#names++}`;
        this.#call(operator, `const ${result} = fn${operator}(${value});`, indent);
        // Inline, because a call would cost more than the test.
        this.#blamed(
          operator,
          `${indent}if (typeof ${result} === "object" && ${result} !== null && typeof ${result}.then === "function") synchronous(${result});`,
        );
        this.#output(operator, result, indent);
        return;
      }
      case "filter": {
        const keep = `v${this.#names++}`;
        this.#call(operator, `const ${keep} = fn${operator}(${value});`, indent);
        this.#blamed(operator, `${indent}if (typeof ${keep} === "object") synchronous(${keep});`);
        this.#line(`${indent}if (${keep}) {`);
        this.#sometimes(`${indent}  `, () => this.#output(operator, value, `${indent}  `));
        this.#line(`${indent}}`);
        return;
      }
      case "filterPresent": {
        const present = shape.fields
          .map((field) => `${value}[${literal(field)}] != null`)
          .join(" && ");
        this.#call(operator, `if (${present === "" ? "true" : present}) {`, indent);
        this.#sometimes(`${indent}  `, () => this.#output(operator, value, `${indent}  `));
        this.#line(`${indent}}`);
        return;
      }
    }
  }

  /** The value leaves an operator: to its readers in the chain and to the network. */
  #output(operator: number, value: string, indent: string): void {
    this.#count(`recordsOut[${operator}]`, indent);
    const exits = this.#shape.operators[operator]?.exits ?? 0;
    // What can't be encoded is its operator's fault.
    for (let exit = 0; exit < exits; exit++)
      this.#blamed(operator, `${indent}exit${operator}_${exit}(${value}, timestamp);`);
    const children = this.#children[operator] ?? [];
    children.forEach((child, i) => {
      const own = i === children.length - 1 ? value : this.#copyOf(value, indent);
      const inlined = this.#shape.operators[child]?.inline !== undefined;
      if (inlined && this.#calls >= maxCalls) {
        this.#line(`${indent}in${child}(${own}, timestamp);`);
        this.#want("in", child);
      } else this.#deliver(child, own, indent);
    });
  }

  #copyOf(value: string, indent: string): string {
    const own = `v${this.#names++}`;
    this.#line(`${indent}const ${own} = copy(${value});`);
    return own;
  }
  #want(entry: "in" | "out", operator: number): void {
    const name = `${entry}${operator}`;
    if (this.#written.has(name)) return;
    this.#written.add(name);
    this.#wanted.push({ entry, operator });
  }
  #call(operator: number, code: string, indent: string): void {
    this.#calls += 1;
    this.#blamed(operator, `${indent}${code}`);
  }
  #blamed(operator: number, text: string): void {
    this.#line(text);
    this.#lines.set(this.#text.length + headLines, operator);
  }
  #line(text: string): void {
    this.#text.push(text);
  }
}

/** As JSON, on one line for JavaScript too. */
function literal(value: unknown): string {
  return JSON.stringify(value)
    .replace(/\u2028/g, "\\u2028")
    .replace(/\u2029/g, "\\u2029");
}
