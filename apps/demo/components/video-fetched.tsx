// Which parts of a video the browser has fetched: a strip as long as the film, and a line in words.

"use client";

import { type ReactElement, type RefObject, useEffect, useState } from "react";
import { positionWords, sizeWords } from "../lib/transfer-words.ts";

interface FetchedProps {
  readonly player: RefObject<HTMLVideoElement | null>;
  readonly totalBytes: number;
}

interface Fetched {
  readonly durationS: number;
  readonly parts: readonly { readonly startS: number; readonly endS: number }[];
}

/** After each of these more may be there, or less. */
const NEWS = ["loadedmetadata", "durationchange", "progress", "seeked", "timeupdate", "emptied"] as const;

export function VideoFetched({ player, totalBytes }: FetchedProps): ReactElement | null {
  const [fetched, setFetched] = useState<Fetched>();
  useEffect(() => {
    const video = player.current;
    if (video === null) return undefined;
    const life = new AbortController();
    const look = (): void => setFetched((before) => changed(before, fetchedOf(video)));
    for (const news of NEWS) video.addEventListener(news, look, { signal: life.signal });
    look();
    return () => life.abort();
  }, [player]);
  // A film without an end, or one whose length is not yet known, has no shares.
  if (fetched === undefined || !Number.isFinite(fetched.durationS) || fetched.durationS <= 0) return null;
  const { durationS, parts } = fetched;
  const heldS = parts.reduce((sum, { startS, endS }) => sum + endS - startS, 0);
  const share = Math.min(1, heldS / durationS);
  return (
    <div className="fetched">
      <svg viewBox="0 0 1000 1" preserveAspectRatio="none" aria-hidden>
        {parts.map(({ startS, endS }) => (
          <rect
            key={startS}
            x={(startS / durationS) * 1_000}
            width={((endS - startS) / durationS) * 1_000}
            height="1"
          />
        ))}
      </svg>
      <p className="transfer-line" data-testid="fetched" data-share={share.toFixed(3)}>
        {share > 0.995
          ? `All of it is here: ${positionWords(durationS)}, ${sizeWords(totalBytes)}`
          : `The browser holds ${positionWords(heldS)} of ${positionWords(durationS)}, about ${sizeWords(share * totalBytes)} of ${sizeWords(totalBytes)}`}
      </p>
    </div>
  );
}

function fetchedOf({ duration, buffered }: HTMLVideoElement): Fetched {
  const parts = Array.from({ length: buffered.length }, (_, index) => ({
    startS: buffered.start(index),
    endS: buffered.end(index),
  }));
  return { durationS: duration, parts };
}

/** The same object as long as nothing changed: a film that plays tells its time several times a second. */
function changed(before: Fetched | undefined, now: Fetched): Fetched {
  const isSame =
    before !== undefined &&
    Object.is(before.durationS, now.durationS) &&
    before.parts.length === now.parts.length &&
    before.parts.every(
      ({ startS, endS }, index) => startS === now.parts[index]?.startS && endS === now.parts[index]?.endS,
    );
  return isSame ? before : now;
}
