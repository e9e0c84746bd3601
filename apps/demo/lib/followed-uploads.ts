// Which uploads a page follows live: a browser has few connections to a server, and a stream holds one.

/** An upload in `GET /api/uploads`: the last 20, newest first. */
export interface ListedUpload {
  readonly id: string;
  readonly name?: string | null | undefined;
  readonly state: string;
  readonly bytes: number;
  readonly totalBytes?: number | null | undefined;
}

/** Over HTTP/1.1 there are six to an origin; two are for this page's own uploads, and one stays free for the rest. */
export const MAX_FOLLOWED_COUNT = 3;

/** The more is happening, the earlier. What is over is not followed: its last word is known. */
const ORDER = ["receiving", "verifying", "created", "stalled"] as const;

/** The ids to follow, of `uploads` in the order of the list. `over` holds those whose stream has told their end. */
export function chooseFollowed(
  uploads: readonly Pick<ListedUpload, "id" | "state">[],
  over: ReadonlySet<string>,
  maxCount: number = MAX_FOLLOWED_COUNT,
): ReadonlySet<string> {
  const chosen = new Set<string>();
  for (const state of ORDER) {
    for (const upload of uploads) {
      if (chosen.size === maxCount) return chosen;
      if (upload.state === state && !over.has(upload.id)) chosen.add(upload.id);
    }
  }
  return chosen;
}

/** Whether nothing follows after this state. */
export function isOver(state: string): boolean {
  return state === "complete" || state === "failed" || state === "expired";
}
