// What to start, and with what.

"use client";

import { type FormEvent, type ReactElement, useId, useState } from "react";
import { usePolled } from "./use-polled.ts";

const FOLDERS = ["files", "videos", "uploads"] as const;

const SPEEDS = [
  { bytesPerSecond: 0, says: "As fast as it goes" },
  { bytesPerSecond: 8_000_000, says: "8 MB/s" },
  { bytesPerSecond: 2_000_000, says: "2 MB/s, to watch" },
] as const;

interface FormProps {
  readonly isBusy: boolean;
  readonly onStart: (kind: string, input: object) => Promise<void>;
}

export function JobForm({ isBusy, onStart }: FormProps): ReactElement {
  const [kind, setKind] = useState<"hash" | "words">("hash");
  const [folder, setFolder] = useState<(typeof FOLDERS)[number]>("files");
  const [bytesPerSecond, setSpeed] = useState<number>(2_000_000);
  const [text, setText] = useState("How many words are here?");
  const [file, setFile] = useState("");
  const files = usePolled<{ readonly uploads: readonly { readonly name: string }[] }>("/api/files", null);
  const id = useId();

  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const words = file === "" ? { text } : { file };
    void onStart(kind, kind === "hash" ? { folder, bytesPerSecond } : words);
  };

  return (
    <form className="publish" onSubmit={submit}>
      <div>
        <label htmlFor={`${id}-kind`}>Kind</label>
        <select
          id={`${id}-kind`}
          data-testid="kind"
          value={kind}
          onChange={({ target }) => setKind(target.value === "words" ? "words" : "hash")}
        >
          <option value="hash">Hash every file of a folder</option>
          <option value="words">Count the words of a text</option>
        </select>
      </div>
      {kind === "hash" ? (
        <>
          <div>
            <label htmlFor={`${id}-folder`}>Folder</label>
            <select
              id={`${id}-folder`}
              data-testid="folder"
              value={folder}
              onChange={({ target }) => setFolder(FOLDERS.find((each) => each === target.value) ?? "files")}
            >
              {FOLDERS.map((each) => (
                <option key={each}>{each}</option>
              ))}
            </select>
          </div>
          <div>
            <label htmlFor={`${id}-speed`}>Speed</label>
            <select
              id={`${id}-speed`}
              data-testid="speed"
              value={bytesPerSecond}
              onChange={({ target }) => setSpeed(Number(target.value))}
            >
              {SPEEDS.map((speed) => (
                <option key={speed.bytesPerSecond} value={speed.bytesPerSecond}>
                  {speed.says}
                </option>
              ))}
            </select>
          </div>
        </>
      ) : (
        <>
          <div>
            <label htmlFor={`${id}-file`}>From</label>
            <select
              id={`${id}-file`}
              data-testid="file"
              value={file}
              onChange={({ target }) => setFile(target.value)}
              onFocus={files.refresh}
            >
              <option value="">The text below</option>
              {(files.value?.uploads ?? []).map(({ name }) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </div>
          {file === "" ? (
            <div>
              <label htmlFor={`${id}-text`}>Text</label>
              <textarea
                id={`${id}-text`}
                data-testid="text"
                rows={5}
                required
                maxLength={250_000}
                value={text}
                onChange={({ target }) => setText(target.value)}
              />
            </div>
          ) : null}
        </>
      )}
      <div className="publish-foot">
        <button type="submit" className="button button-primary" data-testid="start" disabled={isBusy}>
          {isBusy ? "Starting…" : "Start"}
        </button>
      </div>
    </form>
  );
}
