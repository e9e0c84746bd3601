// "Save to disk": a file that the reader chooses, to download straight into. Only where the browser has the File System
// Access API.

"use client";

import { useSyncExternalStore } from "react";

/** A file that may be written (FileSystemFileHandle, of which TypeScript knows no picker). */
export interface SaveTarget {
  readonly name: string;
  /** What is written shows in the file once the stream is closed. */
  createWritable(): Promise<WritableStream<Uint8Array>>;
}

type Picker = (options: { readonly suggestedName: string }) => Promise<SaveTarget>;

interface PickerHost {
  readonly showSaveFilePicker?: Picker;
}

const neverChanges = (): (() => void) => () => undefined;

/** Whether this browser can; false while the page is rendered on the server. */
export function useCanSave(): boolean {
  return useSyncExternalStore(
    neverChanges,
    () => (globalThis as PickerHost).showSaveFilePicker !== undefined,
    () => false,
  );
}

/** Asks for a file, which needs a click. Null where the reader would rather not. */
export async function pickTarget(suggestedName: string): Promise<SaveTarget | null> {
  try {
    return (await (globalThis as PickerHost).showSaveFilePicker?.({ suggestedName })) ?? null;
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") return null;
    throw error;
  }
}
