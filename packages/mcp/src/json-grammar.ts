/** Whether four bytes together are ordinary characters of a JSON string: ASCII, no control, no quote, no backslash. */
export function isPlainWord(word: number): boolean {
  // In each byte the highest bit is set by what is not ASCII, and borrowed by what is less than subtracted.
  const tooLow = word - 0x20202020;
  const quotes = (word ^ 0x22222222) - 0x01010101;
  const backslashes = (word ^ 0x5c5c5c5c) - 0x01010101;
  return ((word | tooLow | quotes | backslashes) & 0x80808080) === 0;
}

/** What may follow the first byte of a UTF-8 sequence: so many bytes (0: it begins none), the first of them in this range. */
interface Sequence {
  readonly missing: number;
  readonly low: number;
  readonly high: number;
}

const NONE: Sequence = { missing: 0, low: 0, high: 0 };
const SEQUENCES: readonly Sequence[] = Array.from({ length: 256 }, (_, lead): Sequence => {
  if (lead < 0xc2 || lead > 0xf4) return NONE;
  const missing = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : 3;
  // Neither overlong forms, nor surrogates, nor what lies beyond Unicode.
  return { missing, low: lead === 0xe0 ? 0xa0 : lead === 0xf0 ? 0x90 : 0x80, high: lead === 0xed ? 0x9f : lead === 0xf4 ? 0x8f : 0xbf };
});

/** The rest of the UTF-8 sequence that this byte begins. */
export const sequenceOf = (lead: number): Sequence => SEQUENCES[lead] ?? NONE;

type Part = 'minus' | 'zero' | 'whole' | 'point' | 'fraction' | 'e' | 'sign' | 'exponent';

const isDigit = (byte: number): boolean => byte >= 0x30 && byte <= 0x39;

/** A JSON number, byte by byte. */
export class NumberGrammar {
  private part: Part = 'zero';

  /** Whether a number may begin so. */
  begin(byte: number): boolean {
    if (byte === 0x2d) this.part = 'minus';
    else if (byte === 0x30) this.part = 'zero';
    else if (isDigit(byte)) this.part = 'whole';
    else return false;
    return true;
  }

  /** Whether it goes on with this byte, which is then taken. */
  take(byte: number): boolean {
    const next = this.next(byte);
    if (next === undefined) return false;
    this.part = next;
    return true;
  }

  /** Whether it may end here. */
  get isWhole(): boolean {
    return this.part === 'zero' || this.part === 'whole' || this.part === 'fraction' || this.part === 'exponent';
  }

  private next(byte: number): Part | undefined {
    if (isDigit(byte)) return this.digit(byte);
    if (byte === 0x2e) return this.part === 'zero' || this.part === 'whole' ? 'point' : undefined;
    if (byte === 0x65 || byte === 0x45) return this.isWhole && this.part !== 'exponent' ? 'e' : undefined;
    if (byte === 0x2b || byte === 0x2d) return this.part === 'e' ? 'sign' : undefined;
    return undefined;
  }

  private digit(byte: number): Part | undefined {
    switch (this.part) {
      case 'minus':
        return byte === 0x30 ? 'zero' : 'whole';
      case 'zero':
        return undefined;
      case 'whole':
        return 'whole';
      case 'point':
      case 'fraction':
        return 'fraction';
      case 'e':
      case 'sign':
      case 'exponent':
        return 'exponent';
    }
  }
}
