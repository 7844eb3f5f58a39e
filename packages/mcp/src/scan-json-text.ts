/** What a look at JSON text before parsing finds. */
export interface TextScan {
  /** Set when a limit is passed; the text must not be parsed then. */
  readonly fault: 'depth' | 'members' | 'key' | undefined;
  /** True when a number is long or has an exponent, so that it may not survive a round trip. */
  readonly hasRiskyNumber: boolean;
}

/** Limits of JSON text beside its size in bytes. */
export interface TextLimits {
  readonly depthMax: number;
  readonly membersMax: number;
  readonly keyCharsMax: number;
  /** Lets numbers pass that a double cannot hold exactly; for text that is kept, not forwarded. */
  readonly inexactNumbers?: boolean;
}

// A double keeps 15 significant digits whatever they are.
const DIGITS_SAFE = 15;
const DEPTH_FAULT: TextScan = { fault: 'depth', hasRiskyNumber: false };
const MEMBERS_FAULT: TextScan = { fault: 'members', hasRiskyNumber: false };
const KEY_FAULT: TextScan = { fault: 'key', hasRiskyNumber: false };
const SAFE: TextScan = { fault: undefined, hasRiskyNumber: false };
const RISKY: TextScan = { fault: undefined, hasRiskyNumber: true };

/**
 * One pass over UTF-8 text that may not be JSON at all; linear, without recursion, so that hostile depth costs nothing. Over bytes, not over a string:
 * strings have many representations, and code that has seen several of them asks for each character in a roundabout way.
 */
export function scanJsonText(text: Uint8Array, limits: TextLimits): TextScan {
  let depth = 0;
  let members = 0;
  let lastString = 0;
  let lastStringEnd = 0;
  let risky = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text[i] ?? 0;
    if (code === QUOTE) {
      lastString = i + 1;
      lastStringEnd = stringEnd(text, i);
      i = lastStringEnd;
    } else if (code === 0x7b || code === 0x5b) {
      depth += 1;
      if (depth > limits.depthMax) return DEPTH_FAULT;
    } else if (code === 0x7d || code === 0x5d) {
      depth -= 1;
    } else if (code === 0x3a) {
      members += 1;
      if (members > limits.membersMax) return MEMBERS_FAULT;
      if (lastStringEnd - lastString > limits.keyCharsMax && charsOf(text, lastString, lastStringEnd) > limits.keyCharsMax) return KEY_FAULT;
    } else if (code >= 0x30 && code <= 0x39) {
      const end = numberEnd(text, i);
      if (end < 0 || end - i > DIGITS_SAFE) risky = true;
      i = Math.abs(end) - 1;
    }
  }
  return risky ? RISKY : SAFE;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const NEAR_BYTES = 48;

/** Offset of the closing quote, or the text's length. Most strings are short; from quote to quote after that, since what lies between may be a megabyte. */
function stringEnd(text: Uint8Array, open: number): number {
  const near = Math.min(open + NEAR_BYTES, text.length);
  for (let i = open + 1; i < near; i += 1) {
    if (text[i] === QUOTE) return i;
    if (text[i] === BACKSLASH) i += 1;
  }
  for (let close = text.indexOf(QUOTE, near); close !== -1; close = text.indexOf(QUOTE, close + 1)) {
    let before = close - 1;
    while (text[before] === BACKSLASH) before -= 1;
    if ((close - before) % 2 === 1) return close;
  }
  return text.length;
}

/** How many UTF-16 units these bytes are as text. */
function charsOf(text: Uint8Array, from: number, to: number): number {
  let chars = 0;
  for (let i = from; i < to; i += 1) {
    const code = text[i] ?? 0;
    if (code >= 0xf0) chars += 2;
    else if (code < 0x80 || code >= 0xc0) chars += 1;
  }
  return chars;
}

/** Offset behind the digits and point at `at`; negative when an exponent follows. */
function numberEnd(text: Uint8Array, at: number): number {
  let i = at + 1;
  while (i < text.length) {
    const code = text[i] ?? 0;
    if ((code < 0x30 || code > 0x39) && code !== 0x2e) return code === 0x65 || code === 0x45 ? -i : i;
    i += 1;
  }
  return i;
}
