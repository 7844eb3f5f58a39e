import { hash } from 'node:crypto';
import { Inject, Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import type { OperatorRole } from '@portcullis/contracts/api/operations';
import { ClaimValue, identityKeyId, type TokenAlgorithm } from '@portcullis/contracts/token-issuers';
import { createEgress, type Egress } from '@portcullis/egress';
import { IssuerKeys, TokenRefusedError, verifyAccessToken, type AccessToken } from '@portcullis/secrets';
import { ProblemError } from '../http/problem.js';
import type { Caller } from './caller.js';

/** Whose tokens operators may come with, and what their claims make of them. */
export interface OidcOptions {
  readonly issuer: string;
  /** The exact `aud` of their tokens. */
  readonly audience: string;
  readonly jwksUri: string | undefined;
  readonly algorithms: readonly TokenAlgorithm[];
  /** The claim, a text or a list of texts, that says what they are. */
  readonly roleClaim: string;
  /** Which of its values makes which role; of several that apply the first. */
  readonly roles: readonly { readonly value: string; readonly role: OperatorRole }[];
  /** CIDR ranges beyond the public network that the issuer may lie in. */
  readonly egressAllow: readonly string[];
}

export const OIDC_OPTIONS = 'OidcOptions';

/** A token of an operator is a session, and ends like one. */
const LIFETIME_SECONDS_MAX = 86_400;
const SILENCE_MS_MAX = 5000;
const BODY_BYTES_MAX = 256 * 1024;
/** By these, agents name their owners. */
const NAME_CLAIMS = ['email', 'preferred_username', 'upn'] as const;

/** Operators whom an OpenID provider vouches for. Nothing of them is stored: who they are and what they may do is in each token. */
@Injectable()
export class OidcOperators implements OnModuleDestroy {
  private readonly logger = new Logger('operators');
  private readonly egress: Egress | undefined;
  private readonly keys: IssuerKeys | undefined;

  constructor(@Inject(OIDC_OPTIONS) private readonly options: OidcOptions | undefined) {
    if (options === undefined) return;
    const egress = createEgress({
      allow: options.egressAllow,
      connectTimeoutMs: SILENCE_MS_MAX,
      silenceMsMax: SILENCE_MS_MAX,
      bodyBytesMax: BODY_BYTES_MAX,
    });
    this.egress = egress;
    this.keys = new IssuerKeys({
      fetch: (url, init) => egress.fetch(url, init),
      now: () => performance.now(),
      onTrouble: (issuer, error) => this.logger.warn({ issuer, error: String(error) }, 'The keys of the operators’ issuer are not to be had'),
    });
  }

  async onModuleDestroy(): Promise<void> {
    await this.egress?.close();
  }

  /** Who holds this token. Refuses (401) one that is not of the issuer, not for us or not good now, and (403) one that gives no role. */
  async authenticate(token: string): Promise<Caller> {
    const { options, keys } = this;
    if (options === undefined || keys === undefined) throw new ProblemError('unauthenticated');
    const { claims, audiences } = await verified(token, options, keys);
    const subject = ClaimValue.safeParse(claims['sub']);
    if (!audiences.includes(options.audience) || !subject.success) throw new ProblemError('unauthenticated');
    const name = identityKeyId(options.issuer, subject.data);
    const values = textsOf(claims[options.roleClaim]);
    const found = options.roles.find(({ value }) => values.includes(value));
    if (found === undefined) throw new ProblemError('forbidden', 'Your token gives you no role here.');
    const aliases = NAME_CLAIMS.flatMap((claim) => ClaimValue.safeParse(claims[claim]).data ?? []);
    return { id: name, name, aliases, role: found.role, tokenId: `jwt_${hash('sha256', token, 'hex').slice(0, 16)}`, mayBreakGlass: false };
  }
}

async function verified(token: string, { issuer, jwksUri, algorithms }: OidcOptions, keys: IssuerKeys): Promise<AccessToken> {
  const rules = { issuer, jwksUri, algorithms, lifetimeSecondsMax: LIFETIME_SECONDS_MAX };
  try {
    return await verifyAccessToken(token, { rulesOf: (said) => (said === issuer ? rules : undefined), keys }, Date.now());
  } catch (error) {
    if (!(error instanceof TokenRefusedError)) throw error;
    throw new ProblemError(error.reason === 'keys_unavailable' ? 'unavailable' : 'unauthenticated', undefined, [], { cause: error });
  }
}

const textsOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);
