// A player, and the videos beside it.

"use client";

import { type ReactElement, useState } from "react";
import { sizeWords } from "../lib/transfer-words.ts";
import type { ListedFile } from "./files-row.tsx";
import { VideoPlayer } from "./video-player.tsx";

interface PanelProps {
  /** Undefined until the server has answered. */
  readonly videos: readonly ListedFile[] | undefined;
}

export function VideoPanel({ videos }: PanelProps): ReactElement | null {
  const [chosen, setChosen] = useState<string>();
  const video = videos?.find(({ name }) => name === chosen) ?? videos?.[0];
  if (videos === undefined) return null;
  return (
    <section className="files-section" aria-labelledby="videos">
      <h2 id="videos">Videos</h2>
      {video === undefined ? (
        <p className="transfer-line">There is no video.</p>
      ) : (
        <div className="videos">
          <VideoPlayer key={video.name} video={video} />
          <ul className="video-list">
            {videos.map(({ name, bytes }) => (
              <li key={name}>
                <button
                  type="button"
                  aria-current={name === video.name ? "true" : undefined}
                  onClick={() => setChosen(name)}
                >
                  <span className="video-name">{name}</span>
                  <span className="video-size">{sizeWords(bytes)}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </section>
  );
}
