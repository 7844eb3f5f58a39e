import { Inject, Injectable } from '@nestjs/common';
import type { ApplyResult } from '@portcullis/contracts/api/drafts';
import { PrismaClient } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { ranOutOfTime } from '../changes/in-transaction.js';
import type { Changed } from '../changes/policy-changes.js';
import { DraftsService, type Drafted } from '../drafts/drafts.service.js';
import { interpretDraft } from '../drafts/interpret-draft.js';
import { ProblemError } from '../http/problem.js';
import { atOneRevision } from '../policy/policy.repository.js';
import { changesToPolicy } from './changes-to-policy.js';
import { parsePolicyFile } from './parse-policy-file.js';
import { readPolicy } from './read-policy.js';
import { writePolicyFile } from './write-policy-file.js';

export interface ImportOptions {
  readonly reason: string;
  readonly prune: boolean;
  readonly dryRun: boolean;
}

/** Changes that one import makes: more would hold up every other change of policy for longer than its time allows. */
const CHANGES_MAX = 20_000;

/** All of policy as one reviewable file, and back. */
@Injectable()
export class PolicyFileService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(DraftsService) private readonly drafts: DraftsService,
  ) {}

  async export(): Promise<string> {
    return writePolicyFile(await atOneRevision(this.database, readPolicy));
  }

  /** Makes policy say what the file says, in one revision; in none where it says so already. */
  async import(author: Author, text: string, { reason, prune, dryRun }: ImportOptions): Promise<Changed<ApplyResult>> {
    const file = await parsePolicyFile(text);
    const drafted: Drafted = async (tx, by) => {
      const changes = changesToPolicy(file, await readPolicy(tx), prune);
      if (changes.length > CHANGES_MAX)
        throw new ProblemError(
          'unprocessable',
          `The file would make ${changes.length} changes; ${CHANGES_MAX} at a time are possible. Import it section by section, or a part of a section without prune.`,
        );
      return interpretDraft(tx, by, changes);
    };
    if (dryRun) return this.drafts.rehearse(author, drafted);
    try {
      return await this.drafts.make(author, 'policy.imported', reason, drafted);
    } catch (error) {
      if (ranOutOfTime(error))
        throw new ProblemError('unavailable', 'The import took too long; nothing was changed. Import it in parts.', [], { cause: error });
      throw error;
    }
  }
}
