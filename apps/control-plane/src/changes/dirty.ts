import type { ChunkKind } from '@portcullis/database';

/** A bucket that a change touched; `kind` null means the settings. */
export interface Dirty {
  readonly kind: ChunkKind | null;
  readonly bucket: number;
}
