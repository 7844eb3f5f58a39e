/** A line without its end; `text` is undefined where it was too long, or no UTF-8. */
export interface Line {
  readonly line: number;
  readonly text: string | undefined;
  readonly isTooLong: boolean;
}

const NEWLINE = 0x0a;
const BYTE_ORDER_MARK = '\uFEFF';

/** The lines of a stream, in memory of one line. What goes beyond `bytesMax` of a line is thrown away as it comes. Empty lines are left out. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, bytesMax: number): AsyncGenerator<Line, void, undefined> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let pieces: Uint8Array[] = [];
  let bytes = 0;
  let line = 1;
  const keep = (piece: Uint8Array): void => {
    bytes += piece.length;
    if (bytes > bytesMax) pieces = [];
    else if (piece.length > 0) pieces.push(piece);
  };
  const take = (): Line | undefined => {
    const isTooLong = bytes > bytesMax;
    const text = isTooLong ? undefined : decode(decoder, pieces, line === 1);
    const taken = text === '' ? undefined : { line, text, isTooLong };
    pieces = [];
    bytes = 0;
    line += 1;
    return taken;
  };
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, from)) {
      keep(chunk.subarray(from, end));
      from = end + 1;
      const taken = take();
      if (taken !== undefined) yield taken;
    }
    // A copy: a line that waits for its end must not hold on to the whole chunk it began in.
    if (from < chunk.length) keep(Uint8Array.from(chunk.subarray(from)));
  }
  const last = bytes > 0 ? take() : undefined;
  if (last !== undefined) yield last;
}

function decode(decoder: InstanceType<typeof TextDecoder>, pieces: readonly Uint8Array[], isFirst: boolean): string | undefined {
  try {
    const text = decoder.decode(pieces.length === 1 ? pieces[0] : Buffer.concat(pieces));
    return (isFirst && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text).trim();
  } catch {
    return undefined;
  }
}
