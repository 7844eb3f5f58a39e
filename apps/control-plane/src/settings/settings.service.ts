import { Inject, Injectable } from '@nestjs/common';
import type { Settings, SettingsChange, UpdateSettings } from '@portcullis/contracts/api/policy';
import { PrismaClient } from '@portcullis/database';
import type { Author } from '../changes/author.js';
import { PolicyChanges, type Changed } from '../changes/policy-changes.js';
import { differing } from '../database/differing.js';
import { ProblemError } from '../http/problem.js';
import { readSettings, writeSettings } from './settings.repository.js';

const NO_ADDRESS = 'Where access tokens are taken, `publicUrl` has to say what they are for.';

/** What holds for all nodes; part of every snapshot. */
@Injectable()
export class SettingsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(PolicyChanges) private readonly changes: PolicyChanges,
  ) {}

  async read(): Promise<Settings> {
    return readSettings(this.database);
  }

  async update(author: Author, { reason, ...wanted }: UpdateSettings): Promise<Changed<Settings>> {
    return this.changes.apply(author, 'settings.updated', reason, async (tx) => {
      const before = await readSettings(tx);
      const change = differing(before, withCapture(before, wanted));
      if (Object.keys(change).length === 0) return { result: before, unchanged: true };
      const after = { ...before, ...change };
      if (after.tokenIssuers.length > 0 && after.publicUrl === null) throw new ProblemError('unprocessable', NO_ADDRESS);
      await writeSettings(tx, after);
      return { result: after, subject: { kind: 'settings', id: 'settings' }, change: { before, after }, dirty: [{ kind: null, bucket: 0 }] };
    });
  }
}

/** What a change leaves out of the rules for arguments, or for results, stays. */
function withCapture({ auditCapture: before }: Settings, { auditCapture, ...wanted }: SettingsChange): Partial<Settings> {
  if (auditCapture === undefined) return wanted;
  const after = { arguments: { ...before.arguments, ...auditCapture.arguments }, results: { ...before.results, ...auditCapture.results } };
  return { ...wanted, auditCapture: after };
}
