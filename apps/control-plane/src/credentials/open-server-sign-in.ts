import type { PrismaClient } from '@portcullis/database';
import type { Egress } from '@portcullis/egress';
import { RecordedChanges } from '../changes/recorded-changes.js';
import type { KeyRing } from '../keys/key-ring.js';
import { ConnectionTokens } from './connection-tokens.js';
import { CredentialVault } from './credential-vault.js';
import { RunnerCaller } from '../runners/runner-caller.js';
import { ServerSignIn } from './server-sign-in.js';

/** What a process outside of the REST server needs to call servers as they want to be called. */
export function openServerSignIn(database: PrismaClient, keys: KeyRing, egress: Pick<Egress, 'fetch' | 'fetchWith'>): ServerSignIn {
  const vault = new CredentialVault(keys);
  const fetch = (url: string, init?: RequestInit): Promise<Response> => egress.fetch(url, init);
  const connections = new ConnectionTokens({ database, vault, changes: new RecordedChanges(database), fetch });
  return new ServerSignIn(database, { vault, egress, connections, runners: new RunnerCaller(database, keys) });
}
