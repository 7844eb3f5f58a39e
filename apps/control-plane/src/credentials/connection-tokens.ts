import type { CredentialToken, PrismaClient, Transaction } from '@portcullis/database';
import { requestToken, TokenError, type GivenToken, type OauthFetch } from '@portcullis/secrets';
import { RecordedChanges } from '../changes/recorded-changes.js';
import { WaitingLine } from '../changes/waiting-line.js';
import type { CredentialVault } from './credential-vault.js';
import { requireCredential, type CredentialRow } from './credentials.repository.js';
import { credentialSubject } from './credential-subject.js';
import { CredentialSettings } from './stored-credential.js';

/** The token of a connection, and when it ends. */
export interface ConnectionToken {
  readonly accessToken: string;
  readonly expiresAt: Date | null;
}

/** A connection that was never made, or that its authorization server has ended. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
}

/** So long before its end a token is no longer handed out: it has to outlast the call that it is for. */
const MARGIN_MS = 30_000;
const TRANSACTION_MS = 30_000;
/** Each holds a connection of the pool for as long as the authorization server takes, which may be the same one for all of them, and say nothing. */
const RENEWED_AT_ONCE_MAX = 3;
const AUTHOR = { name: 'portcullis/credentials' };

/**
 * Tokens of the connections that operators made. A refresh token is good once where its server rotates it, so of all control planes one at a time asks for
 * a new one, and what it was given is stored before anybody has it.
 */
export class ConnectionTokens {
  private readonly underWay = new Map<string, Promise<ConnectionToken>>();
  private readonly line = new WaitingLine(RENEWED_AT_ONCE_MAX, () => new TokenError('unavailable', 'too many tokens are being asked for'));

  constructor(
    private readonly parts: {
      readonly database: PrismaClient;
      readonly vault: CredentialVault;
      readonly changes: RecordedChanges;
      readonly fetch: OauthFetch;
    },
  ) {}

  /**
   * A good token; a newer one than that which `isRefused` knows, where there is or can be one. Throws NotConnected where an operator has to make the
   * connection anew, and a TokenError where there is none at the moment.
   */
  async token(credentialId: string, isRefused: (accessToken: string) => boolean = () => false): Promise<ConnectionToken> {
    const known = await this.parts.database.credentialToken.findUnique({ where: { credentialId } });
    if (known === null) throw new NotConnected();
    const opened = this.open(known);
    if (isGood(opened) && !isRefused(opened.accessToken)) return opened;
    const work = this.underWay.get(credentialId) ?? this.renew(credentialId, known.generation).finally(() => this.underWay.delete(credentialId));
    this.underWay.set(credentialId, work);
    return work;
  }

  /** Stores what a token endpoint gave as the newest generation. Without a new refresh token the one before stays good (RFC 6749 §6). */
  async store(tx: Transaction, credentialId: string, given: GivenToken): Promise<void> {
    const { vault } = this.parts;
    const before = await tx.credentialToken.findUnique({ where: { credentialId } });
    const generation = (before?.generation ?? 0) + 1;
    const refreshToken =
      given.refreshToken ?? (before?.refreshToken ? vault.openValue(credentialId, refreshPlace(before.generation), before.refreshToken) : undefined);
    const data = {
      generation,
      accessToken: vault.sealValue(credentialId, accessPlace(generation), given.accessToken),
      accessExpiresAt: given.expiresAt === undefined ? null : new Date(given.expiresAt),
      refreshToken: refreshToken === undefined ? null : vault.sealValue(credentialId, refreshPlace(generation), refreshToken),
      failingSince: null,
      failure: null,
    };
    await tx.credentialToken.upsert({ where: { credentialId }, create: { credentialId, ...data }, update: data });
  }

  private open({ credentialId, generation, accessToken, accessExpiresAt }: CredentialToken): ConnectionToken {
    return { accessToken: this.parts.vault.openValue(credentialId, accessPlace(generation), accessToken), expiresAt: accessExpiresAt };
  }

  private async renew(credentialId: string, seen: number): Promise<ConnectionToken> {
    try {
      const options = { timeout: TRANSACTION_MS, maxWait: TRANSACTION_MS };
      return await this.line.take(() => this.parts.database.$transaction((tx) => this.renewOnce(tx, credentialId, seen), options));
    } catch (error) {
      if (error instanceof TokenError && error.fault === 'unavailable') await this.noteFailing(credentialId, error.reason);
      if (!(error instanceof TokenError) || error.fault !== 'refused') throw error;
      await this.noteEnded(credentialId, error.reason);
      throw new NotConnected(undefined, { cause: error });
    }
  }

  /** Whoever comes second finds what the first was given. */
  private async renewOnce(tx: Transaction, credentialId: string, seen: number): Promise<ConnectionToken> {
    await tx.$executeRaw`SELECT pg_advisory_xact_lock(hashtext('portcullis credential token'), hashtext(${credentialId}))`;
    const known = await tx.credentialToken.findUnique({ where: { credentialId } });
    if (known === null) throw new NotConnected();
    if (known.generation > seen) return this.open(known);
    const row = await requireCredential(tx, credentialId);
    if (row.status !== 'ready') throw new NotConnected();
    if (known.refreshToken === null) throw new TokenError('refused', 'there is no refresh token');
    const refreshToken = this.parts.vault.openValue(credentialId, refreshPlace(known.generation), known.refreshToken);
    const { client, resource } = this.clientOf(row);
    const grant = { grant_type: 'refresh_token', refresh_token: refreshToken, ...(resource !== null && { resource }) };
    const given = await requestToken(client, grant, this.parts.fetch);
    await this.store(tx, credentialId, given);
    return { accessToken: given.accessToken, expiresAt: given.expiresAt === undefined ? null : new Date(given.expiresAt) };
  }

  /** Who this installation is to the authorization server of a connection. */
  clientOf(row: CredentialRow) {
    const { oauth } = CredentialSettings.parse(row.settings);
    const secret = this.parts.vault.open(row);
    if (oauth?.clientId == null || secret.kind !== 'authorization-code') throw new TypeError('The credential is no connection');
    const { tokenEndpoint, clientId, authentication, resource } = oauth;
    return { client: { tokenEndpoint, clientId, clientSecret: secret.clientSecret ?? undefined, authentication }, oauth, resource };
  }

  /** For as long as that lasts: the next token ends it. */
  private async noteFailing(credentialId: string, failure: string): Promise<void> {
    await this.parts.database.credentialToken.updateMany({
      where: { credentialId, failingSince: null },
      data: { failingSince: new Date(), failure },
    });
  }

  /** On record once, so that somebody hears of it before a call does. */
  private async noteEnded(credentialId: string, reason: string): Promise<void> {
    await this.parts.changes.apply(AUTHOR, 'credential.connection-ended', async (tx) => {
      const statusReason = `The authorization server no longer takes the connection (${reason}).`;
      // Of all that find out at once, one tells.
      const where = { id: credentialId, status: 'ready' };
      const { count } = await tx.credential.updateMany({ where, data: { status: 'reconnect', statusReason } });
      if (count === 0) return { result: undefined, unchanged: true };
      const { server, id } = await requireCredential(tx, credentialId);
      return { result: undefined, subject: credentialSubject({ id, server }), change: { server: server.slug, reason } };
    });
  }
}

const isGood = ({ expiresAt }: ConnectionToken): boolean => expiresAt === null || expiresAt.getTime() > Date.now() + MARGIN_MS;

/** Of which generation a value is, so that an older one put back in its place does not open. */
export const accessPlace = (generation: number): string => `access|${generation}`;
export const refreshPlace = (generation: number): string => `refresh|${generation}`;
