// A folder of files as replies: nothing outside it, nothing hidden, whatever the path says and wherever links lead.

import { isTailraceError } from "../errors.ts";
import { acceptedEncodings, type Encoding } from "../http/precompressed.ts";
import { problem } from "../http/problem.ts";
import type { FileOptions, FileVariant } from "../reply/file-options.ts";
import { file } from "../reply/file.ts";
import { type DiskFile, notFound, sourceOf } from "./disk-file.ts";
import { DEFAULT_MAX_ENTRIES, listFolder } from "./folder-list.ts";
import { openInside } from "./open-inside.ts";
import { safeSegments } from "./safe-segments.ts";

/** Options of {@link folder}; those of `file` hold for each file. */
export interface FolderOptions extends Omit<FileOptions, "name" | "etag" | "lastModifiedMs" | "variants" | "offload"> {
  /** Whether names that begin with a dot are served. Default false. */
  readonly dotfiles?: boolean | undefined;
  /** Whether a folder is answered with its files as JSON. Default false: 404. */
  readonly listing?: boolean | undefined;
  /** How many entries a listing looks at. Default 10,000. */
  readonly maxEntries?: number | undefined;
  /** Encodings whose ready copies lie beside a file, as `app.js.br` beside `app.js`; the most wanted first. Default none. */
  readonly precompressed?: readonly Encoding[] | undefined;
}

const EXTENSIONS: Readonly<Record<Encoding, string>> = { br: ".br", zstd: ".zst", gzip: ".gz" };

/**
 * Replies with the file at `path` below `root`. Whatever may not be served gets the same 404 as what is not there: a path
 * that leaves the root, also by a link; hidden names; names with separators, colons, control characters, trailing dots or
 * spaces, and those of Windows devices.
 *
 * @param path decoded once: the segments as Next.js gives them, or one string with `/` between them
 */
export async function folder(
  request: Request,
  root: string,
  path: string | readonly string[],
  options: FolderOptions = {},
): Promise<Response> {
  try {
    return await answer(request, root, path, options);
  } catch (error) {
    if (isTailraceError(error)) return problem(error);
    throw error;
  }
}

async function answer(
  request: Request,
  root: string,
  wanted: string | readonly string[],
  options: FolderOptions,
): Promise<Response> {
  const { dotfiles = false, listing = false, maxEntries = DEFAULT_MAX_ENTRIES, precompressed, ...rest } = options;
  const segments = safeSegments(wanted, dotfiles);
  if (segments === undefined || (segments.length === 0 && !listing)) throw notFound();
  const path = segments.join("/");
  const opened = await openInside(root, path, dotfiles);
  if (listing && opened.stat.isDirectory()) {
    return await listFolder({ fd: opened.fd, path: opened.realPath, realRoot: opened.realRoot }, dotfiles, maxEntries);
  }
  const source = sourceOf(opened, opened.stat, opened.tag, segments.at(-1) ?? "", undefined);
  if (precompressed === undefined) return file(request, source, rest);
  try {
    const variants = await siblings(request, source, root, path, dotfiles, precompressed);
    return file(request, source, { ...rest, variants });
  } catch (error) {
    source.close();
    throw error;
  }
}

/** The ready copies that this request takes and that are not older than the file. */
async function siblings(
  request: Request,
  source: DiskFile,
  root: string,
  path: string,
  dotfiles: boolean,
  precompressed: readonly Encoding[],
): Promise<readonly FileVariant[]> {
  for (const encoding of acceptedEncodings(request.headers.get("accept-encoding"), precompressed)) {
    try {
      const opened = await openInside(root, path + EXTENSIONS[encoding], dotfiles);
      const variant = sourceOf(opened, opened.stat, opened.tag, source.name, source.type);
      if (variant.lastModifiedMs >= source.lastModifiedMs) return [{ encoding, source: variant }];
      variant.close();
    } catch (error) {
      if (!isTailraceError(error, "not_found")) throw error;
    }
  }
  return []; // still a choice that was made: the reply says `vary`
}
