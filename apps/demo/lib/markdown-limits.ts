// How far the marks inside a block reach, so that reading a text that grows has a limit per piece.

/** How long the address of a link may be. */
export const MAX_ADDRESS_CHARS: number = 2_000;
/** Emphasis and links inside one another; what lies deeper is plain text. */
export const MAX_DEPTH_COUNT: number = 8;
/** How long the text of a link may be. */
export const MAX_LABEL_CHARS: number = 1_000;
/** How far emphasis and code may reach: what has no other half by then is plain, whatever comes later. */
export const MAX_SPAN_CHARS: number = 2_000;
/** The farthest that any mark looks ahead, and a few characters: what stands before that is settled. */
export const LOOK_AHEAD_CHARS: number = MAX_LABEL_CHARS + MAX_ADDRESS_CHARS + 16;
/** The least length of a settled piece. */
export const PIECE_CHARS: number = 1_000;
