// A sink over any WritableStream: another service's request body, a compressor, a bucket's multipart writer.

import { TailraceError } from "../errors.ts";
import type { Sink, SinkFileInfo } from "./sink.ts";

/**
 * @param target a stream for one upload, or a function that makes one per file. The stream is closed at the commit and aborted when the
 *   upload fails; its own queue decides how far the sender may run ahead.
 */
export function streamSink(
  target:
    | WritableStream<Uint8Array>
    | ((file: SinkFileInfo) => WritableStream<Uint8Array> | PromiseLike<WritableStream<Uint8Array>>),
): Sink {
  let isTaken = false;
  async function streamFor(file: SinkFileInfo): Promise<WritableStream<Uint8Array>> {
    if (typeof target === "function") return target(file);
    if (isTaken) {
      throw new TailraceError(
        "closed",
        "This streamSink has had its one file; pass it a function that makes a stream for each.",
      );
    }
    isTaken = true;
    return target;
  }
  return {
    async open(file) {
      const writer = (await streamFor(file)).getWriter();
      // The failure of a stream shows at the next write; these two promises would report it a second time, to nobody.
      writer.closed.catch(() => undefined);
      writer.ready.catch(() => undefined);
      return {
        write(chunk) {
          writer.write(chunk).catch(() => undefined);
          return writer.ready;
        },
        async commit() {
          await writer.close();
          return { key: file.id };
        },
        async abort() {
          // A stream that has failed or is closed has nothing to abort.
          await writer.abort(new DOMException("The upload failed.", "AbortError")).catch(() => undefined);
        },
      };
    },
  };
}
