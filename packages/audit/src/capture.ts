import { createHash, hash, type KeyObject } from 'node:crypto';
import type { CaptureMode } from '@portcullis/contracts/capture';
import { digestHmac } from './digest-hmac.js';
import { LOOK_AHEAD, redactJson } from './redaction/redact-json.js';
import type { PathNode } from './redaction/redaction-paths.js';

export interface Capture {
  /** Of the whole: SHA-256 (hex) or, where that could be guessed from, a keyed digest (`keyedDigest`); null where nothing is to be known of it. */
  readonly hash: string | null;
  /** Size of the whole. */
  readonly bytes: number;
  /** Base64 of what is kept, or null. */
  readonly kept: string | null;
  readonly truncated: boolean;
  /** What is on record is not what was sent, and how it differs; null where it is, as far as it goes. */
  readonly how: Exclude<CaptureMode, 'full'> | null;
}

/** What is to be kept of arguments, or of a result. */
export interface CaptureRule {
  readonly mode: CaptureMode;
  readonly bytesMax: number;
  /** Values that are replaced wherever something is (`redacted`), besides what is known for a secret. */
  readonly paths: PathNode | undefined;
}

/** Under it digests are made that nobody else can make; `id` tells keys apart. */
export interface CaptureKey {
  readonly id: string;
  readonly key: KeyObject;
}

export interface Captured {
  readonly rule: CaptureRule;
  /** Part of the caller's own key: never kept, whatever else is. */
  readonly ownSecret?: string | undefined;
  readonly key: () => CaptureKey;
  /** The content in a form that is the same for equal contents; asked for keyed digests only. */
  readonly canonical?: (() => string) | undefined;
}

const scratch = Buffer.allocUnsafeSlow(16 * 1024);
const UTF8_BYTES_PER_CHAR_MAX = 3;

/** What an event keeps of arguments or a result, as the rule says. */
export function capture(content: string, as: Captured): Capture {
  const { rule, ownSecret } = as;
  switch (rule.mode) {
    case 'none':
      return { hash: null, bytes: Buffer.byteLength(content), kept: null, truncated: false, how: 'none' };
    case 'hashed':
      return { hash: keyedHash(content, as), bytes: Buffer.byteLength(content), kept: null, truncated: false, how: 'hashed' };
    case 'full':
      return captureAsIs(content, rule.bytesMax);
    case 'redacted': {
      const redacted = redactJson(content, { paths: rule.paths, ownSecret, charsMax: rule.bytesMax });
      if (redacted === undefined) return captureAsIs(content, rule.bytesMax);
      return redactedCapture(redacted, { hash: keyedHash(content, as), bytes: Buffer.byteLength(content), bytesMax: rule.bytesMax });
    }
  }
}

/**
 * The same of an answer of which less was passed on than was said: what is kept is of what was passed on, size and digest are of all that was said.
 * `said` is undefined where that is the same.
 */
export function captureAnswer(passed: string, said: string | undefined, as: Captured): Capture {
  if (said === undefined) return capture(passed, as);
  const bytes = Buffer.byteLength(said);
  const { kept, truncated, how } = capture(passed, as);
  return { hash: how === 'none' ? null : keyedHash(said, as), bytes, kept, truncated, how: how ?? 'redacted' };
}

/**
 * What an event of our own keeps of what it tells: as arguments are `redacted`. Where something is replaced, the digest is that of what is kept, since
 * nobody compares it with what was sent.
 */
export function captureOwn(content: string, bytesMax: number): Capture {
  const redacted = redactJson(content, { paths: undefined, ownSecret: undefined, charsMax: bytesMax });
  if (redacted === undefined) return captureAsIs(content, bytesMax);
  return redactedCapture(redacted, { hash: hash('sha256', redacted, 'hex'), bytes: Buffer.byteLength(content), bytesMax });
}

function captureAsIs(content: string, bytesMax: number): Capture {
  const { bytes, length, kept } = keep(content, bytesMax);
  // A text is hashed as the UTF-8 that it was written as, and needs no view of the buffer then.
  return {
    hash: hash('sha256', bytes ?? content, 'hex'),
    bytes: length,
    kept: bytesMax === 0 ? null : kept,
    truncated: length > bytesMax,
    how: null,
  };
}

function redactedCapture(redacted: string, { hash: digest, bytes, bytesMax }: { hash: string; bytes: number; bytesMax: number }): Capture {
  const { length, kept } = keep(redacted, bytesMax);
  return { hash: digest, bytes, kept, truncated: bytes > bytesMax || length > bytesMax, how: 'redacted' };
}

/** The first bytes of a text in Base64. Small texts, which most are, go through one buffer that is used again and again; of others all bytes are given too. */
function keep(text: string, bytesMax: number): { bytes: Buffer | undefined; length: number; kept: string } {
  const bytes = text.length * UTF8_BYTES_PER_CHAR_MAX <= scratch.length ? undefined : Buffer.from(text);
  const length = bytes === undefined ? scratch.write(text) : bytes.length;
  return { bytes, length, kept: (bytes ?? scratch).toString('base64', 0, Math.min(length, bytesMax)) };
}

/**
 * A digest by which equal contents are known as equal, and which nobody without the key can find by trying: `hmac:<key id>:` and HMAC-SHA256 (hex) over the
 * SHA-256 of the content (latin1).
 */
const keyedDigest = ({ id, key }: CaptureKey, sha256: string): string => `hmac:${id}:${digestHmac(key, sha256)}`;

const keyedHash = (content: string, { key, canonical }: Captured): string => keyedDigest(key(), hash('sha256', canonical?.() ?? content, 'binary'));

/** `capture` of content that comes in pieces; it holds no more of them than it takes to say what is kept. */
export class PieceCapture {
  private readonly hash = createHash('sha256');
  private readonly held: Buffer[] = [];
  private readonly heldMax: number;
  private heldBytes = 0;
  private bytes = 0;

  constructor(private readonly as: Captured) {
    const { mode, bytesMax } = as.rule;
    this.heldMax = mode === 'full' ? bytesMax : mode === 'redacted' ? bytesMax + LOOK_AHEAD : 0;
  }

  push(piece: Uint8Array): void {
    this.hash.update(piece);
    this.bytes += piece.length;
    const room = this.heldMax - this.heldBytes;
    if (room === 0 || piece.length === 0) return;
    const part = Buffer.from(piece.subarray(0, room));
    this.held.push(part);
    this.heldBytes += part.length;
  }

  /** What is kept of all pieces; none may follow. */
  end(): Capture {
    const { bytes, as } = this;
    const { mode, bytesMax, paths } = as.rule;
    const sha256 = this.hash.digest();
    if (mode === 'none') return { hash: null, bytes, kept: null, truncated: false, how: mode };
    if (mode === 'hashed') return { hash: keyedDigest(as.key(), sha256.toString('latin1')), bytes, kept: null, truncated: false, how: mode };
    const held = Buffer.concat(this.held);
    const looked = { paths, ownSecret: as.ownSecret, charsMax: bytesMax, goesOn: bytes > held.length };
    const redacted = mode === 'full' ? undefined : redactJson(held.toString(), looked);
    if (redacted !== undefined) return redactedCapture(redacted, { hash: keyedDigest(as.key(), sha256.toString('latin1')), bytes, bytesMax });
    const kept = bytesMax === 0 ? null : held.toString('base64', 0, Math.min(held.length, bytesMax));
    return { hash: sha256.toString('hex'), bytes, kept, truncated: bytes > bytesMax, how: null };
  }
}
