/** As much of a debugger as the tests need: the Chrome DevTools protocol over a WebSocket, as editors speak it with Node. */

export interface Paused {
  readonly url: string;
  /** From 1, as an editor counts. */
  readonly line: number;
  readonly functionName: string;
  /** Value of an expression in the innermost frame. */
  evaluate(expression: string): Promise<unknown>;
}
interface Frame {
  readonly callFrameId: string;
  readonly functionName: string;
  readonly location: { readonly scriptId: string; readonly lineNumber: number };
}
interface Answer {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Readonly<Record<string, unknown>>;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}
interface Waiting {
  resolve(result: Readonly<Record<string, unknown>>): void;
  reject(error: Error): void;
}

export class Debugger {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  readonly #scripts = new Map<string, string>();
  readonly #stops: Paused[] = [];
  #onStop: ((paused: Paused) => void) | undefined;
  #sent = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (event) => this.#receive(JSON.parse(String(event.data))));
    socket.addEventListener("close", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("the debuggee has gone"));
      this.#waiting.clear();
    });
  }
  /** Attaches to a process that waits for a debugger; it goes on with `run`. */
  static async attach(url: string): Promise<Debugger> {
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve, { once: true });
      socket.addEventListener("error", () => reject(new Error(`no debuggee at ${url}`)), {
        once: true,
      });
    });
    const attached = new Debugger(socket);
    await attached.send("Runtime.enable");
    await attached.send("Debugger.enable");
    return attached;
  }
  /** Before or after the script has been loaded. */
  async breakAt(url: string, line: number, condition: string): Promise<void> {
    await this.send("Debugger.setBreakpointByUrl", { url, lineNumber: line - 1, condition });
  }
  async run(): Promise<void> {
    await this.send("Runtime.runIfWaitingForDebugger");
  }
  async resume(): Promise<void> {
    await this.send("Debugger.resume");
  }
  paused(): Promise<Paused> {
    const stop = this.#stops.shift();
    return stop === undefined
      ? new Promise((resolve) => {
          this.#onStop = resolve;
        })
      : Promise.resolve(stop);
  }
  /** Leaves the process alone: it keeps running, without breakpoints. */
  detach(): void {
    this.#socket.close();
  }
  send(method: string, params: object = {}): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#sent;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
    });
  }

  #receive(answer: Answer): void {
    if (answer.id !== undefined) {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if (answer.error === undefined) waiting?.resolve(answer.result ?? {});
      else waiting?.reject(new Error(answer.error.message));
    } else if (answer.method === "Debugger.scriptParsed") {
      const { scriptId, url } = answer.params as { scriptId: string; url: string };
      this.#scripts.set(scriptId, url);
    } else if (answer.method === "Debugger.paused") {
      const [frame] = (answer.params as { callFrames: readonly Frame[] }).callFrames;
      if (frame !== undefined) this.#stopped(frame);
    }
  }
  #stopped({ callFrameId, functionName, location }: Frame): void {
    const paused: Paused = {
      url: this.#scripts.get(location.scriptId) ?? "",
      line: location.lineNumber + 1,
      functionName,
      evaluate: async (expression) => {
        const { result } = (await this.send("Debugger.evaluateOnCallFrame", {
          callFrameId,
          expression,
          returnByValue: true,
        })) as { result: { value?: unknown } };
        return result.value;
      },
    };
    const waiting = this.#onStop;
    this.#onStop = undefined;
    if (waiting === undefined) this.#stops.push(paused);
    else waiting(paused);
  }
}
