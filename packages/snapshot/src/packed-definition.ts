import type { DefinitionEntry, ServerEntry } from '@portcullis/contracts/snapshot';

/**
 * A definition whose text stays in the bytes it came in, outside of the JavaScript heap, until somebody reads it: as strings, 130,000 of them would take
 * twice as much, and each full collection would have to look at them.
 */
export class PackedDefinition implements DefinitionEntry {
  readonly kind: DefinitionEntry['kind'];
  readonly name: string;
  readonly hash: string;
  private chunk: Buffer;
  private start: number;
  private end: number;

  /** `start` and `end` hold the JSON string whose value is the definition's text. */
  constructor({ kind, name, hash }: DefinitionEntry, chunk: Buffer, [start, end]: readonly [number, number]) {
    this.kind = kind;
    this.name = name;
    this.hash = hash;
    this.chunk = chunk;
    this.start = start;
    this.end = end;
  }

  get json(): string {
    return JSON.parse(this.chunk.toString('utf8', this.start, this.end)) as string;
  }

  /** Whether the other says the same, by its bytes; one that is only written otherwise counts as another. */
  equals(other: PackedDefinition): boolean {
    return (
      this.hash === other.hash &&
      this.name === other.name &&
      this.kind === other.kind &&
      this.chunk.compare(other.chunk, other.start, other.end, this.start, this.end) === 0
    );
  }

  /** Takes over where an equal one lies, so that what this one came in can go. */
  moveTo(equal: PackedDefinition): void {
    this.chunk = equal.chunk;
    this.start = equal.start;
    this.end = equal.end;
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

/** Packs the servers that these bytes were parsed to. The bytes must be nobody else's, and are kept. */
export function packServers(servers: readonly ServerEntry[], bytes: Uint8Array): PackedServer[] {
  const chunk = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let from = 0;
  const pack = (definition: DefinitionEntry): PackedDefinition => {
    const text = JSON.stringify(definition.json);
    // Whatever lies there is the very text, so nothing depends on the order in which the bytes were written.
    const start = chunk.indexOf(text, from);
    const length = Buffer.byteLength(text);
    if (start < 0) return new PackedDefinition(definition, Buffer.from(text), [0, length]);
    from = start + length;
    return new PackedDefinition(definition, chunk, [start, from]);
  };
  return servers.map((server) => ({ ...server, definitions: server.definitions.map(pack) }));
}

/** Whether two say the same. Where they do, the bytes of the newer one serve both. */
export function sameServer(was: PackedServer, is: PackedServer): boolean {
  const { definitions: before, ...rest } = was;
  const { definitions: after, ...other } = is;
  if (before.length !== after.length || JSON.stringify(rest) !== JSON.stringify(other)) return false;
  const isSame = before.every((definition, at) => definition.equals(after[at] as PackedDefinition));
  if (isSame) before.forEach((definition, at) => definition.moveTo(after[at] as PackedDefinition));
  return isSame;
}
