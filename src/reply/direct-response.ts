// A Response for a host that writes the bytes of ours itself: its stream is made only if somebody asks for it.

import { toReadableStream } from "../bytes/bridge.ts";
import type { BytePull } from "../bytes/byte-pull.ts";
import { PULL } from "./reply.ts";

const DIRECT: unique symbol = Symbol.for("tailrace.request.direct.1");

/** For a host that looks for the pull of every Response before it looks at its body: says so to who answers `request`. */
export function markDirect(request: Request): void {
  (request as { [DIRECT]?: true })[DIRECT] = true;
}

/** Whether the host of `request` will ask a Response for its pull. */
export function isDirect(request: Request): boolean {
  return (request as { [DIRECT]?: true })[DIRECT] === true;
}

/**
 * A Response whose bytes are those of `pull`. Whoever asks for its body in any way gets a real one, and then the pull is given to
 * nobody else.
 */
export class DirectResponse extends Response {
  readonly #pull: BytePull;
  readonly #headers: Headers;
  readonly #onTaken: () => void;
  #real: Response | undefined;

  /** @param onTaken called once, when the body is asked for and the host will not see the pull any more */
  constructor(pull: BytePull, init: { readonly status: number; readonly headers: Headers }, onTaken: () => void) {
    super(null, { status: init.status });
    this.#pull = pull;
    this.#headers = init.headers; // not copied: they were made for this Response
    this.#onTaken = onTaken;
  }

  /** Undefined once the body has been asked for. */
  get pull(): BytePull | undefined {
    return this.#real === undefined ? this.#pull : undefined;
  }

  override get headers(): Headers {
    return this.#headers;
  }

  override get body(): ReadableStream<Uint8Array<ArrayBuffer>> | null {
    return this.#take().body;
  }

  override get bodyUsed(): boolean {
    return this.#real?.bodyUsed ?? false;
  }

  override arrayBuffer(): Promise<ArrayBuffer> {
    return this.#take().arrayBuffer();
  }

  override blob(): Promise<Blob> {
    return this.#take().blob();
  }

  override bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#take().bytes();
  }

  override clone(): Response {
    return this.#take().clone();
  }

  override formData(): Promise<FormData> {
    return this.#take().formData();
  }

  override json(): Promise<unknown> {
    return this.#take().json();
  }

  override text(): Promise<string> {
    return this.#take().text();
  }

  #take(): Response {
    if (this.#real === undefined) {
      this.#real = new Response(toReadableStream(this.#pull), { status: this.status, headers: this.#headers });
      this.#onTaken();
    }
    return this.#real;
  }
}

// Outside of the class, as a computed name of a member has no type that a declaration can be made from.
Object.defineProperty(DirectResponse.prototype, PULL, {
  get(this: DirectResponse): BytePull | undefined {
    return this.pull;
  },
});
