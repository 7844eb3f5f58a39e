import { Inject, Injectable } from '@nestjs/common';
import { PrismaClient } from '@portcullis/database';
import { PolicyChanges } from '../changes/policy-changes.js';
import { CredentialVault } from '../credentials/credential-vault.js';
import type { WriteParts } from './write-batch.js';

/** What imports write with. */
@Injectable()
export class ImportParts implements WriteParts {
  constructor(
    @Inject(PrismaClient) readonly database: PrismaClient,
    @Inject(PolicyChanges) readonly changes: PolicyChanges,
    @Inject(CredentialVault) readonly vault: CredentialVault,
  ) {}
}
