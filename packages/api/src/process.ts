/** Specs of process functions: what they emit, keep and open is declared, and visible before the job starts. */
import type { AnyType, Infer, Type } from "@millrace/data";
import type { Secret } from "./params.ts";
import type { Handles, StateDecls } from "./state.ts";

export type SideDecls = Readonly<Record<string, AnyType>>;
export type SideTypes<D extends SideDecls> = { readonly [K in keyof D]: Infer<D[K]> };

declare const noOutput: unique symbol;
/** What `collect` takes when the spec has no `output`: nothing fits, and the error names the cure. */
export interface NoOutputDeclared {
  readonly [noOutput]: true;
}
export interface Collect<O, Sd extends SideDecls> {
  collect(value: O): void;
  output<N extends keyof Sd & string>(name: N, value: Infer<Sd[N]>): void;
}
/** One reused object per operator: do not keep it beyond the call. */
export interface ProcessCtx<O, Sd extends SideDecls, H> extends Collect<O, Sd> {
  /** Undefined when the stream has no timestamps. */
  readonly timestamp: number | undefined;
  readonly resource: H;
}
export interface KeyedCtx<K, O, St, Sd extends SideDecls, H> extends ProcessCtx<O, Sd, H> {
  readonly key: K;
  readonly state: Handles<St>;
}
export interface TaskInfo {
  readonly subtask: number;
  readonly parallelism: number;
  readonly attempt: number;
  /** A counter among the operator's metrics. */
  counter(name: string): { inc(by?: number): void };
  /** The value of a secret parameter, on the machine that runs the task. Throws `SECRET_MISSING`. */
  secret(reference: Secret): string;
}
export interface SpecBase<O, Sd extends SideDecls, H> {
  output?: Type<O>;
  sideOutputs?: Sd;
  /** Once per subtask and attempt, before the first record. */
  open?: (task: TaskInfo) => H | Promise<H>;
  close?: (resource: NoInfer<H>) => void | Promise<void>;
}
export interface ProcessSpec<T, O, Sd extends SideDecls, H> extends SpecBase<O, Sd, H> {
  onElement: (value: T, ctx: ProcessCtx<NoInfer<O>, Sd, NoInfer<H>>) => void;
}
export interface KeyedProcessSpec<T, K, O, St extends StateDecls, Sd extends SideDecls, H>
  extends SpecBase<O, Sd, H> {
  state?: St;
  onElement: (value: T, ctx: KeyedCtx<K, NoInfer<O>, St, Sd, NoInfer<H>>) => void;
}
