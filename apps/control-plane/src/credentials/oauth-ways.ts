import type { Egress } from '@portcullis/egress';

/** How this installation goes out and names itself to authorization servers. */
export interface OauthWays {
  readonly egress: Pick<Egress, 'fetch' | 'checkUrl'>;
  /** Where browsers come back to. */
  readonly redirectUris: readonly string[];
  /** The document that says who we are (client ID metadata document), where this installation has a public address. */
  readonly metadataDocument: string | undefined;
  /** Set where somebody only asks what would be: then nobody is told of us. */
  readonly isRehearsal?: boolean;
}
