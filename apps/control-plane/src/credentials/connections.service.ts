import { createHash, randomBytes } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { BeginConnection, Credential, CredentialConnection, FinishConnection } from '@portcullis/contracts/api/credentials';
import { PrismaClient } from '@portcullis/database';
import { requestToken, TokenError, type GivenToken } from '@portcullis/secrets';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { ProblemError } from '../http/problem.js';
import type { Caller } from '../operators/operator-tokens.js';
import { CredentialHolders } from './credential-holders.js';
import { credentialSubject } from './credential-subject.js';
import { requireCredential, type CredentialRow } from './credentials.repository.js';
import { ConnectionWays } from './connection-ways.js';
import { CredentialSettings } from './stored-credential.js';
import { toCredential } from './to-credential.js';

const GOOD_MS = 10 * 60_000;

/** The connections that operators make: once in a browser, then kept by refreshing. */
@Injectable()
export class ConnectionsService {
  constructor(
    @Inject(PrismaClient) private readonly database: PrismaClient,
    @Inject(RecordedChanges) private readonly changes: RecordedChanges,
    @Inject(ConnectionWays) private readonly ways: ConnectionWays,
    @Inject(CredentialHolders) private readonly holders: CredentialHolders,
  ) {}

  /** Where the operator's browser is to go. What it comes back with is good once, for ten minutes, and for this operator alone. */
  async begin(caller: Caller, id: string, { redirectUri }: BeginConnection): Promise<CredentialConnection> {
    requireOurRedirect(redirectUri, this.ways.redirectUris);
    const [state, verifier] = [randomBytes(32).toString('base64url'), randomBytes(32).toString('base64url')];
    const stateHash = sha256(state).toString('hex');
    const expiresAt = new Date(Date.now() + GOOD_MS);
    return this.changes.apply(caller, 'credential.connection-begun', async (tx) => {
      const row = await requireConnection(tx, id);
      await tx.credentialConnection.deleteMany({ where: { expiresAt: { lt: new Date() } } });
      const sealed = this.ways.vault.sealValue(id, verifierPlace(stateHash), verifier);
      const begun = {
        stateHash,
        credentialId: id,
        credentialVersion: row.version,
        operator: caller.name,
        tokenId: caller.tokenId,
        redirectUri,
        expiresAt,
      };
      await tx.credentialConnection.create({ data: { ...begun, verifier: sealed } });
      const authorizationUrl = authorizationUrlOf(row, { state, redirectUri, challenge: sha256(verifier).toString('base64url') });
      const result = { authorizationUrl, redirectUri, expiresAt: expiresAt.toISOString() };
      return { result, subject: credentialSubject(row), change: { server: row.server.slug, redirectUri } };
    });
  }

  /** Takes what the browser came back with. Refuses (409) what was not begun by this operator, is too old, or was used, and (422) what is from somebody else. */
  async finish(caller: Caller, id: string, { state, code, iss }: FinishConnection): Promise<Credential> {
    const row = await requireConnection(this.database, id);
    const begun = await this.take(caller, row, sha256(state).toString('hex'));
    requireIssuer(row, iss);
    const given = await this.exchange(row, { code, code_verifier: begun.verifier, redirect_uri: begun.redirectUri });
    const connected = await this.changes.apply(caller, 'credential.connected', async (tx) => {
      const now = await requireConnection(tx, id);
      if (now.version !== row.version) throw new ProblemError('conflict', 'The credential was replaced meanwhile. Begin anew.');
      await tx.credentialToken.deleteMany({ where: { credentialId: id } });
      await this.ways.tokens.store(tx, id, given);
      const data = { status: 'ready', statusReason: null, connectedAt: new Date(), connectedBy: caller.name };
      await tx.credential.update({ where: { id }, data });
      const result = await requireCredential(tx, id);
      return { result, subject: credentialSubject(result), change: { server: result.server.slug, refreshes: given.refreshToken !== undefined } };
    });
    await this.holders.noteChanged(connected);
    return toCredential(connected);
  }

  /** Once, and before anything is asked of anybody. */
  private async take({ name, tokenId }: Caller, row: CredentialRow, stateHash: string): Promise<{ verifier: string; redirectUri: string }> {
    const mine = { stateHash, credentialId: row.id, operator: name, tokenId: tokenId ?? null };
    const begun = await this.database.credentialConnection.findFirst({ where: mine });
    const { count } = await this.database.credentialConnection.deleteMany({ where: mine });
    if (begun === null || count === 0 || begun.expiresAt < new Date() || begun.credentialVersion !== row.version)
      throw new ProblemError('conflict', 'No such connection was begun by you, or it was too long ago. Begin anew.');
    return { verifier: this.ways.vault.openValue(row.id, verifierPlace(stateHash), begun.verifier), redirectUri: begun.redirectUri };
  }

  private async exchange(row: CredentialRow, grant: Record<string, string>): Promise<GivenToken> {
    const { client, resource } = this.ways.tokens.clientOf(row);
    try {
      return await requestToken(client, { grant_type: 'authorization_code', ...grant, ...(resource !== null && { resource }) }, this.ways.fetch);
    } catch (error) {
      if (error instanceof TokenError)
        throw new ProblemError('unprocessable', `The authorization server gave no token: ${error.reason}.`, [], { cause: error });
      throw error;
    }
  }
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
const verifierPlace = (stateHash: string): string => `verifier|${stateHash}`;

async function requireConnection(db: Parameters<typeof requireCredential>[0], id: string): Promise<CredentialRow> {
  const row = await requireCredential(db, id);
  if (row.kind !== 'authorization_code') throw new ProblemError('conflict', 'This credential is no connection that somebody makes.');
  return row;
}

/** To this machine, whatever the port, or where this installation is. Anywhere else the code would be somebody else's. */
function requireOurRedirect(redirectUri: string, ours: readonly string[]): void {
  const { protocol, hostname, pathname, search, hash } = new URL(redirectUri);
  const isLoopback = protocol === 'http:' && (hostname === '127.0.0.1' || hostname === '[::1]') && pathname === '/callback' && search + hash === '';
  if (isLoopback || ours.includes(redirectUri)) return;
  throw new ProblemError('validation', undefined, [
    { pointer: '/redirectUri', detail: `has to be http://127.0.0.1:<port>/callback, or one of ${ours.join(', ')}` },
  ]);
}

/** Of an authorization server that names itself in its answers (RFC 9207), one without its name is somebody else's. */
function requireIssuer(row: CredentialRow, iss: string | undefined): void {
  const { oauth, requiresIss } = CredentialSettings.parse(row.settings);
  if (iss === undefined ? !requiresIss : oauth?.issuer === null || iss === oauth?.issuer) return;
  throw new ProblemError('unprocessable', 'The answer is from another authorization server than was asked.');
}

function authorizationUrlOf(
  row: CredentialRow,
  { state, redirectUri, challenge }: { state: string; redirectUri: string; challenge: string },
): string {
  const { oauth } = CredentialSettings.parse(row.settings);
  if (oauth?.authorizationEndpoint == null || oauth.clientId === null) throw new TypeError('A connection has an authorization endpoint and a client');
  const url = new URL(oauth.authorizationEndpoint);
  const parameters = {
    response_type: 'code',
    client_id: oauth.clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  if (oauth.scopes.length > 0) url.searchParams.set('scope', oauth.scopes.join(' '));
  if (oauth.resource !== null) url.searchParams.set('resource', oauth.resource);
  return url.href;
}
