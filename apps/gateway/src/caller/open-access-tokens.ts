import type { Logger, OnClose } from '@portcullis/boot';
import { createEgress } from '@portcullis/egress';
import { IssuerKeys } from '@portcullis/secrets';
import type { PolicySnapshot } from '@portcullis/snapshot';
import { AccessTokens } from './access-tokens.js';

interface Around {
  readonly policy: { current(): PolicySnapshot | undefined };
  readonly logger: Logger;
  readonly onClose: OnClose;
}

const SILENCE_MS_MAX = 5000;
const BODY_BYTES_MAX = 256 * 1024;

/** Takes access tokens; issuers are asked for their keys over a way out of its own, which waits for little and takes little. */
export function openAccessTokens({ portcullisEgressAllow: allow }: { portcullisEgressAllow: readonly string[] }, around: Around): AccessTokens {
  const egress = createEgress({ allow, connectTimeoutMs: SILENCE_MS_MAX, silenceMsMax: SILENCE_MS_MAX, bodyBytesMax: BODY_BYTES_MAX });
  around.onClose('token issuers', () => egress.close());
  const keys = new IssuerKeys({
    fetch: (url, init) => egress.fetch(url, init),
    now: () => performance.now(),
    onTrouble: (issuer, err) => around.logger.warn({ err, issuer }, 'The keys of an issuer of access tokens are not to be had'),
  });
  return new AccessTokens(keys, around.policy, () => Date.now());
}
