// One video, and how much of it was fetched.

"use client";

import { type ReactElement, useRef, useState } from "react";
import type { ListedFile } from "./files-row.tsx";
import { VideoFetched } from "./video-fetched.tsx";

export function VideoPlayer({ video: { name, bytes } }: { readonly video: ListedFile }): ReactElement {
  const [isBroken, setBroken] = useState(false);
  const player = useRef<HTMLVideoElement>(null);
  return (
    <div className="video">
      <video
        ref={player}
        controls
        playsInline
        preload="metadata"
        aria-label={name}
        data-testid="video"
        data-name={name}
        src={`/api/video/${encodeURIComponent(name)}`}
        onError={() => setBroken(true)}
        onLoadedMetadata={() => setBroken(false)}
      />
      {isBroken ? (
        <p className="notice notice-danger" role="alert">
          This browser could not play {name}: it does not know the format, or the server was away.
        </p>
      ) : (
        <VideoFetched player={player} totalBytes={bytes} />
      )}
    </div>
  );
}
