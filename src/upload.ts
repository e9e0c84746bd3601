// `tailrace/upload`: receiving files.

export { offerPull } from "./receive/body-pull.ts";
export type { Received } from "./receive/file-intake.ts";
export { memorySink, type MemoryFile, type MemorySink } from "./receive/memory-sink.ts";
export { ownChunk, releaseChunk } from "./receive/own-chunks.ts";
export { publishTo } from "./receive/progress-stream.ts";
export { ProgressReporter, type ProgressOptions, type UploadProgress, type UploadState } from "./receive/progress.ts";
export { receive, type ReceivedFile, type ReceiveOptions } from "./receive/receive.ts";
export { receiveForm, type Form, type FormFile, type FormOptions } from "./receive/receive-form.ts";
export { safeName } from "./receive/safe-name.ts";
export type { CommitInfo, Sink, SinkFile, SinkFileInfo, Stored } from "./receive/sink.ts";
export { sniffType } from "./receive/sniff.ts";
export { streamSink } from "./receive/stream-sink.ts";
export { memoryUploads, type MemoryUploadsOptions } from "./receive/resumable/memory-uploads.ts";
export type { CompletedUpload, Delivery, ResumableOptions, UploadCors } from "./receive/resumable/options.ts";
export { resumableUpload } from "./receive/resumable/ietf.ts";
export { resumable } from "./receive/resumable/resumable.ts";
export type { AppendOptions, NewUpload, UploadInfo, UploadPhase, UploadStorage } from "./receive/resumable/storage.ts";
export { sweepUploads } from "./receive/resumable/sweep.ts";
export { tus } from "./receive/resumable/tus.ts";
export { uploadLine, type Hold, type UploadLine, type UploadLineOptions } from "./receive/resumable/upload-line.ts";
