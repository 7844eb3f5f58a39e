import type { Author } from '../changes/author.js';
import type { CredentialVault } from '../credentials/credential-vault.js';

/** An import under way. */
export interface ImportRun {
  readonly id: string;
  /** Source and origin: whose keys the rows' keys are. */
  readonly source: string;
  readonly author: Author;
  readonly isDryRun: boolean;
  readonly startedAt: Date;
  /** Seals what programs find in their environment. */
  readonly vault: Pick<CredentialVault, 'seal'>;
  /** How many servers it has made: each is discovered after those before it. */
  created: number;
  /** Slugs given away by a dry run, which leaves them in no table. */
  readonly promised: Set<string>;
}
