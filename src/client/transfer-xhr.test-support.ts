// An XMLHttpRequest that a test plays by hand. No door reaches it.

/** One request, and the ways to let it go on. */
export class FakeXhr {
  static readonly all: FakeXhr[] = [];
  readonly upload: { onprogress: ((event: { loaded: number }) => void) | null } = { onprogress: null };
  readonly headers: Record<string, string> = {};
  onload: (() => void) | null = null;
  onerror: (() => void) | null = null;
  onabort: (() => void) | null = null;
  ontimeout: (() => void) | null = null;
  withCredentials = false;
  status = 0;
  statusText = "";
  responseText = "";
  method = "";
  url = "";
  body: Blob | undefined;
  isAborted = false;
  #responseHeaders = "";

  open(method: string, url: string): void {
    this.method = method;
    this.url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }

  send(body: Blob): void {
    this.body = body;
    FakeXhr.all.push(this);
  }

  abort(): void {
    this.isAborted = true;
  }

  getAllResponseHeaders(): string {
    return this.#responseHeaders;
  }

  /** A part of the body has left. */
  sent(loaded: number): void {
    this.upload.onprogress?.({ loaded });
  }

  answer(status: number, headers: Readonly<Record<string, string>> = {}, body: string = ""): void {
    this.status = status;
    this.responseText = body;
    this.#responseHeaders = Object.entries(headers)
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join("");
    this.onload?.();
  }

  fail(): void {
    this.onerror?.();
  }

  /** Whether nothing of the request is listened to any more. */
  get isReleased(): boolean {
    return [this.onload, this.onerror, this.onabort, this.ontimeout, this.upload.onprogress].every(
      (handler) => handler === null,
    );
  }
}
