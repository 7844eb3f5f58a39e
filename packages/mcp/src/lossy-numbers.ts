import { decodeKey, isKeyEnd, skipString } from './json-scan.js';

const DIGITS_MAX = 400;
const POINTER_CHARS_MAX = 256;
const NUMBER = /-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PARTS = /^-?(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/;

/** True when `JSON.stringify(JSON.parse(token))` denotes the number that was written. */
export function survivesRoundTrip(token: string): boolean {
  if (token.length > DIGITS_MAX) return false;
  const value = Number(token);
  if (!Number.isFinite(value)) return false;
  return decimal(token) === decimal(String(value));
}

/** Significant digits and exponent of a number's text, so that 1.0, 1 and 10e-1 compare equal. */
function decimal(token: string): string {
  const parts = PARTS.exec(token);
  if (parts === null) return token;
  const [, whole = '', fraction = '', exponent = '0'] = parts;
  const digits = (whole + fraction).replace(/^0+/, '');
  const significant = digits.replace(/0+$/, '');
  if (significant === '') return '0';
  return `${token.startsWith('-') ? '-' : ''}${significant}e${String(Number(exponent) - fraction.length + digits.length - significant.length)}`;
}

/** One open container while scanning: the current key, or the index of the current element. */
interface Level {
  key: string | number;
}

/** The JSON pointer (RFC 6901, at most 256 characters) of the first number in valid JSON that would not survive. */
export function findLossyNumber(text: string): string | undefined {
  const levels: Level[] = [];
  let i = 0;
  while (i < text.length) {
    const char = text[i] ?? '';
    if (char === '"') {
      const end = skipString(text, i);
      const level = levels.at(-1);
      if (level !== undefined && typeof level.key === 'string' && isKeyEnd(text, end)) level.key = decodeKey(text.slice(i, end));
      i = end;
      continue;
    }
    if (char === '-' || (char >= '0' && char <= '9')) {
      NUMBER.lastIndex = i;
      const token = NUMBER.exec(text)?.[0] ?? char;
      if (!survivesRoundTrip(token)) return pointerOf(levels);
      i += token.length;
      continue;
    }
    if (char === '{') levels.push({ key: '' });
    else if (char === '[') levels.push({ key: 0 });
    else if (char === '}' || char === ']') levels.pop();
    else if (char === ',') {
      const level = levels.at(-1);
      if (level !== undefined && typeof level.key === 'number') level.key += 1;
    }
    i += 1;
  }
  return undefined;
}

function pointerOf(levels: readonly Level[]): string {
  const pointer = levels.map(({ key }) => `/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
  return pointer.slice(0, POINTER_CHARS_MAX);
}
