/** The frames of a log stream: one byte for the stream, three zeros, four for the length, then the text. */

import { StringDecoder } from 'node:string_decoder';

const HEADER_BYTES = 8;
const STREAMS = ['stdout', 'stdout', 'stderr', 'failure'] as const;

export interface LogText {
  /** `failure`: not a line of a task, but why lines are missing. */
  readonly stream: 'stdout' | 'stderr' | 'failure';
  readonly text: string;
}

/** Takes a stream apart; give it the chunks in order. */
export class FrameReader {
  #rest: Buffer = Buffer.alloc(0);

  /** All frames that are whole by now. */
  read(chunk: Buffer): readonly LogText[] {
    const data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: LogText[] = [];
    let at = 0;
    while (data.length - at >= HEADER_BYTES) {
      const end = at + HEADER_BYTES + data.readUInt32BE(at + 4);
      if (end > data.length) break;
      frames.push({ stream: STREAMS[data[at] ?? 1] ?? 'stdout', text: data.toString('utf8', at + HEADER_BYTES, end) });
      at = end;
    }
    this.#rest = data.subarray(at);
    return frames;
  }
}

/** Takes the output of a terminal, which has no frames, as it comes. */
export class RawReader {
  /** Letters of several bytes may come in two chunks. */
  readonly #decoder = new StringDecoder('utf8');

  read(chunk: Buffer): readonly LogText[] {
    return [{ stream: 'stdout', text: this.#decoder.write(chunk) }];
  }
}
