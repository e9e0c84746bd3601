// `tailrace/node`: for node:http.

export { closeServer } from "./node/close-server.ts";
export { compress, type CompressOptions } from "./node/compress.ts";
export type { EncodingLevels } from "./node/compress-coder.ts";
export { isCompressibleType } from "./node/compress-types.ts";
export { diskSink, type DiskSink, type DiskSinkOptions, type DiskStored } from "./node/disk-sink.ts";
export { diskUploads, type DiskUploads, type DiskUploadsOptions } from "./node/disk-uploads.ts";
export { guardedFetch, type GuardedFetch, type GuardedFetchOptions } from "./node/guarded-fetch.ts";
export type { ResolveHost } from "./node/address-guard.ts";
export { incomingBody } from "./node/incoming-body.ts";
export { createExports, type DefinedExport, type ExportFileReplyOptions, type Exports } from "./node/exports.ts";
export { exportEvent } from "./node/exports-snapshot.ts";
export type { Swept } from "./node/exports-sweep.ts";
export type {
  ExportBatchDefinition,
  ExportDefinition,
  ExportFormat,
  ExportResult,
  ExportRowDefinition,
  ExportRows,
  ExportRowsContext,
  ExportsOptions,
  ExportSnapshot,
} from "./node/exports-types.ts";
export { createListener, type Handler } from "./node/listener.ts";
export type { ShutdownOptions } from "./reply/shutdown.ts";
export { diskFile, type DiskFile, type DiskFileOptions } from "./node/disk-file.ts";
export { folder, type FolderOptions } from "./node/folder.ts";
export type { FolderListing, ListedFile } from "./node/folder-list.ts";
