// What lets an append do without asking which primary it is made on (see decisions/034): an earlier call of this connection has asked,
// within the same second of the server's clock.

const encoder = new TextEncoder();

export class PrimaryProof {
  #bytes: Uint8Array | undefined;

  /** What an append takes along; a client that sends it again over another connection sends what has become of it by then. */
  get argument(): string | Uint8Array {
    return this.#bytes ?? "-";
  }

  /** A call has told which primary it was made on, and when; or nothing, by '-'. */
  saw(text: string): void {
    if (text !== "-") this.#bytes = encoder.encode(text);
  }

  /** The connection was lost, or something was refused: what is under way with the proof loses it, too. */
  drop(): void {
    this.#bytes?.fill(0x2d);
    this.#bytes = undefined;
  }
}
