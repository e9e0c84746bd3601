// `tailrace`: replies, and named streams.

export { isTailraceError, TailraceError, type ErrorCode, type ErrorOptions } from "./errors.ts";
export type { NodeReadable, Source, SourceContext, SourceValue } from "./bytes/source.ts";
export type { End, EndReason } from "./wire/format.ts";
export type { SseEvent } from "./wire/sse-encode.ts";
export { sse, type SseOptions } from "./reply/sse.ts";
export { ndjson, text, type RowsOptions } from "./reply/rows.ts";
export { csv, type CsvReplyOptions } from "./reply/csv.ts";
export type { TrailerOptions } from "./reply/trailers.ts";
export { csvBytes, type CsvBytesOptions } from "./reply/csv-bytes.ts";
export type { AttachmentOptions } from "./reply/attachment.ts";
export type { RowSourceOptions } from "./reply/row-batches.ts";
export { file } from "./reply/file.ts";
export type { FileOptions, FileVariant, Offload } from "./reply/file-options.ts";
export type { FileLike, FileSource, Sliceable, SlicePart } from "./reply/file-source.ts";
export type { BytePull, Chunk } from "./bytes/byte-pull.ts";
export type { Pull } from "./bytes/source.ts";
export type { Encoding } from "./http/precompressed.ts";
export type { ReplyOptions } from "./reply/reply.ts";
export type { EventReplyOptions } from "./reply/named-events.ts";
export { transform } from "./flow/transform.ts";
export type { TransformLimits, TransformOptions } from "./flow/transform-options.ts";
export type {
  PieceOptions,
  TransformAnswer,
  TransformAs,
  TransformContext,
  TransformCoreOptions,
  TransformFunction,
  TransformOutputs,
  TransformPieces,
  TransformYield,
} from "./wire/transform-types.ts";
export { shutdown, type ShutdownOptions } from "./reply/shutdown.ts";
export { problem } from "./http/problem.ts";
export { relay } from "./flow/relay.ts";
export type { AskUpstream } from "./flow/relay-exchange.ts";
export type { RelayFetch, RelayOptions } from "./flow/relay-options.ts";
export { readJson } from "./http/read-json.ts";
export {
  createStreams,
  Run,
  Streams,
  type Appended,
  type RunOptions,
  type StopResult,
  type StreamsOptions,
} from "./log/streams.ts";
export type { ReadOptions, ReadStream } from "./log/read.ts";
export type { InterruptedHandler, InterruptedOptions, InterruptedRun } from "./log/takeover.ts";
export { createJobs } from "./jobs/create-jobs.ts";
export { Jobs, type DefinedJob, type JobsOptions, type StartedJob, type StartJobOptions } from "./jobs/jobs.ts";
export { jobEvent, type JobEventOptions } from "./jobs/job-events.ts";
export type { JobContext, JobKindOptions, JobTask } from "./jobs/job-kind.ts";
export type {
  JobFailure,
  JobItem,
  JobLogLevel,
  JobLogLine,
  JobProgress,
  JobQueuedItem,
  JobRunningItem,
  JobSnapshot,
  JobState,
} from "./wire/job-items.ts";
export { memoryStore, type MemoryStoreOptions } from "./log/memory.ts";
export { NamedSource, type EntriesOptions, type Entry } from "./log/named.ts";
export type { FollowOptions, Gap } from "./log/follow.ts";
export type { Offset } from "./log/offset.ts";
export type {
  AppendOptions,
  AppendResult,
  Beat,
  CarryOn,
  Change,
  Claim,
  Payload,
  Producer,
  ReadLimits,
  ReadResult,
  RunHead,
  Store,
  StoredItem,
  StreamConfig,
  StreamHead,
} from "./log/store.ts";
