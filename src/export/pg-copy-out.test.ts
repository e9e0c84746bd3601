import { EventEmitter } from "node:events";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { COPY_AHEAD_BYTES, CopyOut } from "./pg-copy-out.ts";

function message(type: string, payload: Uint8Array | string): Buffer {
  const head = Buffer.alloc(5);
  head.write(type, "latin1");
  head.writeInt32BE(payload.length + 4, 1);
  return Buffer.concat([head, Buffer.from(payload)]);
}

/** A copy in progress; `parsed` is what node-postgres would get to read. */
function begin(): { out: CopyOut; socket: EventEmitter; parsed: Buffer[]; calls: string[] } {
  const parsed: Buffer[] = [];
  const calls: string[] = [];
  const socket = Object.assign(new EventEmitter(), {
    pause: () => calls.push("pause"),
    resume: () => calls.push("resume"),
  });
  socket.on("data", (data: Buffer) => parsed.push(Buffer.from(data)));
  const out = new CopyOut("COPY t TO STDOUT");
  expect(out.submit({ stream: socket, query: (text) => calls.push(text) })).toBeUndefined();
  return { out, socket, parsed, calls };
}

async function drain(out: CopyOut): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for (let piece = await out.read(); piece !== undefined; piece = await out.read()) pieces.push(piece);
  return Buffer.concat(pieces);
}

const END = Buffer.concat([message("c", ""), message("C", "COPY 2\0"), message("Z", "I")]);

describe("CopyOut", () => {
  test("gives the rows and hands the rest to node-postgres, wherever the bytes are split", async () => {
    const row = fc.uint8Array({ maxLength: 12 });
    const notice = fc.constantFrom("N", "A", "S");
    const part = fc.oneof(
      { weight: 5, arbitrary: row.map((payload) => ({ type: "d", payload })) },
      fc.record({ type: notice, payload: row }),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.array(part),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
        async (parts, sizes) => {
          const { out, socket, parsed } = begin();
          const all = Buffer.concat([
            message("H", "x"),
            ...parts.map(({ type, payload }) => message(type, payload)),
            END,
          ]);
          for (let at = 0, step = 0; at < all.length; step++) {
            const end = Math.min(all.length, at + (sizes[step % sizes.length] ?? 1));
            socket.emit("data", Buffer.from(all.subarray(at, end)));
            at = end;
          }
          out.handleCommandComplete();
          out.handleReadyForQuery();
          expect(await drain(out)).toEqual(
            Buffer.concat(parts.filter(({ type }) => type === "d").map(({ payload }) => payload)),
          );
          expect(Buffer.concat(parsed)).toEqual(END);
        },
      ),
    );
  });

  test.each([
    [COPY_AHEAD_BYTES - 1, []],
    [COPY_AHEAD_BYTES, ["pause"]],
  ])("with %i bytes ahead of the reader does %j to the socket", async (bytes, wanted) => {
    const { out, socket, calls } = begin();
    socket.emit("data", message("d", Buffer.alloc(bytes)));
    expect(calls.slice(1)).toEqual(wanted);
    expect(await out.read()).toHaveLength(bytes);
    expect(calls.slice(1)).toEqual(wanted.length === 0 ? [] : ["pause", "resume"]);
  });

  test("gives what came before an error, then throws it", async () => {
    const { out, socket, parsed } = begin();
    const failure = message("E", "SERROR\0\0");
    socket.emit("data", Buffer.concat([message("d", "1\n"), failure]));
    out.handleError(new Error("division by zero"));
    expect(await out.read()).toEqual(Buffer.from("1\n"));
    await expect(out.read()).rejects.toThrow("division by zero");
    expect(parsed).toEqual([failure]);
    expect(out.isDone).toBe(false);
  });

  test("refuses a connection that more than node-postgres listens to", () => {
    const socket = Object.assign(new EventEmitter(), { pause: () => undefined, resume: () => undefined });
    const out = new CopyOut("COPY t TO STDOUT");
    expect(out.submit({ stream: socket, query: () => undefined })).toMatchObject({ code: "source_failed" });
  });
});
