// Uploads that a reload cut off: the server has a part, the browser no longer has the file.

"use client";

import { type ReactElement, useEffect, useMemo, useState, useSyncExternalStore } from "react";
import type { UploadItem } from "tailrace/react";
import type { ListedUpload } from "../lib/followed-uploads.ts";
import { parseRemembered, readRemembered, type RememberedUpload } from "../lib/remembered-uploads.ts";
import { amountWords, sizeWords } from "../lib/transfer-words.ts";
import { TransferBar } from "./transfer-bar.tsx";
import { UPLOAD_URL } from "./upload-queue.ts";
import { keepTabUploads, readTabUploads } from "./upload-tab.ts";

/** tus 1.0, "Headers": on every request. */
const TUS = { "tus-resumable": "1.0.0" };

interface UnfinishedProps {
  readonly own: readonly UploadItem[];
  /** Null until the server has answered. */
  readonly listed: readonly ListedUpload[] | null;
  readonly onChoose: () => void;
}

export function UploadUnfinished({ own, listed, onChoose }: UnfinishedProps): ReactElement | null {
  const text = useSyncExternalStore(followStorage, readStorage, () => "");
  const remembered = useMemo(
    () => (text === "" ? [] : parseRemembered(text, new URL(UPLOAD_URL, window.location.href).href)),
    [text],
  );
  const [ofTab] = useState(readTabUploads);
  const ids = own.flatMap(({ uploadId }) => uploadId ?? []).join(" ");
  useEffect(() => {
    if (ids !== "") keepTabUploads(ids.split(" "));
  }, [ids]);
  const waiting = remembered.filter(
    (upload) => !isOwn(upload, own) && (ofTab.has(upload.id) || !isElsewhere(upload, listed)),
  );
  if (waiting.length === 0) return null;
  return (
    <div className="unfinished">
      <h3>Left unfinished</h3>
      <p className="transfer-line">
        A page that was left no longer has the files. Choose the same file again, and it goes on from where it was.
      </p>
      <ul className="transfers">
        {waiting.map((upload) => (
          <Unfinished
            key={upload.key}
            upload={upload}
            listedBytes={listed?.find(({ id }) => id === upload.id)?.bytes ?? null}
            onChoose={onChoose}
          />
        ))}
      </ul>
    </div>
  );
}

interface RowProps {
  readonly upload: RememberedUpload;
  /** What the list of all uploads says. */
  readonly listedBytes: number | null;
  readonly onChoose: () => void;
}

function Unfinished({ upload, listedBytes, onChoose }: RowProps): ReactElement {
  const { key, url, name, totalBytes } = upload;
  const [offset, setOffset] = useState<number | null>(null);
  // What was on its way when the page was left is stored after the server has answered.
  const bytes = offset === null ? listedBytes : Math.max(offset, listedBytes ?? 0);
  useEffect(() => {
    const life = new AbortController();
    void askOffset(url, life.signal).then((answer) => {
      if (life.signal.aborted) return;
      if (answer === "gone") forget(key);
      else setOffset(answer);
    });
    return () => life.abort();
  }, [key, url]);
  const discard = (): void => {
    // A server that is away removes it when it expires.
    fetch(url, { method: "DELETE", headers: TUS }).catch(() => undefined);
    forget(key);
  };
  return (
    <li className="transfer" data-testid="unfinished" data-name={name} data-stored={bytes ?? ""}>
      <div className="transfer-head">
        <h4>{name}</h4>
        <div className="transfer-actions">
          <button
            type="button"
            className="button button-small"
            aria-label={`Choose it again: ${name}`}
            data-testid="choose"
            onClick={onChoose}
          >
            Choose it again
          </button>
          <button
            type="button"
            className="button button-small"
            aria-label={`Discard what the server has: ${name}`}
            data-testid="discard"
            onClick={discard}
          >
            Discard
          </button>
        </div>
      </div>
      {bytes === null ? null : (
        <TransferBar label={`${name}, bytes on the server`} bytes={bytes} totalBytes={totalBytes} status="unfinished" />
      )}
      <p className="transfer-line">
        {bytes === null ? sizeWords(totalBytes) : `${amountWords(bytes, totalBytes)} on the server`}
      </p>
    </li>
  );
}

function isOwn({ id, name, totalBytes }: RememberedUpload, own: readonly UploadItem[]): boolean {
  return own.some(
    (item) => item.uploadId === id || (item.name === name && item.totalBytes === totalBytes && item.status !== "done"),
  );
}

/** Whether another tab sends it: all tabs of a browser remember their uploads in the same place. */
function isElsewhere({ id }: RememberedUpload, listed: readonly ListedUpload[] | null): boolean {
  // Until the server has answered nobody knows.
  if (listed === null) return true;
  return listed.some((upload) => upload.id === id && (upload.state === "receiving" || upload.state === "verifying"));
}

/** How many bytes the server has (tus 1.0, HEAD); null when it cannot be told now. */
async function askOffset(url: string, signal: AbortSignal): Promise<number | "gone" | null> {
  try {
    const response = await fetch(url, { method: "HEAD", headers: TUS, cache: "no-store", signal });
    if (response.status === 404 || response.status === 410) return "gone";
    const offset = response.headers.get("upload-offset");
    return response.ok && offset !== null ? Number(offset) : null;
  } catch {
    return null;
  }
}

/** Other tabs tell of their changes; those of this tab come with the renders that its uploads cause. */
function followStorage(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener("storage", listener);
  };
}

const listeners = new Set<() => void>();

function readStorage(): string {
  try {
    return readRemembered(window.localStorage);
  } catch {
    // A page without access to its storage throws on the mere look.
    return "";
  }
}

function forget(key: string): void {
  try {
    window.localStorage.removeItem(key);
  } catch {
    // Without a storage nothing is remembered.
  }
  for (const listener of listeners) listener();
}
