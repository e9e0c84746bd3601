// Files that are dropped anywhere on a page.

"use client";

import { useEffect, useState } from "react";

/**
 * Takes files wherever they are dropped: a browser opens a file that is dropped beside the zone, and leaves the page for
 * it. True while files are dragged over the page.
 */
export function useDroppedFiles(onFiles: (files: readonly File[], refusal: string) => void): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const life = new AbortController();
    const { signal } = life;
    // Each element that the pointer crosses is entered and left.
    let depth = 0;
    const on = (type: "dragenter" | "dragover" | "dragleave" | "drop", take: (event: DragEvent) => void): void => {
      const listener = (event: DragEvent): void => {
        if (event.dataTransfer?.types.includes("Files") !== true) return;
        event.preventDefault();
        take(event);
      };
      window.addEventListener(type, listener, { signal });
    };
    on("dragenter", () => setOver(++depth > 0));
    on("dragleave", () => setOver(--depth > 0));
    on("dragover", ({ dataTransfer }) => {
      if (dataTransfer !== null) dataTransfer.dropEffect = "copy";
    });
    on("drop", ({ dataTransfer }) => {
      depth = 0;
      setOver(false);
      if (dataTransfer !== null) onFiles(...droppedFiles(dataTransfer));
    });
    return () => life.abort();
  }, [onFiles]);
  return isOver;
}

/** The files, and what to say of the folders among them: they would look like files that cannot be read. */
function droppedFiles(transfer: DataTransfer): readonly [files: readonly File[], refusal: string] {
  const items = Array.from(transfer.items).filter(({ kind }) => kind === "file");
  if (items.length === 0) return [Array.from(transfer.files), ""];
  const folders = items.filter((item) => item.webkitGetAsEntry()?.isDirectory === true);
  const files = items.flatMap((item) => (folders.includes(item) ? [] : (item.getAsFile() ?? [])));
  return [files, folders.length === 0 ? "" : "A folder cannot be uploaded as one. Choose the files in it."];
}
