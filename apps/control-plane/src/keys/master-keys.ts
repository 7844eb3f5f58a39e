import { createHash } from 'node:crypto';
import { auditSealingKey, createSealer, deriveKey, UnsealError, type Sealer, type SealingKey } from '@portcullis/secrets';

/** Under which id the key ring lies sealed that has had one master key alone. */
const FIRST_ID = 'master';

/** One way in which the ring may lie sealed, and what seals the keys of audit workers meanwhile. */
interface Candidate {
  readonly sealer: Sealer;
  readonly audit: SealingKey;
}

/**
 * The master key, and while it is being replaced the one before: both open the ring. Which one seals is said by what lies there already, so that all
 * processes can read what any of them adds until the ring is sealed anew.
 */
export class MasterKeys {
  /** Names the key that seals from a replacement on. */
  readonly keyId: string;
  /** What audit workers open secrets with, the one that seals from a replacement on first. */
  readonly auditKeys: readonly SealingKey[];
  private readonly candidates: readonly Candidate[];
  private readonly newest: Candidate;

  constructor(current: Uint8Array, previous?: Uint8Array) {
    const named = [current, ...(previous === undefined ? [] : [previous])].map((master) => {
      const key = deriveKey(master, 'key ring');
      return { id: idOf(key), key, audit: auditSealingKey(master) };
    });
    const sealing = (id: string, { key, audit }: { key: Uint8Array; audit: SealingKey }): Candidate => ({
      sealer: createSealer({ current: { id, key } }),
      audit,
    });
    this.candidates = [...named.map((key) => sealing(FIRST_ID, key)), ...named.map((key) => sealing(key.id, key))];
    const [first] = named;
    if (first === undefined) throw new Error('There is no master key');
    this.keyId = first.id;
    this.newest = sealing(first.id, first);
    this.auditKeys = named.map(({ audit }) => audit);
  }

  /** Throws an UnsealError for what was sealed under neither. */
  open(sealed: string, place: string): Buffer {
    return this.opened(sealed, place).bytes;
  }

  /** What seals as this value is sealed; the first of all is under the master key. */
  sealerLike(value: { readonly sealed: string; readonly place: string } | undefined): Sealer {
    return this.like(value).sealer;
  }

  /** Seals secrets of nodes' audit keys as the ring lies sealed whose value this is; opens what either master key's sealer sealed. */
  auditSealerLike(value: { readonly sealed: string; readonly place: string } | undefined): Sealer {
    const current = this.like(value).audit;
    return createSealer({ current, previous: this.auditKeys.filter(({ id }) => id !== current.id) });
  }

  /** Whether it lies under the master key, so that the one before is not needed for it. */
  isNewest(sealed: string, place: string): boolean {
    return this.newest.sealer.isCurrent(sealed) || this.isOfFirst(sealed, place);
  }

  /** The same for the secret of a node's audit key. */
  isNewestAuditSecret(sealed: string): boolean {
    return createSealer({ current: this.newest.audit }).isCurrent(sealed);
  }

  sealAnew(sealed: string, place: string): string {
    return this.newest.sealer.seal(this.open(sealed, place), place);
  }

  /** An installation that has had one master key alone has it without a name. */
  private isOfFirst(sealed: string, place: string): boolean {
    try {
      this.candidates[0]?.sealer.open(sealed, place);
      return true;
    } catch (error) {
      if (error instanceof UnsealError) return false;
      throw error;
    }
  }

  private like(value: { readonly sealed: string; readonly place: string } | undefined): Candidate {
    return value === undefined ? (this.candidates[0] ?? this.newest) : this.opened(value.sealed, value.place).candidate;
  }

  private opened(sealed: string, place: string): { readonly bytes: Buffer; readonly candidate: Candidate } {
    for (const candidate of this.candidates) {
      try {
        return { bytes: candidate.sealer.open(sealed, place), candidate };
      } catch (error) {
        if (!(error instanceof UnsealError)) throw error;
      }
    }
    throw new UnsealError();
  }
}

const idOf = (key: Uint8Array): string => createHash('sha256').update('portcullis master key id').update(key).digest('hex').slice(0, 16);
