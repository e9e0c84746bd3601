// The only bridge from a pull to a web stream: back-pressure and clean-up live here and nowhere else.

import { isPromiseLike, type Pull } from "./source.ts";

/**
 * A `ReadableStream` over `pull`. It reads nothing until somebody reads from it, one chunk per demand: a body that is
 * never read (a HEAD answered by a GET handler, a reader that had gone before the handler returned) never opens its source.
 */
export function toReadableStream(pull: Pull<Uint8Array<ArrayBuffer>>): ReadableStream<Uint8Array<ArrayBuffer>> {
  let cancelled = false;
  function take(
    controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>,
    result: IteratorResult<Uint8Array<ArrayBuffer>, undefined>,
  ): void {
    if (cancelled) return; // the answer to our own `close`
    if (result.done === true) controller.close();
    else controller.enqueue(result.value);
  }
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      pull(controller) {
        const result = pull.next();
        // A rejection goes through to the stream, which errors: the host then cuts the connection.
        if (isPromiseLike(result)) return result.then((ready) => take(controller, ready));
        return take(controller, result);
      },
      cancel() {
        cancelled = true;
        pull.close();
      },
    },
    { highWaterMark: 0 },
  );
}
