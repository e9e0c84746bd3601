// What a kind of job is: the task, what it is given, and how it may run.

import { isPromiseLike } from "../bytes/source.ts";
import { TailraceError } from "../errors.ts";
import type { JobLogLevel } from "../wire/job-items.ts";
import type { SchemaResult, StandardSchema } from "../wire/standard-schema.ts";

/** What a task is given. `progress` and `log` return at once and never throw, however slow the store is. */
export interface JobContext<Input = unknown> {
  readonly id: string;
  /** What the job was started with, as JSON keeps it; with a schema, what that made of it. */
  readonly input: Input;
  /** Aborts when the job is cancelled, or its process shuts down. Hand it on to whatever the task waits for. */
  readonly signal: AbortSignal;
  /**
   * Tells how far the task is: how much is done, in whatever unit it counts, of how much in all, and what it is at. A total or
   * note that is left out stays as it was. Told at most 4 times a second, the newest and the last one always.
   */
  readonly progress: (done: number, total?: number, note?: string) => void;
  /** Logs a line of at most 4,000 characters; a job keeps 10,000 of them. @param level default `info` */
  readonly log: (text: string, level?: JobLogLevel) => void;
  /**
   * Keeps from where the task could be carried on, for a kind that `carriesOn`; without effect for any other. Written at
   * most 4 times a second, the newest wins.
   *
   * @throws {TailraceError} `encode_refused` for what JSON cannot hold, `limit_exceeded` over 1,048,576 characters of it
   */
  readonly checkpoint: (value: unknown) => void;
  /** Set when the job was running before and its process died: the last checkpoint, undefined if there was none. */
  readonly resumed: { readonly checkpoint: unknown } | undefined;
}

/** The work. What it returns is the job's result, and has to be JSON. What it throws ends the job as `failed`. */
export type JobTask<Input, Result> = (context: JobContext<Input>) => Result | PromiseLike<Result>;

/** Options of a kind. */
export interface JobKindOptions<Input> {
  /** How many jobs of this kind run at the same time in one process, within the limit for all. Default: that limit. */
  readonly maxRunningCount?: number | undefined;
  /**
   * True: when the process dies or shuts down, another that has defined the kind (or the same, started again) goes on with
   * the job, from its last checkpoint. Work since then is done twice. Default: the job ends as `interrupted`.
   */
  readonly carriesOn?: boolean | undefined;
  /**
   * How long a job that `carriesOn` waits for a process that goes on with it, in milliseconds, before it ends as
   * `interrupted`. Default 60,000, at most 604,800,000 (a week).
   */
  readonly carryOnWithinMs?: number | undefined;
  /** Checks what a job is started with. Default: any JSON value is taken. */
  readonly input?: StandardSchema<Input> | undefined;
}

/** A kind as it was defined. */
export interface JobKind<Input = unknown, Result = unknown> {
  readonly kind: string;
  readonly task: JobTask<Input, Result>;
  readonly options: JobKindOptions<Input>;
}

const KIND = /^[\w.-]{1,64}$/;
const ID = /^[\w.:-]{1,128}$/;

/** @throws {TailraceError} `input_invalid` */
export function checkKindName(kind: string): void {
  if (KIND.test(kind)) return;
  const message = "A kind of job has 1 to 64 letters, digits, or any of _ . - and nothing else.";
  throw new TailraceError("input_invalid", message, { details: { field: "kind" } });
}

export function isJobId(id: string): boolean {
  return ID.test(id);
}

/** @throws {TailraceError} `input_invalid` */
export function checkJobId(id: string): void {
  if (isJobId(id)) return;
  const message = "A job's id has 1 to 128 letters, digits, or any of _ . : - and nothing else.";
  throw new TailraceError("input_invalid", message, { details: { field: "id" } });
}

/**
 * The input as it is kept: a copy of its JSON.
 *
 * @throws {TailraceError} `input_invalid` for what JSON cannot hold, `limit_exceeded` over `maxInputChars`
 */
export function keptInput(input: unknown, maxInputChars: number): unknown {
  let text: string | undefined;
  try {
    text = JSON.stringify(input ?? null);
  } catch (cause) {
    const message = "A job's input has to be JSON (a bigint, or a circle?).";
    throw new TailraceError("input_invalid", message, { cause, details: { field: "input" } });
  }
  if (text === undefined) {
    const message = `A job's input has to be JSON, not of type ${typeof input}.`;
    throw new TailraceError("input_invalid", message, { details: { field: "input" } });
  }
  if (text.length > maxInputChars) {
    const most = maxInputChars.toLocaleString("en");
    const message = `A job's input has ${text.length.toLocaleString("en")} characters of JSON, and may have ${most}; store it, and pass where.`;
    throw new TailraceError("limit_exceeded", message, { details: { maxInputChars } });
  }
  return JSON.parse(text) as unknown;
}

/**
 * What the task is given: `kept`, checked. Answers at once where the schema does, so that jobs keep the order of their starts.
 *
 * @throws {TailraceError} `input_invalid` with the schema's first issue
 */
export function checkedInput<Input>(definition: JobKind<Input>, kept: unknown): Input | Promise<Input> {
  const schema = definition.options.input?.["~standard"];
  if (schema === undefined) return kept as Input;
  const verdict = schema.validate(kept);
  return isPromiseLike(verdict) ? verdict.then(judged) : judged(verdict);
}

/** Where in the input an issue lies; schemas tell it, as keys or as objects that hold one. */
interface IssuePath {
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function judged<Input>(verdict: SchemaResult<Input>): Input {
  if (verdict.issues === undefined) return verdict.value;
  const [issue] = verdict.issues;
  const steps = (issue as IssuePath | undefined)?.path ?? [];
  const path = steps.map((step) => String(typeof step === "object" ? step.key : step)).join(".");
  const said = `${path === "" ? "" : `${path}: `}${issue?.message ?? "no reason given"}`;
  const message = `The input is not what this kind of job takes: ${said}`;
  throw new TailraceError("input_invalid", message, { details: { field: path === "" ? "input" : path } });
}
