import { ConfigError, type ConfigFault } from '@portcullis/boot';
import { OperatorRole } from '@portcullis/contracts/api/operations';
import { ClaimValue, IssuerUrl, TokenAlgorithm, TokenIssuer } from '@portcullis/contracts/token-issuers';
import { z } from 'zod';
import type { OidcOptions } from './oidc-operators.js';

const list = z.string().transform((text) => text.split(',').map((entry) => entry.trim()));
const RoleOfValue = z.object({ value: ClaimValue, role: OperatorRole });

/** Where operators sign in; the process trusts that from start to end, and what operators do over REST cannot change it. */
export const oidcFields = {
  operatorOidcIssuer: IssuerUrl.optional(),
  /** The `aud` of their tokens: another than that of agents, which must open nothing here. */
  operatorOidcAudience: ClaimValue.optional(),
  operatorOidcJwksUri: TokenIssuer.shape.jwksUri,
  operatorOidcAlgorithms: list.pipe(z.array(TokenAlgorithm).min(1)).optional(),
  operatorOidcRoleClaim: z.string().min(1).max(128).default('roles'),
  /** `value=role`, separated by commas: which value of the claim makes which role. */
  operatorOidcRoles: list
    .transform((entries) =>
      entries.map((entry) => ({ value: entry.slice(0, entry.lastIndexOf('=')), role: entry.slice(entry.lastIndexOf('=') + 1) })),
    )
    .pipe(z.array(RoleOfValue).min(1))
    .optional(),
};

type OidcFields = z.infer<z.ZodObject<typeof oidcFields>>;

/** Undefined where no issuer is named. Throws a ConfigError where one is, and what its tokens mean is not said. */
export function oidcOptionsOf(fields: OidcFields, egressAllow: readonly string[]): OidcOptions | undefined {
  const { operatorOidcIssuer: issuer, operatorOidcAudience: audience, operatorOidcRoles: roles } = fields;
  if (issuer === undefined) return undefined;
  const problem = 'is needed where OPERATOR_OIDC_ISSUER is given';
  const faults: ConfigFault[] = [];
  if (audience === undefined) faults.push({ variable: 'OPERATOR_OIDC_AUDIENCE', problem });
  if (roles === undefined) faults.push({ variable: 'OPERATOR_OIDC_ROLES', problem });
  if (audience === undefined || roles === undefined) throw new ConfigError(faults);
  return {
    issuer,
    audience,
    roles,
    jwksUri: fields.operatorOidcJwksUri,
    algorithms: fields.operatorOidcAlgorithms ?? TokenIssuer.shape.algorithms.parse(undefined),
    roleClaim: fields.operatorOidcRoleClaim,
    egressAllow: [...egressAllow],
  };
}
