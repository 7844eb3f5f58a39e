import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { DefinitionEntry, ServerEntry } from '@portcullis/contracts/snapshot';
import { releasePiece } from './release-bytes.js';

/** The fastest that makes text half as long; the slower ones make it hardly shorter. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Whose texts were read last: one who reads a definition mostly reads its neighbours next. */
let opened: { readonly of: PackedTexts; readonly bytes: Buffer } | undefined;

const HASH_BYTES = 32;
/** Of each definition: its hash, and where its text ends among the texts of all. */
const NOTE_BYTES = HASH_BYTES + 4;

/**
 * What a server's definitions say, in one piece outside of the JavaScript heap: their hashes, then their texts, compressed. As strings, those of 130,000
 * definitions would take four times as much, and each full collection would have to look at them.
 */
class PackedTexts {
  readonly #bytes: Buffer;
  readonly #notesEnd: number;

  constructor(definitions: readonly DefinitionEntry[]) {
    const { texts, ends } = gather(definitions);
    const compressed = zstdCompressSync(texts, COMPRESSION);
    this.#notesEnd = definitions.length * NOTE_BYTES;
    // Memory of exactly its length: what the compressor gives is the beginning of a larger piece.
    this.#bytes = Buffer.allocUnsafeSlow(this.#notesEnd + compressed.length);
    for (const [at, { hash }] of definitions.entries()) {
      this.#bytes.write(hash, at * NOTE_BYTES, 'hex');
      this.#bytes.writeUInt32LE(ends[at] ?? 0, at * NOTE_BYTES + HASH_BYTES);
    }
    compressed.copy(this.#bytes, this.#notesEnd);
    releasePiece(compressed);
  }

  text(at: number): string {
    if (opened?.of !== this) opened = { of: this, bytes: zstdDecompressSync(this.#bytes.subarray(this.#notesEnd)) };
    return opened.bytes.toString('utf8', at === 0 ? 0 : this.#endOf(at - 1), this.#endOf(at));
  }

  hash(at: number): string {
    return this.#bytes.toString('hex', at * NOTE_BYTES, at * NOTE_BYTES + HASH_BYTES);
  }

  /** Equal texts are compressed to equal bytes. */
  equals(other: PackedTexts): boolean {
    return this.#bytes.equals(other.#bytes);
  }

  #endOf(at: number): number {
    return this.#bytes.readUInt32LE(at * NOTE_BYTES + HASH_BYTES);
  }
}

const SCRATCH_BYTES = 256 * 1024;
let scratch: Buffer | undefined;

/** All texts in a row, until the next call, and where each ends. They lie in the same memory each time: what is left behind would leave holes. */
function gather(definitions: readonly DefinitionEntry[]): { readonly texts: Buffer; readonly ends: readonly number[] } {
  const length = definitions.reduce((sum, { json }) => sum + Buffer.byteLength(json), 0);
  const room = length > SCRATCH_BYTES ? Buffer.allocUnsafeSlow(length) : (scratch ??= Buffer.allocUnsafeSlow(SCRATCH_BYTES));
  let end = 0;
  const ends = definitions.map(({ json }) => (end += room.write(json, end)));
  return { texts: room.subarray(0, length), ends };
}

/** A definition whose hash and text are kept outside of the heap until somebody reads them. */
export class PackedDefinition implements DefinitionEntry {
  readonly kind: DefinitionEntry['kind'];
  readonly name: string;
  private readonly texts: PackedTexts;
  private readonly at: number;

  constructor({ kind, name }: DefinitionEntry, texts: PackedTexts, at: number) {
    this.kind = kind;
    this.name = name;
    this.texts = texts;
    this.at = at;
  }

  get hash(): string {
    return this.texts.hash(this.at);
  }

  get json(): string {
    return this.texts.text(this.at);
  }

  toJSON(): DefinitionEntry {
    const { kind, name, hash, json } = this;
    return { kind, name, hash, json };
  }

  /** Whether both lists say the same. */
  static same(was: readonly PackedDefinition[], is: readonly PackedDefinition[]): boolean {
    if (was.length !== is.length) return false;
    if (!was.every(({ kind, name }, at) => kind === is[at]?.kind && name === is[at].name)) return false;
    const [before, after] = [was[0], is[0]];
    return before === undefined || after === undefined || before.texts.equals(after.texts);
  }
}

/** A server whose definitions are packed. */
export interface PackedServer extends ServerEntry {
  readonly definitions: PackedDefinition[];
}

/** The server with its definitions packed; nothing of what it was parsed from is kept. */
export function packServer(server: ServerEntry): PackedServer {
  if (server.definitions.length === 0) return { ...server, definitions: [] };
  const texts = new PackedTexts(server.definitions);
  return { ...server, definitions: server.definitions.map((definition, at) => new PackedDefinition(definition, texts, at)) };
}

/** Whether two say the same. */
export function sameServer(was: PackedServer, is: PackedServer): boolean {
  const { definitions: before, ...rest } = was;
  const { definitions: after, ...other } = is;
  return PackedDefinition.same(before, after) && JSON.stringify(rest) === JSON.stringify(other);
}
