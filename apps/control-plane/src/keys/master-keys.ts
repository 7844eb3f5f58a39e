import { createHash } from 'node:crypto';
import { createSealer, deriveKey, UnsealError, type Sealer } from '@portcullis/secrets';

/** Under which id the key ring lies sealed that has had one master key alone. */
const FIRST_ID = 'master';

/**
 * The master key, and while it is being replaced the one before: both open the ring. Which one seals is said by what lies there already, so that all
 * processes can read what any of them adds until the ring is sealed anew.
 */
export class MasterKeys {
  /** Names the key that seals from a replacement on. */
  readonly keyId: string;
  private readonly candidates: readonly Sealer[];
  private readonly newest: Sealer;

  constructor(current: Uint8Array, previous?: Uint8Array) {
    const keys = [current, ...(previous === undefined ? [] : [previous])].map((key) => deriveKey(key, 'key ring'));
    const named = keys.map((key) => ({ id: idOf(key), key }));
    this.candidates = [...named.map(({ key }) => ({ id: FIRST_ID, key })), ...named].map((key) => createSealer({ current: key }));
    const [first] = named;
    if (first === undefined) throw new Error('There is no master key');
    this.keyId = first.id;
    this.newest = createSealer({ current: first });
  }

  /** Throws an UnsealError for what was sealed under neither. */
  open(sealed: string, place: string): Buffer {
    return this.opened(sealed, place).bytes;
  }

  /** What seals as this value is sealed; the first of all is under the master key. */
  sealerLike(value: { readonly sealed: string; readonly place: string } | undefined): Sealer {
    return value === undefined ? this.first : this.opened(value.sealed, value.place).sealer;
  }

  /** Whether it lies under the master key by its name, so that the one before is not needed for it. */
  isNewest(sealed: string): boolean {
    return this.newest.isCurrent(sealed);
  }

  sealAnew(sealed: string, place: string): string {
    return this.newest.seal(this.open(sealed, place), place);
  }

  private get first(): Sealer {
    return this.candidates[0] ?? this.newest;
  }

  private opened(sealed: string, place: string): { readonly bytes: Buffer; readonly sealer: Sealer } {
    for (const sealer of this.candidates) {
      try {
        return { bytes: sealer.open(sealed, place), sealer };
      } catch (error) {
        if (!(error instanceof UnsealError)) throw error;
      }
    }
    throw new UnsealError();
  }
}

const idOf = (key: Uint8Array): string => createHash('sha256').update('portcullis master key id').update(key).digest('hex').slice(0, 16);
