// A text that goes in at the left and comes back changed at the right, while it is still going in.

"use client";

import { type ReactElement, useCallback, useEffect, useId, useRef, useState } from "react";
import type { OperationName } from "../lib/transforms.ts";
import { sizeWords } from "../lib/transfer-words.ts";
import { TransformChoice } from "./transform-choice.tsx";
import type { Place } from "./transform-flow.ts";
import { TransformOutput } from "./transform-output.tsx";
import { useDroppedFiles } from "./use-dropped-files.ts";
import { useTransform } from "./use-transform.ts";

/** A pause in typing after which the text is sent. */
const TYPING_MS = 150;

export function TransformPage(): ReactElement {
  const [text, setText] = useState("Type here,\nor drop a file anywhere on this page.\n");
  const [file, setFile] = useState<File | null>(null);
  const [name, setName] = useState<OperationName>("upper");
  const [place, setPlace] = useState<Place>("server");
  const [problem, setProblem] = useState("");
  const { start, stop, ...state } = useTransform();
  const picker = useRef<HTMLInputElement>(null);
  const id = useId();

  const take = useCallback((files: readonly File[], refusal: string): void => {
    const [first] = files;
    setProblem(files.length > 1 ? "One file at a time: the first was taken." : refusal);
    if (first !== undefined) setFile(first);
  }, []);
  const isOver = useDroppedFiles(take);

  // What is typed goes after a short pause; a file, or another choice, at once.
  useEffect(() => {
    if (file !== null) {
      start(file, name, place);
      return undefined;
    }
    const timer = setTimeout(() => start(new Blob([text]), name, place), TYPING_MS);
    return () => clearTimeout(timer);
  }, [file, text, name, place, start]);

  return (
    <main className="page">
      <h1>Transform</h1>
      <p className="lead">
        The body of a request goes through a function and comes back while it is still being sent. Nothing is held but
        the piece that is under way, whatever the size.
      </p>
      <TransformChoice name={name} place={place} onName={setName} onPlace={setPlace} />
      <div className="transform">
        <section aria-labelledby={`${id}-in`} data-over={isOver}>
          <div className="transform-head">
            <h2 id={`${id}-in`}>In</h2>
            <div className="transfer-actions">
              {file === null ? null : (
                <button type="button" className="button button-small" onClick={() => setFile(null)}>
                  Back to typing
                </button>
              )}
              <button type="button" className="button button-small" onClick={() => picker.current?.click()}>
                Choose a file
              </button>
            </div>
            <input
              ref={picker}
              type="file"
              hidden
              aria-label="The file to transform"
              data-testid="file-input"
              onChange={({ target }) => {
                const files = Array.from(target.files ?? []);
                target.value = "";
                if (files.length > 0) take(files, "");
              }}
            />
          </div>
          {file === null ? (
            <textarea
              aria-labelledby={`${id}-in`}
              data-testid="input"
              spellCheck={false}
              value={text}
              onChange={({ target }) => setText(target.value)}
            />
          ) : (
            <p className="transform-file">
              <strong>{file.name}</strong> {sizeWords(file.size)}
            </p>
          )}
        </section>
        <TransformOutput state={state} onStop={stop} />
      </div>
      <div role="alert">{problem === "" ? null : <p className="notice">{problem}</p>}</div>
      <p className="transform-note">
        A browser sends the whole of a request before it reads the answer, so this page sends a file in pieces of 512
        kB, cut behind a line end. Other clients need no such thing:{" "}
        <code>curl -N -X POST -T file "http://…/api/transform?op={name}"</code> shows the first lines while the last
        ones are still on their way.
      </p>
    </main>
  );
}
