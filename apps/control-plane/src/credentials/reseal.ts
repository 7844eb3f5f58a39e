import { UnsealError, type Sealer } from '@portcullis/secrets';

/** The same value under the newest key; undefined where it cannot be opened any more. */
export function reseal(sealer: Sealer, sealed: string, place: string): string | undefined {
  try {
    return sealer.seal(sealer.open(sealed, place), place);
  } catch (error) {
    if (error instanceof UnsealError) return undefined;
    throw error;
  }
}
