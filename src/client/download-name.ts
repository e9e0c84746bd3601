// What a downloaded file is called, and how it reaches the reader's disk where there is no file picker.

/** RFC 8187, section 3.2: `UTF-8''` and percent-encoded bytes. */
function decodeExtended(value: string): string | undefined {
  const encoded = /^utf-8'[^']*'(.*)$/i.exec(value)?.[1];
  try {
    return encoded === undefined ? undefined : decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** The name that `Content-Disposition` tells (RFC 6266, section 4.3: `filename*` first), else the address's last step. */
export function downloadNameOf(disposition: string | null, url: string): string {
  const text = disposition ?? "";
  const extended = /;\s*filename\*\s*=\s*([^;\s]+)/i.exec(text)?.[1];
  const quoted = /;\s*filename\s*=\s*"((?:[^"\\]|\\.)*)"/i.exec(text)?.[1]?.replaceAll(/\\(.)/g, "$1");
  const plain = /;\s*filename\s*=\s*([^;"\s]+)/i.exec(text)?.[1];
  const told = decodeExtended(extended ?? "") ?? quoted ?? plain;
  const step = url.split(/[?#]/, 1)[0]?.split("/").at(-1) ?? "";
  const name = told ?? decodeExtended(`utf-8''${step}`) ?? step;
  // RFC 6266, section 4.3: only the last step of what may be a path.
  return name.split(/[/\\]/).at(-1) || "download";
}

/** Long enough for a browser to have taken the file over: 60 s. */
const REVOKE_MS = 60_000;

/** Hands a Blob to the browser as a download, under `name`. */
export function saveAs(blob: Blob, name: string): void {
  const url = URL.createObjectURL(blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), REVOKE_MS);
}
