import { constants, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import type { DefinitionEntry, ServerEntry } from '@portcullis/contracts/snapshot';

/** The fastest that makes text half as long; the slower ones make it hardly shorter. */
const COMPRESSION = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

/** Whose texts were read last: one who reads a definition mostly reads its neighbours next. */
let opened: { readonly of: PackedTexts; readonly bytes: Buffer } | undefined;

/**
 * Texts of one server, compressed outside of the JavaScript heap: as strings, those of 130,000 definitions would take four times as much, and each full
 * collection would have to look at them.
 */
class PackedTexts {
  readonly #compressed: Buffer;

  constructor(texts: Buffer) {
    const compressed = zstdCompressSync(texts, COMPRESSION);
    // Memory of exactly its length: what the compressor gives is the beginning of a larger piece.
    this.#compressed = Buffer.allocUnsafeSlow(compressed.length);
    compressed.copy(this.#compressed);
  }

  read(start: number, end: number): string {
    if (opened?.of !== this) opened = { of: this, bytes: zstdDecompressSync(this.#compressed) };
    return opened.bytes.toString('utf8', start, end);
  }

  /** Equal texts are compressed to equal bytes. */
  equals(other: PackedTexts): boolean {
    return this.#compressed.equals(other.#compressed);
  }
}

/** A definition whose text is kept compressed until somebody reads it. */
export class PackedDefinition implements DefinitionEntry {
  readonly kind: DefinitionEntry['kind'];
  readonly name: string;
  readonly hash: string;
  private readonly texts: PackedTexts;
  private readonly start: number;
  private readonly end: number;

  constructor({ kind, name, hash }: DefinitionEntry, texts: PackedTexts, [start, end]: readonly [number, number]) {
    this.kind = kind;
    this.name = name;
    this.hash = hash;
    this.texts = texts;
    this.start = start;
    this.end = end;
  }

  get json(): string {
    return this.texts.read(this.start, this.end);
  }

  /** Whether the other says the same and lies at the same place among equal neighbours. */
  equals(other: PackedDefinition): boolean {
    const saysSame = this.hash === other.hash && this.name === other.name && this.kind === other.kind;
    return saysSame && this.start === other.start && this.end === other.end && this.texts.equals(other.texts);
  }

  toJSON(): DefinitionEntry {
    const { kind, name, hash, json } = this;
    return { kind, name, hash, json };
  }
}

/** A server whose definitions are packed. */
export interface PackedServer extends ServerEntry {
  readonly definitions: PackedDefinition[];
}

/** The server with its definitions packed; nothing of what it was parsed from is kept. */
export function packServer(server: ServerEntry): PackedServer {
  if (server.definitions.length === 0) return { ...server, definitions: [] };
  const texts = server.definitions.map(({ json }) => Buffer.from(json));
  const packed = new PackedTexts(Buffer.concat(texts));
  let end = 0;
  const definitions = server.definitions.map((definition, at) => {
    const start = end;
    end += texts[at]?.length ?? 0;
    return new PackedDefinition(definition, packed, [start, end]);
  });
  return { ...server, definitions };
}

/** Whether two say the same. */
export function sameServer(was: PackedServer, is: PackedServer): boolean {
  const { definitions: before, ...rest } = was;
  const { definitions: after, ...other } = is;
  if (before.length !== after.length || JSON.stringify(rest) !== JSON.stringify(other)) return false;
  return before.every((definition, at) => definition.equals(after[at] as PackedDefinition));
}
