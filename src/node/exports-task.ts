// The work of one export: from rows to a file, in slices that leave the event loop to others, with a note of how far the disk has it.

import { setImmediate as turn } from "node:timers/promises";
import { isPromiseLike, openSource, type Source } from "../bytes/source.ts";
import { isTailraceError } from "../errors.ts";
import type { JobContext } from "../jobs/job-kind.ts";
import { safeName } from "../receive/safe-name.ts";
import { report } from "../trace.ts";
import { jsonText } from "../wire/json-text.ts";
import { ExportFile } from "./export-file.ts";
import { checkExportId } from "./export-file-names.ts";
import { csvExport, type ExportEncoder, ndjsonExport } from "./exports-encode.ts";
import type { ExportCheckpoint, ExportPlace } from "./exports-place.ts";
import { Utf8Pieces } from "./exports-pieces.ts";
import { bytesNote } from "./exports-snapshot.ts";
import type { ExportDefinition, ExportResult } from "./exports-types.ts";

/** So much text is encoded at a time, in characters. */
const TEXT_CHARS = 16_384;
/** So long rows are encoded before others get their turn. */
const SLICE_MS = 4;
/** The clock is asked after so many rows of a batch. */
const ROWS_PER_LOOK = 32;
/** Progress is told at most so often; what of it goes further, the job decides. */
const PROGRESS_MS = 100;

/** Makes the file. When it does not come to that, the file goes, unless the job may go on elsewhere. */
export async function makeExport<Input, Row, Key>(
  name: string,
  definition: ExportDefinition<Input, Row, Key>,
  place: ExportPlace,
  context: JobContext<Input>,
): Promise<ExportResult> {
  const { id, signal } = context;
  checkExportId(id);
  const work = new ExportWork(name, definition, place, context);
  const ending = new AbortController();
  const abort = (): void => ending.abort(signal.reason);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    return await work.run(ending.signal);
  } catch (error) {
    // The readers of a job are told nothing of what is the server's own fault, but for the words of this line.
    if (!signal.aborted && isTailraceError(error, "store_unavailable")) context.log(error.message, "error");
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    ending.abort();
    await work.release();
  }
}

class ExportWork<Input, Row, Key> {
  readonly #definition: ExportDefinition<Input, Row, Key>;
  readonly #place: ExportPlace;
  readonly #context: JobContext<Input>;
  readonly #encoder: ExportEncoder<Row>;
  readonly #filename: string;
  #file: ExportFile | undefined;
  #earlierAttempt: string | undefined;
  #isDone = false;
  readonly #pieces: Utf8Pieces = new Utf8Pieces();
  #text = "";
  #rows = 0;
  #last: Row | undefined;
  #total: number | undefined;
  /** The rows that the newest checkpoint, or mark of one, has. */
  #markedRows = 0;
  #markedAtMs: number = performance.now();
  #toldAtMs = -Infinity;
  #sliceAtMs: number = performance.now();
  #sinceLookCount = 0;

  constructor(
    name: string,
    definition: ExportDefinition<Input, Row, Key>,
    place: ExportPlace,
    context: JobContext<Input>,
  ) {
    const { input } = context;
    const { format: wanted = "csv", csv = {}, endRecord = false, filename } = definition;
    const format = typeof wanted === "function" ? wanted(input) : wanted;
    this.#definition = definition;
    this.#place = place;
    this.#context = context;
    this.#encoder =
      format === "csv" ? csvExport(typeof csv === "function" ? csv(input) : csv) : ndjsonExport(endRecord);
    const given = typeof filename === "function" ? filename(input) : filename;
    this.#filename = safeName(given ?? `${name}.${format}`);
  }

  async run(signal: AbortSignal): Promise<ExportResult> {
    const { folder, keepMs, fileMode, clock } = this.#place;
    const maxBytes = this.#definition.maxBytes ?? this.#place.maxBytes;
    const make = (): Promise<ExportFile> => ExportFile.make({ folder, id: this.#context.id, mode: fileMode, maxBytes });
    this.#file = await make();
    const checkpoint = this.#context.resumed?.checkpoint as ExportCheckpoint<Key> | undefined;
    const goesOn = checkpoint !== undefined && (await this.#takeOver(checkpoint, signal));
    if (!goesOn) {
      if (checkpoint !== undefined) {
        this.#context.log(
          "What was written before is not there any more, or was meant to be another file: it begins anew.",
          "warn",
        );
        await this.#file.remove();
        this.#file = await make();
      }
      this.#text = this.#encoder.open();
    }
    this.#countTotal(signal);
    await this.#pullRows(goesOn ? checkpoint.key : undefined, signal);
    this.#text += this.#encoder.close(this.#rows);
    await this.#write([...this.#encodeText(), ...this.#pieces.rest()]);
    const { bytes, sha256 } = await this.#file.finish();
    this.#isDone = true;
    this.#total &&= this.#rows; // rows may have come and gone since they were counted
    this.#tell();
    return {
      rows: this.#rows,
      bytes,
      sha256,
      filename: this.#filename,
      type: this.#encoder.type,
      expiresAtMs: clock.now() + keepMs,
      endRecord: this.#encoder.endRecord,
      attempt: this.#file.attempt,
    };
  }

  /** Gives back what it holds. An export that was aborted may go on elsewhere, with the file as it is. */
  async release(): Promise<void> {
    if (this.#isDone || this.#file === undefined) return;
    try {
      if (this.#context.signal.aborted) return await this.#file.close();
      await this.#file.remove();
      await this.#removeEarlier();
    } catch (error) {
      report("export", error); // why it ended is what counts
    }
  }

  async #takeOver(checkpoint: ExportCheckpoint<Key>, signal: AbortSignal): Promise<boolean> {
    const { attempt, rows, shape, columns, total } = checkpoint;
    const file = this.#file as ExportFile;
    this.#earlierAttempt = attempt;
    if (shape !== this.#encoder.shape || !(await file.takeOver(attempt, checkpoint, signal))) return false;
    this.#encoder.resume(columns);
    this.#rows = rows;
    this.#markedRows = rows;
    this.#total = total;
    const { id } = this.#context;
    // Until then, whoever goes on after this process needs that file.
    void this.#place
      .isKept(id, file.attempt, signal)
      .then((isKept) => (isKept ? this.#removeEarlier() : undefined))
      .catch((error: unknown) => report("export", error));
    return true;
  }

  async #removeEarlier(): Promise<void> {
    const attempt = this.#earlierAttempt;
    if (attempt === undefined) return;
    this.#earlierAttempt = undefined;
    for (const isWhole of [false, true]) {
      await this.#place.folder.remove({ id: this.#context.id, attempt, isWhole });
    }
  }

  #countTotal(signal: AbortSignal): void {
    const { total } = this.#definition;
    if (this.#total !== undefined || total === undefined) return;
    const count = async (): Promise<void> => {
      this.#total = await total(this.#context.input, { signal });
      this.#tell();
    };
    // Beside the rows, and for show only.
    count().catch(() => {
      if (!signal.aborted)
        this.#context.log("The rows could not be counted: the share that is done is not known.", "warn");
    });
  }

  async #pullRows(after: Key | undefined, signal: AbortSignal): Promise<void> {
    const { rows, batches } = this.#definition;
    const given = rows(this.#context.input, { after, signal });
    const source = (isPromiseLike(given) ? await given : given) as Source<Row | readonly Row[]>;
    const pull = openSource(source);
    const close = (): void => pull.close();
    signal.addEventListener("abort", close, { once: true });
    try {
      for (;;) {
        const answer = pull.next();
        const result = isPromiseLike(answer) ? await answer : answer;
        signal.throwIfAborted();
        if (result.done === true) return;
        if (batches === true) {
          for (const row of result.value as readonly Row[]) if (this.#add(row)) await this.#rest(signal);
        } else this.#add(result.value as Row);
        await this.#rest(signal);
      }
    } finally {
      signal.removeEventListener("abort", close);
      pull.close();
    }
  }

  /** @returns whether it is time to look at the clock */
  #add(row: Row): boolean {
    this.#text += this.#encoder.encode(row);
    this.#rows++;
    this.#last = row;
    return this.#text.length >= TEXT_CHARS || ++this.#sinceLookCount >= ROWS_PER_LOOK;
  }

  /** Between two rows: what is due is done. */
  #rest(signal: AbortSignal): Promise<void> | undefined {
    this.#sinceLookCount = 0;
    const nowMs = performance.now();
    const isTextDue = this.#text.length >= TEXT_CHARS;
    const isMarkDue = this.#isMarkDue(nowMs);
    const isTurnDue = nowMs - this.#sliceAtMs >= SLICE_MS;
    if (nowMs - this.#toldAtMs >= PROGRESS_MS) {
      this.#toldAtMs = nowMs;
      this.#tell();
    }
    const full = isTextDue || isMarkDue ? this.#encodeText() : [];
    if (full.length === 0 && !isMarkDue && !isTurnDue) return undefined;
    return this.#work(isMarkDue ? [...full, ...this.#pieces.rest()] : full, isMarkDue, isTurnDue, signal);
  }

  async #work(pieces: readonly Uint8Array[], marks: boolean, yields: boolean, signal: AbortSignal): Promise<void> {
    await this.#write(pieces);
    if (marks) this.#mark();
    if (yields) {
      await turn();
      this.#sliceAtMs = performance.now();
    }
    signal.throwIfAborted();
  }

  #isMarkDue(nowMs: number): boolean {
    if (nowMs - this.#markedAtMs < this.#place.checkpointMs || this.#rows === this.#markedRows) return false;
    return this.#file?.isKeeping === false;
  }

  #encodeText(): readonly Uint8Array[] {
    const text = this.#text;
    this.#text = "";
    return this.#pieces.add(text);
  }

  async #write(pieces: readonly Uint8Array[]): Promise<void> {
    for (const piece of pieces) await this.#file?.write(piece);
  }

  /** All rows are given to the file: once the disk has them, that is where another process goes on. */
  #mark(): void {
    const file = this.#file as ExportFile;
    const key = this.#definition.key(this.#last as Row);
    jsonText(key, "key of a row"); // here, where a refusal finds somebody
    const rows = this.#rows;
    const { attempt } = file;
    const { shape, columns } = this.#encoder;
    this.#markedRows = rows;
    this.#markedAtMs = performance.now();
    file.keep((kept) =>
      this.#context.checkpoint({
        attempt,
        key,
        rows,
        shape,
        columns,
        total: this.#total,
        ...kept,
      } satisfies ExportCheckpoint),
    );
  }

  #tell(): void {
    const { bytes = 0 } = this.#file ?? {};
    this.#context.progress(this.#rows, this.#total, bytesNote(bytes));
  }
}
