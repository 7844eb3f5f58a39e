/** A text in every form in which this system carries texts: as it is, in base64 (spools, proofs) and in base64 of that (batches in the queue). */
export function encodingsOf(text: string): string[] {
  const once = base64Of(Buffer.from(text));
  return [text, ...once, ...once.flatMap((encoded) => base64Of(Buffer.from(encoded)))];
}

/** Three bytes make four characters: however the text lies among others, one of these stands in the result. */
function base64Of(bytes: Buffer): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.concat([Buffer.alloc(offset), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    // The first characters also say something of what comes before, the last of what comes behind.
    const end = encoded.length - ((offset + bytes.length) % 3 === 0 ? 0 : 1);
    return encoded.slice(offset === 0 ? 0 : offset + 1, end);
  });
}
